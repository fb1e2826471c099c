package circlecitest

import (
	"bytes"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// controlPath is the prefix of the routes that script a server over HTTP, for
// tests in other languages. They are not part of CircleCI's API.
const controlPath = "/_fake/"

//go:embed scenario.schema.json
var scenarioSchema []byte

// controlRoutes are the scripting routes. Like the API, each requires the
// server's token.
var controlRoutes = []struct {
	pattern, about string
	handle         func(s *Server, r *http.Request, body []byte) (any, error)
}{
	{"GET /_fake/schema", "the JSON Schema of scenario documents", func(*Server, *http.Request, []byte) (any, error) {
		return json.RawMessage(scenarioSchema), nil
	}},
	{"POST /_fake/scenario", "add the contents of a scenario document, in YAML or JSON", func(s *Server, _ *http.Request, body []byte) (any, error) {
		return nil, s.Load(body)
	}},
	{"POST /_fake/reset", "return to the initial state; this also removes requests and faults; {random_seed: 7} changes the seed of everything random", reset},
	{"GET /_fake/time", "the server's time", func(s *Server, _ *http.Request, _ []byte) (any, error) { return timeView(s), nil }},
	{"POST /_fake/time", "change the time: {advance: 1h}, {set: 2026-03-01T12:00:00Z}, {speed: 60}, or {speed: 0} to stop the clock", setTime},
	{"GET /_fake/weather", "the current faults", func(s *Server, _ *http.Request, _ []byte) (any, error) { return s.weatherNow(), nil }},
	{"POST /_fake/weather", "add one fault or a list of faults", addWeather},
	{"DELETE /_fake/weather", "remove all faults", func(s *Server, _ *http.Request, _ []byte) (any, error) {
		s.ClearWeather()
		return nil, nil
	}},
	{"POST /_fake/pipelines", "start a pipeline as a push does: {project, branch, login}", startPipeline},
	{"GET /_fake/pipelines/{id}/continuation-key", "the key with which a setup job continues its pipeline", continuationKey},
	{"POST /_fake/triggers/{id}/fire", "fire a trigger of a pipeline definition", fireTrigger},
	{"POST /_fake/webhooks/{id}/ping", "deliver an event of type ping to a webhook", pingWebhook},
	{"POST /_fake/token", "replace the token: {rotate: NEW_TOKEN}", rotateToken},
	{"GET /_fake/requests", "the requests so far; ?operation= filters them", listRequests},
	{"GET /_fake/deliveries", "the webhook deliveries so far", listDeliveries},
	{"GET /_fake/contexts/{id}/env-vars", "the variables of a context with their values", func(s *Server, r *http.Request, _ []byte) (any, error) {
		id, err := uuid.Parse(r.PathValue("id"))
		return s.ContextEnvVars(id), err
	}},
}

// control returns the handler of the routes below [controlPath].
func (s *Server) control() http.Handler {
	mux := http.NewServeMux()
	var list []map[string]string
	for _, route := range controlRoutes {
		list = append(list, map[string]string{"route": route.pattern, "about": route.about})
		mux.HandleFunc(route.pattern, func(w http.ResponseWriter, r *http.Request) {
			if !s.mayControl(r) {
				writeControl(w, http.StatusUnauthorized, errors.New("send the server's token as Circle-Token"))
				return
			}
			body, done := s.readBody(r, mostControlBody)
			defer done()
			if len(body) > mostControlBody {
				writeControl(w, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is larger than %d bytes", mostControlBody))
				return
			}
			result, err := calmly(func() (any, error) { return route.handle(s, r, body) })
			if err != nil {
				writeControl(w, http.StatusBadRequest, err)
				return
			}
			writeControl(w, http.StatusOK, result)
		})
	}
	mux.HandleFunc("GET /_fake/{$}", func(w http.ResponseWriter, _ *http.Request) { writeControl(w, http.StatusOK, list) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeControl(w, http.StatusNotFound, fmt.Errorf("there is no route %s %s; GET %s lists them", r.Method, r.URL.Path, controlPath))
	})
	return mux
}

// calmly returns a panic of do as an error. In a Go test the panic points at
// the line with the mistake; over HTTP it becomes the response.
func calmly(do func() (any, error)) (result any, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%v", problem)
		}
	}()
	return do()
}

// mayControl reports whether a request has the token that the server accepts,
// or the one that it started with.
func (s *Server) mayControl(r *http.Request) bool {
	token := r.Header.Get("Circle-Token")
	if token == "" {
		token, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	s.engine.Lock()
	defer s.engine.Unlock()
	return subtle.ConstantTimeCompare([]byte(token), []byte(s.engine.Token)) == 1 ||
		subtle.ConstantTimeCompare([]byte(token), []byte(s.engine.FirstToken())) == 1
}

func writeControl(w http.ResponseWriter, status int, result any) {
	if err, ok := result.(error); ok {
		result = map[string]string{"message": err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	if result == nil {
		result = struct{}{}
	}
	body, err := json.Marshal(result)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"message":"the result cannot be written"}`)
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client may have disconnected
}

func timeView(s *Server) map[string]any {
	return map[string]any{"now": s.Now(), "speed": s.Speed()}
}

func setTime(s *Server, _ *http.Request, body []byte) (any, error) {
	var in struct {
		Advance *documentDuration `yaml:"advance"`
		Set     time.Time         `yaml:"set"`
		Speed   *float64          `yaml:"speed"`
	}
	if err := decodeStrict(body, &in); err != nil {
		return nil, err
	}
	if in.Speed != nil {
		s.SetSpeed(*in.Speed)
	}
	if !in.Set.IsZero() {
		d := in.Set.Sub(s.Now())
		if d < 0 {
			return nil, fmt.Errorf("time cannot go back: it is %s", s.Now().Format(time.RFC3339))
		}
		s.Advance(d)
	}
	if in.Advance != nil {
		s.Advance(time.Duration(*in.Advance))
	}
	return timeView(s), nil
}

func addWeather(s *Server, _ *http.Request, body []byte) (any, error) {
	var list []faultDocument
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] != '[' && trimmed[0] != '-' {
		list = make([]faultDocument, 1)
		if err := decodeStrict(body, &list[0]); err != nil {
			return nil, err
		}
	} else if err := decodeStrict(body, &list); err != nil {
		return nil, err
	}
	var faults []*Fault
	for _, one := range list {
		fault, err := one.fault()
		if err != nil {
			return nil, err
		}
		faults = append(faults, fault)
	}
	s.Weather(faults...)
	return s.weatherNow(), nil
}

func startPipeline(s *Server, _ *http.Request, body []byte) (any, error) {
	in := struct {
		Project string `yaml:"project"`
		Branch  string `yaml:"branch"`
		Login   string `yaml:"login"`
	}{Branch: "main"}
	if err := decodeStrict(body, &in); err != nil {
		return nil, err
	}
	slug, err := circleci.ParseProjectSlug(in.Project)
	if err != nil {
		return nil, err
	}
	if in.Login == "" {
		return map[string]any{"id": s.StartPipeline(slug, in.Branch)}, nil
	}
	user, err := s.userByLogin(in.Login)
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": s.StartPipelineBy(user, slug, in.Branch)}, nil
}

func (s *Server) userByLogin(login string) (uuid.UUID, error) {
	s.engine.Lock()
	defer s.engine.Unlock()
	for id, u := range s.engine.Users {
		if u.Login == login {
			return id, nil
		}
	}
	return uuid.Nil, fmt.Errorf("there is no user %s", login)
}

func reset(s *Server, _ *http.Request, body []byte) (any, error) {
	var in struct {
		Seed *uint64 `yaml:"random_seed"`
	}
	if err := decodeStrict(body, &in); err != nil {
		return nil, err
	}
	if in.Seed != nil {
		s.setSeed(*in.Seed)
	}
	s.Reset()
	return nil, nil
}

// setSeed sets the seed of everything random from the next reset on.
func (s *Server) setSeed(seed uint64) {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.Seed = seed
}

func pingWebhook(s *Server, r *http.Request, _ []byte) (any, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err == nil {
		s.PingWebhook(id)
	}
	return nil, err
}

func continuationKey(s *Server, r *http.Request, _ []byte) (any, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"continuation_key": s.ContinuationKey(id).Reveal()}, nil
}

// weatherNow describes the faults that are set.
func (s *Server) weatherNow() []string {
	s.engine.Lock()
	defer s.engine.Unlock()
	return append([]string{}, s.weather.Texts()...)
}

func fireTrigger(s *Server, r *http.Request, _ []byte) (any, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"pipeline_id": s.FireTrigger(id)}, nil
}

func rotateToken(s *Server, _ *http.Request, body []byte) (any, error) {
	var in struct {
		Rotate string `yaml:"rotate"`
	}
	if err := decodeStrict(body, &in); err != nil {
		return nil, err
	}
	if in.Rotate == "" {
		return nil, errors.New("rotate: the new token is missing")
	}
	s.RotateToken(in.Rotate)
	return nil, nil
}

// requestView and deliveryView are the JSON forms of [Request] and [Delivery].
type requestView struct {
	Operation  string      `json:"operation"`
	Method     string      `json:"method"`
	Path       string      `json:"path"`
	Query      url.Values  `json:"query"`
	Header     http.Header `json:"header"`
	Body       string      `json:"body"`
	Status     int         `json:"status"`
	Refusal    string      `json:"refusal"`
	Faults     []string    `json:"faults"`
	Complaints []string    `json:"complaints"`
	Time       time.Time   `json:"time"`
}

type deliveryView struct {
	WebhookID uuid.UUID   `json:"webhook_id"`
	ID        uuid.UUID   `json:"id"`
	Event     string      `json:"event"`
	URL       string      `json:"url"`
	Header    http.Header `json:"header"`
	Body      string      `json:"body"`
	Attempt   int         `json:"attempt"`
	Status    int         `json:"status"`
	Error     string      `json:"error"`
	Time      time.Time   `json:"time"`
}

func listRequests(s *Server, r *http.Request, _ []byte) (any, error) {
	only := r.URL.Query().Get("operation")
	all := []requestView{}
	for _, seen := range s.Requests() {
		if only == "" || seen.Operation == only {
			all = append(all, requestView{
				seen.Operation, seen.Method, seen.Path, seen.Query, seen.Header, string(seen.Body), seen.Status, seen.Refusal,
				append([]string{}, seen.Faults...), append([]string{}, seen.Complaints...), seen.Time,
			})
		}
	}
	return all, nil
}

func listDeliveries(s *Server, _ *http.Request, _ []byte) (any, error) {
	all := []deliveryView{}
	for _, d := range s.Deliveries() {
		view := deliveryView{d.WebhookID, d.ID, string(d.Event), d.URL, d.Header, string(d.Body), d.Attempt, d.Status, "", d.Time}
		if d.Err != nil {
			view.Error = d.Err.Error()
		}
		all = append(all, view)
	}
	return all, nil
}

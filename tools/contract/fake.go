package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// exchange is a request to the fake server, with its answer.
type exchange struct {
	key     string // of the operation
	request *http.Request
	sent    []byte
	status  int
	header  http.Header
	answer  []byte
}

// recorder keeps the exchanges with a fake server.
type recorder struct {
	srv       *circlecitest.Server
	exchanges []exchange
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	x := exchange{request: req}
	if req.Body != nil {
		var err error
		if x.sent, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(x.sent))
	}
	resp, err := r.srv.Transport().RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if x.answer, err = io.ReadAll(resp.Body); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(x.answer))
	requests := r.srv.Requests()
	x.key, x.status, x.header = requests[len(requests)-1].Operation, resp.StatusCode, resp.Header
	r.exchanges = append(r.exchanges, x)
	return resp, nil
}

// discard takes what the server delivers to webhooks.
type discard struct{}

func (discard) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}

// exchanges walks through all operations of a fake server that spells as the
// document does.
func exchanges() ([]exchange, []error) {
	var complaints complaints
	srv := circlecitest.New(&complaints,
		circlecitest.WithDocumentSpelling(), circlecitest.WithManualTime(), circlecitest.WithTime(time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)),
		circlecitest.WithDeliveryTransport(discard{}),
	)
	defer srv.Close()
	r := &recorder{srv: srv}
	client, err := circleci.NewClient(srv.Token(), circleci.WithHTTPClient(&http.Client{Transport: r}))
	if err != nil {
		return nil, []error{err}
	}
	errs := (&tour{ctx: context.Background(), srv: srv, c: client}).run()
	return r.exchanges, append(errs, complaints...)
}

// complaints are what the server has to say of requests that CircleCI would
// misunderstand.
type complaints []error

func (c *complaints) Errorf(format string, args ...any) { *c = append(*c, fmt.Errorf(format, args...)) }
func (*complaints) Helper()                             {}
func (*complaints) Cleanup(func())                      {}

// compareFake holds the fake server against the document.
func compareFake(doc *openapi3.T) []string {
	found := map[string]bool{}
	seen, errs := exchanges()
	for _, err := range errs {
		log.Print("contract: the tour of the fake server: ", err)
	}
	byKey := map[string][]exchange{}
	for _, x := range seen {
		byKey[x.key] = append(byKey[x.key], x)
	}
	for _, op := range operationsOf(doc) {
		var successes []exchange
		for _, x := range byKey[op.key] {
			for _, d := range op.check(doc, x) {
				found[d] = true
			}
			if x.status/100 == 2 {
				successes = append(successes, x)
			}
		}
		if len(successes) == 0 {
			found["fake-unanswered "+op.key] = true
		}
		for _, path := range op.empty(successes) {
			found["fake-empty "+op.key+" "+path] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// empty lists the lists of answers that have never had an element, so that
// nothing of them was held against the document.
func (op *operation) empty(seen []exchange) (paths []string) {
	filled := map[string]bool{}
	var answers place
	for _, answer := range op.successes() {
		answers = append(answers, placeOf(answer.schema)...)
	}
	for _, x := range seen {
		var v any
		if json.Unmarshal(x.answer, &v) == nil {
			answers.walk(v, "", folded, func(path string, _ place, _ any) { filled[path] = true }, func(string) {})
		}
	}
	answers.visit("", func(path string, _, child place, _ string) {
		if len(child.items()) > 0 && filled[path] && !filled[path+"[]"] {
			paths = append(paths, path)
		}
	})
	return paths
}

// check holds an exchange against the document.
func (op *operation) check(doc *openapi3.T, x exchange) (differences []string) {
	in := &openapi3filter.RequestValidationInput{
		Request: x.request.Clone(context.Background()), PathParams: pathParams(op.path, x.request.URL.EscapedPath()),
		Route:   &routers.Route{Spec: doc, Path: op.path, PathItem: op.item, Method: op.method, Operation: op.Operation},
		Options: &openapi3filter.Options{MultiError: true, IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true},
	}
	in.Request.Body = io.NopCloser(bytes.NewReader(x.sent))
	for _, line := range filterErrors(openapi3filter.ValidateRequest(context.Background(), in)) {
		differences = append(differences, "fake-request "+op.key+" "+line)
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: x.status, Header: x.header, Options: in.Options}
	out.SetBodyBytes(x.answer)
	for _, line := range filterErrors(openapi3filter.ValidateResponse(context.Background(), out)) {
		differences = append(differences, fmt.Sprint("fake-response ", op.key, " ", x.status, " ", line))
	}
	return differences
}

// filterErrors makes a line of each thing that is wrong.
func filterErrors(err error) (lines []string) {
	switch e := err.(type) { //nolint:errorlint // taken apart step by step
	case nil:
	case openapi3.MultiError:
		for _, err := range e {
			lines = append(lines, filterErrors(err)...)
		}
	case *openapi3.SchemaError:
		lines = []string{lineOf(e)}
	case *openapi3filter.RequestError:
		for _, line := range filterErrors(e.Err) {
			if e.Parameter != nil {
				line = e.Parameter.Name + ": " + line
			}
			lines = append(lines, line)
		}
		if e.Err == nil {
			lines = []string{e.Reason}
		}
	case *openapi3filter.ResponseError:
		if lines = filterErrors(e.Err); e.Err == nil {
			lines = []string{e.Reason}
		}
	default:
		lines = []string{err.Error()}
	}
	return lines
}

// pathParams are the parameters of a path. A slug takes the segments that it
// has.
func pathParams(template, path string) map[string]string {
	params := map[string]string{}
	names, segments := strings.Split(template, "/"), strings.Split(strings.TrimPrefix(path, "/api/v2"), "/")
	more := len(segments) - len(names) // those of the slug
	for _, name := range names {
		width := 1
		if name == "{project-slug}" || name == "{org-slug}" {
			width += more
		}
		if inner, ok := strings.CutPrefix(name, "{"); ok {
			value, _ := url.PathUnescape(strings.Join(segments[:width], "/")) // it has come through a server
			params[strings.TrimSuffix(inner, "}")] = value
		}
		segments = segments[width:]
	}
	return params
}

package circlecitest

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is one kind of bad weather, for [Server.Weather]: what goes wrong, for
// which requests, and when. Its methods change it and return it; without them
// it meets every request, from now on, for good.
//
//	srv.Weather(circlecitest.ServerError(503).For("GET /me").Times(3))
//	srv.Weather(circlecitest.BrokenConnection().Share(0.05))
type Fault struct {
	name        string
	ops         []string // none: any
	skip, times int      // times 0: no end
	share       float64
	from, until time.Time
	executed    bool
	begin       func(*Server) link
}

// link is a fault at work: it answers itself, or has next answer, and may spoil
// the outcome. It reports whether the request has met it.
type link func(s *Server, r *request, next next) (a *answer, met bool)

type next func(*request) *answer

func newFault(name string, begin func(*Server) link) *Fault {
	return &Fault{name: name, share: 1, begin: begin}
}

// For limits the fault to operations: each is a method and a route's template,
// such as "GET /context/{context_id}", or "*" for all. "artifact" is the host
// that redirects to artifacts, and "storage" the one behind it.
func (f *Fault) For(ops ...string) *Fault {
	f.ops = append(f.ops, ops...)
	return f
}

// Skip lets the first n requests pass.
func (f *Fault) Skip(n int) *Fault {
	f.skip = n
	return f
}

// Times ends the fault after n requests.
func (f *Fault) Times(n int) *Fault {
	f.times = n
	return f
}

// Share has only a part of the requests meet the fault: 0.1 is one in ten, by
// chance. The server's seed decides which, always the same for the same
// requests in the same order.
func (f *Fault) Share(part float64) *Fault {
	f.share = part
	return f
}

// From has the fault begin at a time of the server's clock, such as
// srv.Now().Add(time.Hour).
func (f *Fault) From(t time.Time) *Fault {
	f.from = t
	return f
}

// Until has the fault end at a time of the server's clock.
func (f *Fault) Until(t time.Time) *Fault {
	f.until = t
	return f
}

// Executed has the server do what was asked before things go wrong: the client
// cannot know.
func (f *Fault) Executed() *Fault {
	f.executed = true
	return f
}

// String says what goes wrong, for people.
func (f *Fault) String() string {
	text := f.name
	if len(f.ops) > 0 {
		text += " for " + strings.Join(f.ops, ", ")
	}
	if f.skip > 0 {
		text += fmt.Sprintf(", but for the first %d", f.skip)
	}
	if f.times > 0 {
		text += fmt.Sprintf(", %d times", f.times)
	}
	if f.share < 1 {
		text += fmt.Sprintf(", %g %% of requests", 100*f.share)
	}
	if !f.from.IsZero() {
		text += ", from " + f.from.UTC().Format(time.RFC3339)
	}
	if !f.until.IsZero() {
		text += ", until " + f.until.UTC().Format(time.RFC3339)
	}
	return text
}

// Response is an answer that a test gives in place of the server's own.
type Response struct {
	// Status is the HTTP status; 200 if it is 0.
	Status int
	Header http.Header
	// Body goes as it is. It is taken for JSON unless Header has a
	// Content-Type.
	Body string
	// Latency is how long the answer takes, by our clock.
	Latency time.Duration
	// CutAfter breaks the connection after so many bytes of the body.
	CutAfter int64
	// Broken breaks the connection before any answer.
	Broken bool
	// Executed has the server do what was asked before the trouble. If Status
	// is 0 its own answer goes out, late or cut as the other fields say.
	Executed bool
}

// Answer is a response of the test's own.
func Answer(response Response) *Fault {
	name := "answer " + strconv.Itoa(response.Status)
	return newFault(name, func(*Server) link { return response.strike })
}

// ServerError is an answer with this status, of 500 and above.
func ServerError(status int) *Fault {
	f := Answer(Response{Status: status, Body: `{"message":"` + http.StatusText(status) + `"}`})
	f.name = "status " + strconv.Itoa(status)
	return f
}

// EdgeBlock is a 403 with a page of HTML, from the edge before the API.
func EdgeBlock() *Fault {
	f := Answer(Response{Status: http.StatusForbidden, Header: http.Header{"Content-Type": {"text/html"}}, Body: edgePage})
	f.name = "blocked by the edge"
	return f
}

const edgePage = "<!DOCTYPE html>\n<html><head><title>ERROR: The request could not be satisfied</title></head>" +
	"<body><h1>403 ERROR</h1><p>Request blocked.</p></body></html>\n"

// BrokenConnection breaks the connection before the answer.
func BrokenConnection() *Fault {
	f := Answer(Response{Broken: true})
	f.name = "connection broken"
	return f
}

// TruncatedBody breaks the connection in the middle of the answer's body. What
// was asked for has been done.
func TruncatedBody() *Fault {
	f := Answer(Response{Executed: true, CutAfter: cutHalf})
	f.name = "body truncated"
	return f
}

// cutHalf stands for half of the body.
const cutHalf = -1

// Latency holds answers back, by our clock; within testing/synctest by the
// bubble's. Several add up.
func Latency(d time.Duration) *Fault {
	f := Answer(Response{Executed: true, Latency: d})
	f.name = "latency " + d.String()
	return f
}

// RateLimit refuses requests with 429 as CircleCI does: each family of routes,
// by its first segment, has a bucket of n tokens that fills up within per, by
// our clock. All answers tell in both families of headers what is left; the
// refusal is the text "Rate limited." with a Retry-After.
func RateLimit(n int, per time.Duration) *Fault {
	if n < 1 || per <= 0 {
		panic("circlecitest: a rate limit has to let something through")
	}
	return newFault(fmt.Sprintf("rate limit of %d in %s", n, per), func(*Server) link {
		buckets := map[string]*bucket{}
		return func(_ *Server, r *request, next next) (*answer, bool) {
			if r.op == nil {
				return next(r), false
			}
			b := buckets[r.op.family()]
			if b == nil {
				b = &bucket{size: float64(n), rate: float64(n) / per.Seconds(), tokens: float64(n), stamp: time.Now()}
				buckets[r.op.family()] = b
			}
			if wait := b.take(time.Now()); wait > 0 {
				a := text(http.StatusTooManyRequests, "text/plain; charset=utf-8", "Rate limited.")
				a.header.Set("Retry-After", wholeSeconds(wait))
				b.announce(a)
				return a, true
			}
			a := next(r)
			b.announce(a)
			return a, false
		}
	})
}

// bucket is what is left of a limit.
type bucket struct {
	size, rate, tokens float64 // the rate is in tokens a second
	stamp              time.Time
}

// take takes a token, or says how long it is until there is one.
func (b *bucket) take(now time.Time) time.Duration {
	b.tokens = min(b.size, b.tokens+now.Sub(b.stamp).Seconds()*b.rate)
	b.stamp = now
	if b.tokens < 1 {
		return max(time.Duration((1-b.tokens)/b.rate*float64(time.Second)), 1)
	}
	b.tokens--
	return 0
}

func (b *bucket) announce(a *answer) {
	untilFull := time.Duration((b.size - b.tokens) / b.rate * float64(time.Second))
	a.announce(int(b.size), int(b.tokens), untilFull)
}

// announce adds the headers of a rate limit, of both families.
func (a *answer) announce(limit, remaining int, reset time.Duration) {
	if a.header == nil {
		a.header = http.Header{}
	}
	for _, prefix := range []string{"Ratelimit-", "X-Ratelimit-"} {
		a.header[prefix+"Limit"] = []string{strconv.Itoa(limit)}
		a.header[prefix+"Remaining"] = []string{strconv.Itoa(remaining)}
		a.header[prefix+"Reset"] = []string{wholeSeconds(reset)}
	}
}

// generous is the limit that is announced if no fault has another: nobody meets
// it, and clients know where they stand.
const generous = 1_000_000

func wholeSeconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

// StuckToken has lists go round: each page is the first one, and names the same
// next page.
func StuckToken() *Fault {
	return newFault("page token stuck", func(*Server) link {
		return func(_ *Server, r *request, next next) (*answer, bool) {
			return firstPage(r, next, tokenOf("0"))
		}
	})
}

// RepeatedPage has lists go round, and hides it: each page is the first one,
// and names a next page that has not been named before.
func RepeatedPage() *Fault {
	return newFault("page repeated", func(*Server) link {
		count := 0
		return func(_ *Server, r *request, next next) (*answer, bool) {
			count++
			return firstPage(r, next, tokenOf("0."+strconv.Itoa(count)))
		}
	})
}

// firstPage answers the first page of a list, whichever was asked for, with
// this token for the next.
func firstPage(r *request, next next, token string) (a *answer, met bool) {
	first := *r
	first.query = maps.Clone(r.query)
	first.query.Del(pageToken)
	a = next(&first)
	list, _ := a.body.(object)
	if items, _ := list["items"].([]any); len(items) == 0 {
		return a, false
	}
	list["next_page_token"] = token
	return a, true
}

// StorageRedirect sends API calls on to a storage host of another origin, where
// the answer is. A token that arrives there fails the test.
func StorageRedirect() *Fault {
	return newFault("redirected to storage", func(*Server) link {
		return func(s *Server, r *request, next next) (*answer, bool) {
			if r.op == nil {
				return next(r), false
			}
			path := "/redirected/" + s.newID().String()
			stored := next(r)
			stored.encode()
			s.weather.redirected = append(s.weather.redirected, redirect{path, *stored})
			if n := len(s.weather.redirected); n > maxRedirects {
				s.weather.redirected = slices.Delete(s.weather.redirected, 0, n-maxRedirects)
			}
			a := text(http.StatusTemporaryRedirect, "text/html", "")
			if r.http.Method == http.MethodGet {
				a.status = http.StatusFound
			}
			a.header.Set("Location", r.host.storage+path+"?signature=0123456789abcdef")
			return a, true
		}
	})
}

// redirect is an answer that waits at the storage host. The last few are kept.
type redirect struct {
	path   string
	answer answer
}

const maxRedirects = 100

func (w *weather) redirectedTo(path string) *answer {
	for _, to := range w.redirected {
		if to.path == path {
			a := to.answer // each time it is sent it may meet another fault
			a.header = a.header.Clone()
			return &a
		}
	}
	return nil
}

// ExpiredToken refuses the token that the server takes now. It goes with
// [Fault.From], and with [Server.RotateToken] for what helps.
func ExpiredToken() *Fault {
	return newFault("token expired", func(s *Server) link {
		expired := s.token
		return func(_ *Server, r *request, next next) (*answer, bool) {
			if r.token() != expired {
				return next(r), false
			}
			late := *r
			late.expired = true
			return next(&late), true
		}
	})
}

// RotateToken has the server take another token, and refuse the one before.
func (s *Server) RotateToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// weather is all that goes wrong.
type weather struct {
	planned    map[string][]Response // by operation
	fronts     []*front
	count      uint64 // of fronts so far
	redirected []redirect
}

// front is a fault of a server.
type front struct {
	Fault
	seen, met int // requests
	rand      *rand.Rand
	link      link
}

// Weather has things go wrong, until [Server.ClearWeather]. Faults act
// together: the first given is the outermost, and what it lets pass meets the
// next.
func (s *Server) Weather(faults ...*Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		for _, op := range f.ops {
			s.mustHave(op)
		}
		x := &front{Fault: *f, link: f.begin(s)}
		x.rand = newRand(s.seed, streamWeather+s.weather.count)
		s.weather.count++
		s.weather.fronts = append(s.weather.fronts, x)
	}
}

// ClearWeather ends all that goes wrong.
func (s *Server) ClearWeather() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.weather.planned, s.weather.fronts = nil, nil
}

// Fail answers the next requests of an operation with these responses, one
// each, in place of the server's own: each is an [Answer] of its own. The
// operation is named as in [Fault.For].
func (s *Server) Fail(op string, responses ...Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustHave(op)
	if s.weather.planned == nil {
		s.weather.planned = map[string][]Response{}
	}
	s.weather.planned[op] = append(s.weather.planned[op], responses...)
}

// mustHave panics for an operation that there is not: it would never fail.
func (s *Server) mustHave(op string) {
	if op != anyKey && op != artifactKey && op != storageKey && !slices.ContainsFunc(s.ops, func(o *operation) bool { return o.key == op }) {
		panic("circlecitest: there is no operation " + op)
	}
}

// The operations that are no operations of the API v2.
const (
	anyKey      = "*"
	artifactKey = "artifact" // the host that redirects to artifacts
	storageKey  = "storage"  // the host behind it
)

// answer has a request pass the weather, from the planned responses on.
func (w *weather) answer(s *Server, r *request) *answer {
	for _, key := range []string{r.key(), anyKey} {
		if planned := w.planned[key]; len(planned) > 0 {
			w.planned[key] = planned[1:]
			r.meet("planned")
			a, _ := planned[0].strike(s, r, func(r *request) *answer { return w.pass(s, r, 0) })
			return a
		}
	}
	return w.pass(s, r, 0)
}

// pass has a request pass the faults from this one on.
func (w *weather) pass(s *Server, r *request, from int) *answer {
	for i := from; i < len(w.fronts); i++ {
		f := w.fronts[i]
		if !f.isFor(r) || !f.isDue(s.now()) {
			continue
		}
		next := func(r *request) *answer { return w.pass(s, r, i+1) }
		if f.executed {
			own := next(r)
			next = func(*request) *answer { return own }
		}
		a, met := f.link(s, r, next)
		if met {
			f.met++
			r.meet(f.name)
		}
		return a
	}
	return s.execute(r)
}

func (f *front) isFor(r *request) bool {
	return len(f.ops) == 0 || slices.Contains(f.ops, anyKey) || slices.Contains(f.ops, r.key())
}

// isDue reports whether the fault's time, count and share have this request
// meet it.
func (f *front) isDue(now time.Time) bool {
	if now.Before(f.from) || !f.until.IsZero() && !now.Before(f.until) || f.times > 0 && f.met >= f.times {
		return false
	}
	if f.seen++; f.seen <= f.skip {
		return false
	}
	return f.share >= 1 || f.rand.Float64() < f.share
}

// strike is the link of a response.
func (p Response) strike(_ *Server, r *request, next next) (*answer, bool) {
	a := &answer{status: p.Status, header: p.Header.Clone(), body: p.Body}
	if p.Executed {
		own := next(r)
		if p.Status == 0 {
			own.fault.latency += p.Latency
			own.fault.broken = own.fault.broken || p.Broken
			if p.CutAfter != 0 {
				own.fault.cut = p.CutAfter
			}
			return own, true
		}
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if a.header == nil {
		a.header = http.Header{}
	}
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", "application/json;charset=utf-8")
	}
	a.fault = fault{latency: p.Latency, cut: p.CutAfter, broken: p.Broken}
	return a, true
}

// fault is what goes wrong with the sending of an answer.
type fault struct {
	latency time.Duration
	cut     int64 // bytes after which the connection breaks; 0: none
	broken  bool
	from    int64 // where a content begins, for ranges
}

package weather

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
)

// Fault is a fault: see circlecitest.Fault.
type Fault struct {
	name        string
	Ops         []string // none: any
	Skip, Times int      // times 0: no end
	Share       float64
	From, Until time.Time
	Executed    bool
	begin       func(*Weather) link
}

// link is a fault in use. It responds itself, or calls next and may modify the
// result. It reports whether it applied to the request.
type link func(r *exchange.Request, next next) (a *exchange.Answer, met bool)

type next func(*exchange.Request) *exchange.Answer

func newFault(name string, begin func(*Weather) link) Fault {
	return Fault{name: name, Share: 1, begin: begin}
}

// String describes the fault for people.
func (f *Fault) String() string {
	text := f.name
	if len(f.Ops) > 0 {
		text += " for " + strings.Join(f.Ops, ", ")
	}
	if f.Skip > 0 {
		text += fmt.Sprintf(", but for the first %d", f.Skip)
	}
	if f.Times > 0 {
		text += fmt.Sprintf(", %d times", f.Times)
	}
	if f.Share < 1 {
		text += fmt.Sprintf(", %g %% of requests", 100*f.Share)
	}
	if !f.From.IsZero() {
		text += ", from " + f.From.UTC().Format(time.RFC3339)
	}
	if !f.Until.IsZero() {
		text += ", until " + f.Until.UTC().Format(time.RFC3339)
	}
	return text
}

// Response is a response set by a test: see circlecitest.Response.
type Response struct {
	Status   int
	Header   http.Header
	Body     string
	Latency  time.Duration
	CutAfter int64
	Broken   bool
	Executed bool
}

// Answer returns a fault that replaces the server's response.
func Answer(response Response) Fault {
	name := "answer " + strconv.Itoa(response.Status)
	return newFault(name, func(*Weather) link { return response.strike })
}

// ServerError returns a fault that responds with this status.
func ServerError(status int) Fault {
	f := Answer(Response{Status: status, Body: `{"message":"` + http.StatusText(status) + `"}`})
	f.name = "status " + strconv.Itoa(status)
	return f
}

// EdgeBlock returns a fault that responds with a 403 and an HTML page.
func EdgeBlock() Fault {
	f := Answer(Response{Status: http.StatusForbidden, Header: http.Header{"Content-Type": {"text/html"}}, Body: exchange.EdgePage})
	f.name = "blocked by the edge"
	return f
}

// BrokenConnection returns a fault that breaks the connection before the
// response.
func BrokenConnection() Fault {
	f := Answer(Response{Broken: true})
	f.name = "connection broken"
	return f
}

// TruncatedBody returns a fault that breaks the connection in the middle of the
// body.
func TruncatedBody() Fault {
	f := Answer(Response{Executed: true, CutAfter: exchange.CutHalf})
	f.name = "body truncated"
	return f
}

// Latency returns a fault that delays responses.
func Latency(d time.Duration) Fault {
	f := Answer(Response{Executed: true, Latency: d})
	f.name = "latency " + d.String()
	return f
}

// RateLimit returns a fault that refuses requests beyond n tokens, which refill
// within per.
func RateLimit(n int, per time.Duration) Fault {
	if n < 1 || per <= 0 {
		panic("circlecitest: RateLimit needs a positive number of requests and a positive time")
	}
	return newFault(fmt.Sprintf("rate limit of %d in %s", n, per), func(*Weather) link {
		buckets := map[string]*bucket{}
		return func(r *exchange.Request, next next) (*exchange.Answer, bool) {
			if r.Op == nil {
				return next(r), false
			}
			b := buckets[r.Op.Family()]
			if b == nil {
				b = &bucket{size: float64(n), rate: float64(n) / per.Seconds(), tokens: float64(n), stamp: time.Now()}
				buckets[r.Op.Family()] = b
			}
			if wait := b.take(time.Now()); wait > 0 {
				a := exchange.Text(http.StatusTooManyRequests, "text/plain; charset=utf-8", "Rate limited.")
				a.Header.Set("Retry-After", exchange.WholeSeconds(wait))
				b.announce(a)
				return a, true
			}
			a := next(r)
			b.announce(a)
			return a, false
		}
	})
}

// bucket is the token bucket of a limit.
type bucket struct {
	size, rate, tokens float64 // the rate is in tokens a second
	stamp              time.Time
}

// take takes a token, or returns how long it takes until one is available.
func (b *bucket) take(now time.Time) time.Duration {
	b.tokens = min(b.size, b.tokens+now.Sub(b.stamp).Seconds()*b.rate)
	b.stamp = now
	if b.tokens < 1 {
		return max(time.Duration((1-b.tokens)/b.rate*float64(time.Second)), 1)
	}
	b.tokens--
	return 0
}

func (b *bucket) announce(a *exchange.Answer) {
	untilFull := time.Duration((b.size - b.tokens) / b.rate * float64(time.Second))
	a.Announce(int(b.size), int(b.tokens), untilFull)
}

// StuckToken returns a fault that repeats the first page with the same token.
func StuckToken() Fault {
	return newFault("page token stuck", func(*Weather) link {
		return func(r *exchange.Request, next next) (*exchange.Answer, bool) {
			return firstPage(r, next, exchange.TokenOf("0"))
		}
	})
}

// RepeatedPage returns a fault that repeats the first page with new tokens.
func RepeatedPage() Fault {
	return newFault("page repeated", func(*Weather) link {
		count := 0
		return func(r *exchange.Request, next next) (*exchange.Answer, bool) {
			count++
			return firstPage(r, next, exchange.TokenOf("0."+strconv.Itoa(count)))
		}
	})
}

// firstPage responds with the first page of a list, whichever page was
// requested, and this token for the next page.
func firstPage(r *exchange.Request, next next, token string) (a *exchange.Answer, met bool) {
	first := *r
	first.Query = maps.Clone(r.Query)
	first.Query.Del(exchange.PageToken)
	a = next(&first)
	list, _ := a.Body.(form.Object)
	if items, _ := list["items"].([]any); len(items) == 0 {
		return a, false
	}
	list["next_page_token"] = token
	return a, true
}

// StorageRedirect returns a fault that redirects to a response at the storage
// host.
func StorageRedirect() Fault {
	return newFault("redirected to storage", func(s *Weather) link {
		return func(r *exchange.Request, next next) (*exchange.Answer, bool) {
			if r.Op == nil {
				return next(r), false
			}
			path := "/redirected/" + s.world.NewID().String()
			stored := next(r)
			stored.Encode()
			s.redirected = append(s.redirected, redirect{path, *stored})
			if n := len(s.redirected); n > maxRedirects {
				s.redirected = slices.Delete(s.redirected, 0, n-maxRedirects)
			}
			a := exchange.Text(http.StatusTemporaryRedirect, "text/html", "")
			if r.HTTP.Method == http.MethodGet {
				a.Status = http.StatusFound
			}
			a.Header.Set("Location", r.Host.Storage+path+"?signature=0123456789abcdef")
			return a, true
		}
	})
}

// ExpiredToken returns a fault that refuses the current token.
func ExpiredToken() Fault {
	return newFault("token expired", func(s *Weather) link {
		expired := s.world.Token
		return func(r *exchange.Request, next next) (*exchange.Answer, bool) {
			if r.Token() != expired {
				return next(r), false
			}
			late := *r
			late.Expired = true
			return next(&late), true
		}
	})
}

// strike applies a response.
func (p Response) strike(r *exchange.Request, next next) (*exchange.Answer, bool) {
	a := &exchange.Answer{Status: p.Status, Header: p.Header.Clone(), Body: p.Body}
	if p.Executed {
		own := next(r)
		if p.Status == 0 {
			own.Fault.Latency += p.Latency
			own.Fault.Broken = own.Fault.Broken || p.Broken
			if p.CutAfter != 0 {
				own.Fault.Cut = p.CutAfter
			}
			return own, true
		}
	}
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	if a.Header == nil {
		a.Header = http.Header{}
	}
	if a.Header.Get("Content-Type") == "" {
		a.Header.Set("Content-Type", "application/json;charset=utf-8")
	}
	a.Fault = exchange.Fault{Latency: p.Latency, Cut: p.CutAfter, Broken: p.Broken}
	return a, true
}

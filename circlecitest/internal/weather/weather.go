// Package weather applies faults between a client and the API.
package weather

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// redirect is a response that is available at the storage host. The last few
// are kept.
type redirect struct {
	path   string
	answer exchange.Answer
}

const maxRedirects = 100

// Stored returns the response for a request at the storage host, or nil if
// there is none.
func (w *Weather) Stored(r *exchange.Request) *exchange.Answer {
	if r.Host.Kind != exchange.StorageHost || len(w.redirected) == 0 {
		return nil
	}
	path := r.HTTP.URL.EscapedPath()
	for _, to := range w.redirected {
		if to.path != path {
			continue
		}
		if a := exchange.RefuseToken(r, path); a != nil {
			return a
		}
		a := to.answer // other faults may modify each copy
		a.Header = a.Header.Clone()
		return &a
	}
	return nil
}

// Weather is the set of faults.
type Weather struct {
	world      *world.World
	planned    map[string][]Response // by operation
	fronts     []*front
	count      uint64 // the number of fronts so far
	redirected []redirect
}

// New returns a weather without faults.
func New(w *world.World) *Weather { return &Weather{world: w, planned: map[string][]Response{}} }

// Reset removes all faults and the responses at the storage host.
func (w *Weather) Reset() {
	*w = Weather{world: w.world, planned: map[string][]Response{}}
}

// Add adds a fault.
func (w *Weather) Add(f Fault) {
	x := &front{Fault: f, link: f.begin(w)}
	x.rand = w.world.NewRand(world.StreamWeather + w.count)
	w.count++
	w.fronts = append(w.fronts, x)
}

// Plan sets a response for the next request of an operation.
func (w *Weather) Plan(op string, p Response) { w.planned[op] = append(w.planned[op], p) }

// Clear removes all faults.
func (w *Weather) Clear() { w.planned, w.fronts = map[string][]Response{}, nil }

// Texts returns descriptions of the faults for people.
func (w *Weather) Texts() (all []string) {
	for _, f := range w.fronts {
		if f.Times == 0 || f.met < f.Times {
			all = append(all, f.String())
		}
	}
	return all
}

// front is a fault of a server.
type front struct {
	Fault
	seen, met int // requests
	rand      *rand.Rand
	link      link
}

// Answer applies the planned responses and the faults to a request.
func (w *Weather) Answer(r *exchange.Request, fair next) *exchange.Answer {
	for _, key := range []string{r.Key(), exchange.AnyKey} {
		if planned := w.planned[key]; len(planned) > 0 {
			w.planned[key] = planned[1:]
			r.Meet("planned")
			a, _ := planned[0].strike(r, func(r *exchange.Request) *exchange.Answer { return w.pass(r, fair, 0) })
			return a
		}
	}
	return w.pass(r, fair, 0)
}

// pass applies the faults from this one on.
func (w *Weather) pass(r *exchange.Request, fair next, from int) *exchange.Answer {
	for i := from; i < len(w.fronts); i++ {
		f := w.fronts[i]
		if !f.isFor(r) || !f.isDue(w.world.Now()) {
			continue
		}
		next := func(r *exchange.Request) *exchange.Answer { return w.pass(r, fair, i+1) }
		if f.Executed {
			own := next(r)
			next = func(*exchange.Request) *exchange.Answer { return own }
		}
		a, met := f.link(r, next)
		if met {
			f.met++
			r.Meet(f.name)
		}
		return a
	}
	return fair(r)
}

func (f *front) isFor(r *exchange.Request) bool {
	return len(f.Ops) == 0 || slices.Contains(f.Ops, exchange.AnyKey) || slices.Contains(f.Ops, r.Key())
}

// isDue reports whether the fault's time, count and fraction select this
// request.
func (f *front) isDue(now time.Time) bool {
	if now.Before(f.From) || !f.Until.IsZero() && !now.Before(f.Until) || f.Times > 0 && f.met >= f.Times {
		return false
	}
	if f.seen++; f.seen <= f.Skip {
		return false
	}
	return f.Share >= 1 || f.rand.Float64() < f.Share
}

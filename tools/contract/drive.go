package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/internal/wire"
)

// driver calls the methods of a client with arguments of its own making.
type driver struct {
	src    *source
	client *circleci.Client
	wire   *memory
}

func newDriver(src *source) (*driver, error) {
	w := &memory{}
	client, err := circleci.NewClient("", circleci.WithHTTPClient(&http.Client{Transport: w}),
		circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1}), circleci.WithLimiter(nil))
	return &driver{src: src, client: client, wire: w}, err
}

// memory answers requests and keeps them.
type memory struct {
	status int
	answer []byte
	seen   []sent
}

// sent is a request.
type sent struct {
	query url.Values
	body  []byte // nil: none
}

func (m *memory) RoundTrip(r *http.Request) (*http.Response, error) {
	s := sent{query: r.URL.Query()}
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		s.body = data
	}
	m.seen = append(m.seen, s)
	return &http.Response{
		StatusCode: m.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(bytes.NewReader(m.answer)), ContentLength: int64(len(m.answer)),
	}, nil
}

// call calls a method, answers it, and returns its result as JSON; nil if it
// has none. slots are the places in its arguments.
func (d *driver) call(m *method, choices map[string]int, status int, answer []byte) (result any, slots map[string]int, err error) {
	d.wire.status, d.wire.answer, d.wire.seen = status, answer, nil
	f := newFiller(d.src, choices)
	fn := reflect.ValueOf(d.client).Elem().FieldByName(m.field).MethodByName(m.fn)
	args := make([]reflect.Value, m.typ.NumIn()-1) // the last are the options
	for i := range args {
		args[i] = f.value(m.typ.In(i), fmt.Sprint("arg", i))
	}
	out := fn.Call(args)
	if isPager(m.typ) {
		result, err = walk(out[0].MethodByName("Page"))
		return result, f.slots, err
	}
	if err, _ := out[len(out)-1].Interface().(error); err != nil {
		if errors.Is(err, circleci.ErrNotTriggered) {
			message := strings.TrimPrefix(err.Error(), circleci.ErrNotTriggered.Error()+": ")
			return map[string]any{"message": message}, f.slots, nil
		}
		return nil, f.slots, err
	}
	if len(out) == 1 {
		return nil, f.slots, nil
	}
	result, err = encoded(out[0].Interface())
	return result, f.slots, err
}

// walk fetches the first two pages of a list, and returns the first one as the
// API had it.
func walk(pages reflect.Value) (any, error) {
	background := reflect.ValueOf(fixed[pages.Type().In(0)])
	get := func(token string) (reflect.Value, error) {
		out := pages.Call([]reflect.Value{background, reflect.ValueOf(token)})
		err, _ := out[1].Interface().(error)
		return out[0], err
	}
	first, err := get("")
	if err != nil {
		return nil, err
	}
	page := first.Elem()
	items, err := encoded(page.FieldByName("Items").Interface())
	if err != nil {
		return nil, err
	}
	token := page.FieldByName("NextPageToken").String()
	if token != "" {
		if _, err := get(token); err != nil {
			return nil, err
		}
	}
	return map[string]any{
		"items": items, "next_page_token": token, "total_count": float64(page.FieldByName("TotalCount").Int()),
	}, nil
}

// encoded is what a value is as JSON.
func encoded(v any) (any, error) {
	data, err := wire.Marshal(v)
	if err != nil {
		return nil, err
	}
	var out any
	return out, json.Unmarshal(data, &out)
}

// variant is one way to call a method, with what was sent.
type variant struct {
	choices map[string]int
	sent    []sent
}

// variants calls a method in so many ways that each place in its arguments was
// filled in each way, and left out where the method takes that. What it always
// refuses is returned too; an error says that it has arguments of an unknown
// kind.
func (d *driver) variants(m *method, status int, answer []byte) (all []variant, refused []string, err error) {
	defer func() {
		if r := recover(); r != nil {
			unknown, ok := r.(unknownKind)
			if !ok {
				panic(r)
			}
			err = unknown
		}
	}()
	try := func(choices map[string]int) (slots map[string]int, ok bool) {
		_, slots, err := d.call(m, choices, status, answer)
		ok = !errors.Is(err, circleci.ErrInvalidArgument) && len(d.wire.seen) > 0
		if ok {
			all = append(all, variant{choices, d.wire.seen})
		}
		return slots, ok
	}
	known := map[string]*slot{}
	learn := func(slots map[string]int, via map[string]int) {
		for path, choices := range slots {
			if known[path] == nil {
				known[path] = &slot{via: via}
			}
			known[path].choices = max(known[path].choices, choices)
		}
	}
	slots, _ := try(nil)
	learn(slots, nil)
	done := map[string]bool{}
	for more := true; more; {
		more = false
		for _, path := range slices.Sorted(maps.Keys(known)) {
			for choice := leftOut; choice < known[path].choices; choice++ {
				focus := fmt.Sprint(path, " ", choice)
				if done[focus] {
					continue
				}
				done[focus], more = true, true
				choices, slots, ok := makeRoom(path, choice, known, try)
				if !ok && choice != leftOut {
					refused = append(refused, focus)
				}
				learn(slots, choices)
			}
		}
	}
	none := map[string]int{}
	for path := range known {
		none[path] = leftOut
	}
	try(none)
	return all, refused, nil
}

// slot is a place in a method's arguments.
type slot struct {
	choices int            // how many there are
	via     map[string]int // the choices elsewhere that led to it
}

// mostLeftOut is how many other places are left out, at most, for a choice that
// excludes them.
const mostLeftOut = 4

// makeRoom tries a choice for one place, with as few of the others left out as
// will do, or with another choice in one of them. It returns what it has tried
// last.
func makeRoom(path string, choice int, known map[string]*slot, try func(map[string]int) (map[string]int, bool)) (choices, slots map[string]int, ok bool) {
	attempt := func(others map[string]int) bool {
		choices = map[string]int{}
		maps.Copy(choices, known[path].via)
		maps.Copy(choices, others)
		choices[path] = choice
		slots, ok = try(choices)
		return ok
	}
	var others []string
	for _, other := range slices.Sorted(maps.Keys(known)) {
		if !strings.HasPrefix(path+".", other+".") {
			others = append(others, other)
		}
	}
	for n := 0; n <= min(mostLeftOut, len(others)); n++ {
		for subset := range subsets(others, n) {
			left := map[string]int{}
			for _, other := range subset {
				left[other] = leftOut
			}
			if attempt(left) {
				return choices, slots, true
			}
		}
		if n > 0 {
			continue
		}
		for _, other := range others {
			for another := 1; another < known[other].choices; another++ {
				if attempt(map[string]int{other: another}) {
					return choices, slots, true
				}
			}
		}
	}
	return choices, slots, false
}

// subsets yields all subsets of n elements.
func subsets(of []string, n int) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		var pick func(from int, taken []string) bool
		pick = func(from int, taken []string) bool {
			if len(taken) == n {
				return yield(taken)
			}
			for i := from; i < len(of); i++ {
				if !pick(i+1, append(slices.Clone(taken), of[i])) {
					return false
				}
			}
			return true
		}
		pick(0, nil)
	}
}

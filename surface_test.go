package circleci_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

func TestFirst(t *testing.T) {
	wire := replies(pageOf("1", 7, 8), pageOf("", 9))
	first, err := wire.client(t).Pipelines.List(nil).First(t.Context())
	require.NoError(t, err)
	assert.Equal(t, int64(7), first.Number)
	assert.Len(t, wire.requests(), 1)

	_, err = replies(pageOf("1"), pageOf("")).client(t).Pipelines.List(nil).First(t.Context())
	require.ErrorIs(t, err, circleci.ErrNotFound)
	require.EqualError(t, err, "circleci: GET /pipeline: not found: the list is empty")

	_, err = replies(answers(403, "{}")).client(t).Pipelines.List(nil).First(t.Context())
	require.ErrorIs(t, err, circleci.ErrForbidden)
}

func TestTakeRequestsNoMoreThanItNeeds(t *testing.T) {
	for n, want := range map[int]struct{ items, requests int }{
		-1: {0, 0}, 0: {0, 0}, 1: {1, 1}, 2: {2, 1}, 3: {3, 2}, 4: {4, 2}, 5: {5, 3}, 99: {5, 3},
	} {
		for name, walk := range walks {
			wire := listed()
			pager := walk(wire.client(t).Pipelines.List(nil))
			numbers, err := numbersOf(t.Context(), pager.Take(n))
			require.NoError(t, err)
			assert.Len(t, numbers, want.items, "%s %d", name, n)
			assert.Len(t, wire.requests(), want.requests, "%s %d", name, n)
			numbers, err = numbersOf(t.Context(), pager)
			require.NoError(t, err)
			assert.Len(t, numbers, 5, "Take changes a copy")
		}
	}
	numbers, err := numbersOf(t.Context(), listed().client(t).Pipelines.List(nil).Take(2).Take(4))
	require.NoError(t, err)
	assert.Len(t, numbers, 2)
}

func TestFromResumesAnIteration(t *testing.T) {
	wire := listed()
	pager := wire.client(t).Pipelines.List(nil)
	numbers, err := numbersOf(t.Context(), pager.From("1"))
	require.NoError(t, err)
	assert.Equal(t, []int64{3, 4, 5}, numbers)
	assert.Equal(t, []string{"1", "2"}, wire.tokensOf(t, "page-token"))
	numbers, err = numbersOf(t.Context(), pager)
	require.NoError(t, err)
	assert.Len(t, numbers, 5, "From changes a copy")

	_, err = replies(pageOf("1", 1)).client(t).Pipelines.List(nil).From("1").Collect(t.Context())
	require.ErrorIs(t, err, circleci.ErrPageLoop, "the first page's own token is used")
}

func TestNewPager(t *testing.T) {
	type repository struct {
		ID   uuid.UUID `json:"id"`
		Name string    `json:"name"`
	}
	page := func(token string, ids ...int) reply {
		var items []string
		for _, n := range ids {
			items = append(items, fmt.Sprintf(`{"id":%q,"name":"r%d"}`, idOf(n), n))
		}
		return answers(200, fmt.Sprintf(`{"repositories":[%s],"next":%q}`, strings.Join(items, ","), token))
	}
	wire := replies(page("2", 1, 2), page("3", 2, 3), page("", 4))
	client := wire.client(t)
	pager := circleci.NewPager(func(ctx context.Context, token string) (*circleci.Page[repository], error) {
		var body struct {
			Repositories []repository
			Next         string
		}
		query := url.Values{"limit": {"2"}}
		if token != "" {
			query.Set("page", token)
		}
		err := client.Do(ctx, circleci.Request{Route: "/orgs/{org}/repositories", Params: []any{"a/b"}, Query: query}, &body)
		return &circleci.Page[repository]{Items: body.Repositories, NextPageToken: body.Next}, err
	})
	all, err := pager.Collect(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []repository{{idOf(1), "r1"}, {idOf(2), "r2"}, {idOf(3), "r3"}, {idOf(4), "r4"}}, all, "an item with an ID is yielded once")
	assert.Equal(t, api+"/orgs/a%2Fb/repositories?limit=2", wire.requests()[0].URL)
	assert.Equal(t, []string{"", "2", "3"}, wire.tokensOf(t, "page"))

	failed := errors.New("failed")
	_, err = circleci.NewPager(func(context.Context, string) (*circleci.Page[int], error) { return nil, failed }).Collect(t.Context())
	require.ErrorIs(t, err, failed)
	none, err := circleci.NewPager(func(context.Context, string) (*circleci.Page[int], error) { return nil, nil }).Collect(t.Context())
	require.NoError(t, err)
	assert.Empty(t, none)
	numbers, err := circleci.NewPager(func(_ context.Context, token string) (*circleci.Page[int], error) {
		return &circleci.Page[int]{Items: []int{1, 1}, NextPageToken: token + "x"}, nil
	}).Collect(t.Context())
	require.ErrorIs(t, err, circleci.ErrPageLoop)
	assert.Len(t, numbers, 2*101, "items without identity are never left out, and pages without news do not go on forever")
}

// Nothing of an attempt that broke off is captured.
func TestCaptureBodyOfTheLastAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const body = `{"id":"00000001-0000-0000-0000-000000000000"}`
		broken := answers(200, body[:9])
		broken.tail = iotest.ErrReader(io.ErrUnexpectedEOF)
		var raw []byte
		_, err := replies(broken, answers(200, body)).client(t, retrying()).Contexts.Get(t.Context(), someID, circleci.CaptureBody(&raw))
		require.NoError(t, err)
		assert.Equal(t, body, string(raw))
	})
}

func TestCaptureBody(t *testing.T) {
	const body = ` {"id":"` + "00000001-0000-0000-0000-000000000000" + `","new_property":[1, 2]}` + "\n"
	wire := replies(answers(200, body), answers(404, `{"message":"no"}`), answers(200, `{"message":"Deleted."}`), answers(204, ""), answers(200, "{"), breaks(errNet))
	client := wire.client(t)
	var raw []byte
	got, err := client.Contexts.Get(t.Context(), someID, circleci.CaptureBody(&raw))
	require.NoError(t, err)
	assert.NotEqual(t, uuid.Nil, got.ID)
	assert.Equal(t, body, string(raw))

	_, err = client.Contexts.Get(t.Context(), someID, circleci.CaptureBody(&raw))
	require.ErrorIs(t, err, circleci.ErrNotFound)
	assert.Equal(t, `{"message":"no"}`, string(raw))

	require.NoError(t, client.Contexts.Delete(t.Context(), someID, circleci.CaptureBody(&raw)))
	assert.Equal(t, `{"message":"Deleted."}`, string(raw))
	require.NoError(t, client.Contexts.Delete(t.Context(), someID, circleci.CaptureBody(&raw)))
	assert.Empty(t, raw)

	_, err = client.Contexts.Get(t.Context(), someID, circleci.CaptureBody(&raw))
	require.ErrorAs(t, err, new(*circleci.DecodeError))
	assert.Equal(t, "{", string(raw))
	_, err = client.Contexts.Get(t.Context(), someID, circleci.CaptureBody(&raw), circleci.NoRetry())
	require.ErrorIs(t, err, errNet)
	assert.Empty(t, raw)

	err = client.Do(t.Context(), circleci.Request{Route: "/x"}, &strings.Builder{}, circleci.CaptureBody(&raw))
	require.ErrorIs(t, err, circleci.ErrInvalidArgument)
}

func TestCaptureBodyOnAPagerHoldsTheLastPage(t *testing.T) {
	for name, walk := range walks {
		synctest.Test(t, func(t *testing.T) {
			var raw []byte
			n := 0
			for page, err := range walk(listed().client(t).Pipelines.List(nil, circleci.CaptureBody(&raw))).Pages(t.Context()) {
				synctest.Wait() // what is fetched ahead is there
				require.NoError(t, err, name)
				n++
				assert.Contains(t, string(raw), fmt.Sprintf(`"number":%d`, page.Items[0].Number), "%s: the page in hand", name)
			}
			assert.Equal(t, 3, n)
		})
	}
}

func TestBearerAuthForOneCall(t *testing.T) {
	wire := replies(answers(200, `{}`), answers(200, `{}`))
	client := wire.client(t)
	_, err := client.Users.Me(t.Context(), circleci.BearerAuth())
	require.NoError(t, err)
	_, err = client.Users.Me(t.Context())
	require.NoError(t, err)
	sent := wire.requests()
	assert.Equal(t, "Bearer "+canary, sent[0].Header.Get("Authorization"))
	assert.Empty(t, sent[0].Header.Get("Circle-Token"))
	assert.Equal(t, canary, sent[1].Header.Get("Circle-Token"))
	assert.Empty(t, sent[1].Header.Get("Authorization"))
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, opt := range map[string]circleci.RequestOption{
		"timeout":         circleci.Timeout(-1),
		"CaptureResponse": circleci.CaptureResponse(nil),
		"CaptureBody":     circleci.CaptureBody(nil),
		"query":           circleci.Query("", "x"),
	} {
		wire := replies()
		_, err := wire.client(t).Users.Me(t.Context(), opt)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, name)
		assert.Equal(t, name, requireError[*circleci.ArgumentError](t, err).Name)
		assert.Empty(t, wire.requests())
	}
	wire := replies()
	client := wire.client(t)
	_, err := client.Users.Me(nil) //nolint:staticcheck // what it is about
	require.ErrorIs(t, err, circleci.ErrInvalidArgument)
	for name, walk := range walks {
		_, err = walk(client.Pipelines.List(nil)).Collect(nil) //nolint:staticcheck // what it is about
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, name)
	}
	assert.Empty(t, wire.requests())
}

func TestACallHookSeesACallAsAWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		var (
			events []string
			infos  []circleci.CallInfo
		)
		hook := func(name string) circleci.CallHook {
			return func(ctx context.Context, op circleci.Operation) (context.Context, func(circleci.CallInfo)) {
				outer, _ := ctx.Value(key{}).(string)
				events = append(events, name+" after "+outer)
				return context.WithValue(ctx, key{}, name), func(i circleci.CallInfo) {
					events = append(events, name+" done")
					infos = append(infos, i)
				}
			}
		}
		silent := func(context.Context, circleci.Operation) (context.Context, func(circleci.CallInfo)) { return nil, nil }
		wire := replies(answers(502, ""), answers(429, "", "Retry-After", "10"), answers(200, `{"name":"x"}`, "X-Request-Id", "r"), answers(404, "{}"))
		var seen []any
		client := wire.client(t, retrying(), circleci.WithCallHook(hook("a")), circleci.WithCallHook(nil), circleci.WithCallHook(silent),
			circleci.WithCallHook(hook("b")), circleci.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return roundTrip(func(req *http.Request) (*http.Response, error) {
					seen = append(seen, req.Context().Value(key{}))
					return next.RoundTrip(req)
				})
			}))
		start := time.Now()
		_, err := client.Contexts.Get(t.Context(), someID)
		require.NoError(t, err)
		assert.Equal(t, []string{"a after ", "b after a", "b done", "a done"}, events, "once for all attempts, the first is the outermost")
		assert.Equal(t, []any{"b", "b", "b"}, seen, "the call continues with the hooks' context")
		info := infos[0]
		assert.Equal(t, "GET", info.Operation.Method)
		assert.Equal(t, "/context/{context_id}", info.Operation.Route)
		assert.Equal(t, 3, info.Response.Attempts)
		assert.Equal(t, 200, info.Response.StatusCode)
		assert.Equal(t, "r", info.Response.RequestID)
		assert.NoError(t, info.Err)
		assert.Equal(t, time.Since(start), info.Duration)
		assert.Equal(t, info.Duration, info.Waited, "answers take no time here")

		_, err = client.Contexts.Get(t.Context(), someID)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		assert.Equal(t, err, infos[len(infos)-1].Err)
	})
}

func TestAnArgumentStaysOneSegmentWhateverTheRouteIs(t *testing.T) {
	for route, want := range map[string]string{
		"/a b/{x}/c":   "/a%20b/p%2Fq/c",
		"/ü/{x}":       "/%C3%BC/p%2Fq",
		"/{x}/d e":     "/p%2Fq/d%20e",
		"/a%20b/{x}":   "/a%20b/p%2Fq",
		`/a"<>^|/{x}`:  "/a%22%3C%3E%5E%7C/p%2Fq",
		"/a:b@c;d/{x}": "/a:b@c;d/p%2Fq",
	} {
		wire := replies(answers(200, `{}`))
		require.NoError(t, wire.client(t).Do(t.Context(), circleci.Request{Route: route, Params: []any{"p/q"}}, nil), route)
		assert.Equal(t, api+want, wire.only(t).URL)
	}
}

func TestADeletionWhoseResultIsLostIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := replies(answers(503, ""), answers(404, `{"message":"not found"}`), answers(503, ""), answers(404, ""), answers(503, ""), answers(404, "{}"))
		client := wire.client(t, retrying())
		var out struct{ Message string }
		err := client.Do(t.Context(), circleci.Request{Method: http.MethodDelete, Route: "/x"}, &out)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		assert.ErrorContains(t, err, "may have deleted it")
		assert.Zero(t, out)
		require.NoError(t, client.Do(t.Context(), circleci.Request{Method: http.MethodDelete, Route: "/x"}, nil), "without a result it has succeeded")
		err = client.Do(t.Context(), circleci.Request{Method: http.MethodDelete, Route: "/x"}, new(bytes.Buffer))
		require.ErrorIs(t, err, circleci.ErrNotFound)
		assert.ErrorContains(t, err, "may have deleted it")
	})
}

func TestErrorsSayWhatToTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trigger := func(r reply, in circleci.TriggerPipelineRequest) error {
			_, err := always(r).client(t).Pipelines.Trigger(t.Context(), slug, in)
			return err
		}
		with := circleci.TriggerPipelineRequest{Parameters: circleci.Parameters{"typo": "x"}}
		notFound := answers(404, `{"message":"Project not found"}`)
		assert.ErrorContains(t, trigger(notFound, with), "declare one of the parameters")
		assert.NotContains(t, trigger(notFound, circleci.TriggerPipelineRequest{}).Error(), "parameter")

		const doubt = "it may have taken effect: check before you repeat it"
		assert.ErrorContains(t, trigger(answers(502, ""), with), doubt)
		assert.ErrorContains(t, trigger(breaks(errNet), with), doubt)
		_, err := always(breaks(errNet)).client(t).Users.Me(t.Context())
		assert.NotContains(t, err.Error(), doubt)
		_, err = always(answers(502, "")).client(t).Users.Me(t.Context())
		assert.NotContains(t, err.Error(), doubt)

		_, err = always(breaks(x509.UnknownAuthorityError{})).client(t).Users.Me(t.Context())
		assert.ErrorContains(t, err, "WithRootCAs")

		_, err = replies().client(t).Organizations.Get(t.Context(), circleci.OrgRef{})
		assert.ErrorContains(t, err, "is missing")

		err = trigger(answers(400, `{"message":"\u001b[31mbad\u001b[0m\nconfig\u202e"}`), with)
		assert.ErrorContains(t, err, "400 Bad Request: bad config", "no escape sequence reaches a terminal")
	})
}

// FuzzWalk iterates over a list whose server shifts, repeats and empties pages,
// and renames tokens.
func FuzzWalk(f *testing.F) {
	f.Add(uint8(20), uint8(3), []byte{0, 1, 2, 3, 4, 5, 6, 7})
	f.Add(uint8(9), uint8(2), []byte{1, 1, 1, 1, 2, 2, 3})
	f.Add(uint8(1), uint8(1), []byte{})
	f.Fuzz(func(t *testing.T, total, size uint8, moves []byte) {
		size = max(size%10, 1)
		if len(moves) > 60 {
			return
		}
		first, requests := 1000, 0 // the newest item; items are numbered downward
		fixed := min(int(total), 200)
		wire := &fakeWire{answer: func(req *http.Request, n int) reply {
			requests++
			token := req.URL.Query().Get("page-token")
			_, at, _ := strings.Cut(token, ".")
			offset, _ := strconv.Atoi(at)
			move := byte(0)
			if n <= len(moves) {
				move = moves[n-1] % 6
			}
			name := func(offset int) string { return fmt.Sprintf("t%d.%d", n, offset) } // always a new name
			switch move {
			case 1: // a new item shifts all others
				first++
			case 2: // an empty page, and nothing lost
				return pageOf(name(offset))
			case 3: // the same page again under a new name
				return pageOf(name(offset), numbersFrom(first, offset, int(size), fixed)...)
			case 4: // a whole page of new items
				first += int(size)
			case 5: // a token of before
				if offset > 0 {
					return pageOf(token, numbersFrom(first, offset, int(size), fixed)...)
				}
			}
			numbers := numbersFrom(first, offset, int(size), fixed)
			if next := offset + len(numbers); next < first-1000+fixed {
				return pageOf(name(next), numbers...)
			}
			return pageOf("", numbers...)
		}}
		numbers, err := numbersOf(t.Context(), wire.client(t).Pipelines.List(nil))
		seen := map[int64]bool{}
		for _, n := range numbers {
			assert.False(t, seen[n], "an item comes twice")
			seen[n] = true
		}
		assert.LessOrEqual(t, requests, 1000, "an iteration that does not end")
		if err != nil {
			require.ErrorIs(t, err, circleci.ErrPageLoop)
			return
		}
		for n := range fixed { // those that were there from the beginning
			assert.True(t, seen[int64(1000-n)], "item %d of %d is lost", n, fixed)
		}
	})
}

// numbersFrom are the numbers on a page of a list of which the newest is first.
func numbersFrom(first, offset, size, fixed int) (numbers []int) {
	for n := first - offset; n > first-offset-size && n > 1000-fixed; n-- {
		numbers = append(numbers, n)
	}
	return numbers
}

func TestACreationNeedsAnID(t *testing.T) {
	for _, body := range []string{`{"id":"odd","number":7}`, `{"number":7}`, `{"id":null}`, `{"id":"00000000-0000-0000-0000-000000000000"}`} {
		wire := replies(answers(201, body))
		_, err := wire.client(t, retrying()).Pipelines.Trigger(t.Context(), slug, circleci.TriggerPipelineRequest{})
		failed := requireError[*circleci.DecodeError](t, err)
		assert.ErrorContains(t, err, "no valid ID")
		assert.Equal(t, body, string(failed.Body), "to look at")
		assert.Len(t, wire.requests(), 1, "it is not repeated")
	}
	got, err := replies(answers(200, `{"id":"odd","number":7}`)).client(t).Pipelines.Get(t.Context(), someID)
	require.NoError(t, err)
	assert.Equal(t, int64(7), got.Number, "an odd ID costs only itself")
}

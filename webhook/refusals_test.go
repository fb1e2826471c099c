package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/webhook"
)

// Each refused request is reported, with a text that says why.
func TestTheErrorHandlerIsToldOfEachRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []error
		c := &counter{do: func(ctx context.Context, _ int) error {
			<-ctx.Done()
			time.Sleep(time.Minute)
			return nil
		}}
		h := webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithMaxBody(int64(len(workflowBody))), webhook.WithTimeout(time.Second),
			webhook.WithErrorHandler(func(_ *http.Request, err error) { told = append(told, err) }))
		request := func(method string, body io.Reader) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, "/", body))
			return w
		}
		start := time.Now()
		for _, step := range []struct {
			status int
			want   string
			do     func() *httptest.ResponseRecorder
		}{
			{http.StatusMethodNotAllowed, "the method is GET, not POST", func() *httptest.ResponseRecorder { return request(http.MethodGet, http.NoBody) }},
			{http.StatusBadRequest, "read the body: reset", func() *httptest.ResponseRecorder { return request(http.MethodPost, errReader{}) }},
			{
				http.StatusRequestEntityTooLarge, fmt.Sprintf("larger than %d bytes", len(workflowBody)),
				func() *httptest.ResponseRecorder { return post(h, workflowBody+" ") },
			},
			{http.StatusUnauthorized, "no v1 signature", func() *httptest.ResponseRecorder { return request(http.MethodPost, strings.NewReader("{}")) }},
			{http.StatusBadRequest, "the body is not an event", func() *httptest.ResponseRecorder { return post(h, "[]") }},
			{http.StatusServiceUnavailable, "not handled within 1s", func() *httptest.ResponseRecorder { return post(h, workflowBody) }},
			{http.StatusServiceUnavailable, "still being handled", func() *httptest.ResponseRecorder { return post(h, workflowBody) }},
		} {
			told = nil
			w := step.do()
			assert.Equal(t, step.status, w.Code, step.want)
			assert.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
			assert.Equal(t, http.StatusText(step.status)+"\n", w.Body.String(), "the sender is not told why")
			require.Len(t, told, 1, step.want)
			assert.ErrorContains(t, told[0], step.want)
		}
		assert.Equal(t, time.Second, time.Since(start), "the deadline is the one that was set")
		time.Sleep(time.Minute)
		synctest.Wait()
		told = nil
		assert.Equal(t, http.StatusOK, post(h, workflowBody).Code)
		assert.Empty(t, told)
	})
}

// The smallest values of the options are not taken for "not set".
func TestTheSmallestOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{do: func(ctx context.Context, _ int) error { <-ctx.Done(); return nil }}
		h := webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithMaxBody(1))
		assert.Equal(t, http.StatusRequestEntityTooLarge, post(h, "{}").Code)
		start := time.Now()
		h = webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithTimeout(1))
		post(h, workflowBody)
		assert.Equal(t, time.Duration(1), time.Since(start))
		synctest.Wait()
	})
}

// Contexts that nobody needs any more are canceled, so that what waits for them ends.
func TestContextsEndWithTheRequest(t *testing.T) {
	var seen []context.Context
	keep := func(ctx context.Context) error {
		require.NoError(t, ctx.Err())
		seen = append(seen, ctx)
		return nil
	}
	state := webhook.New
	d := &odd{
		begin: func(ctx context.Context) (webhook.State, error) { return state, keep(ctx) },
		end:   keep,
	}
	h := webhook.Handler([]circleci.Secret{secret}, func(ctx context.Context, _ webhook.Event) error { return keep(ctx) }, webhook.WithDeduplicator(d))
	assert.Equal(t, http.StatusOK, post(h, workflowBody).Code)
	state = webhook.Done
	assert.Equal(t, http.StatusOK, post(h, workflowBody).Code)
	require.Len(t, seen, 4, "Begin, the function, End, and Begin of the second delivery")
	for _, ctx := range seen {
		assert.ErrorIs(t, ctx.Err(), context.Canceled)
	}
}

// A deduplicator of one's own gets a context of its own for End, because the
// function may have used up the deadline.
func TestEndHasADeadlineOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left time.Duration
		var state error
		d := &odd{end: func(ctx context.Context) error {
			deadline, _ := ctx.Deadline()
			left, state = time.Until(deadline), ctx.Err()
			return nil
		}}
		c := &counter{do: func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }}
		post(webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithDeduplicator(d)), workflowBody)
		synctest.Wait()
		assert.NoError(t, state)
		assert.Equal(t, 8*time.Second, left)
	})
}

// known returns which of the events a memory has as handled.
func known(t *testing.T, m *webhook.Memory, ids ...string) string {
	t.Helper()
	var known strings.Builder
	for _, id := range ids {
		state, err := m.Begin(t.Context(), id)
		require.NoError(t, err)
		if state == webhook.Done {
			known.WriteString(id)
			continue
		}
		require.NoError(t, m.End(t.Context(), id, false))
	}
	return known.String()
}

func TestAMemoryKeepsTheLastEvents(t *testing.T) {
	letters := strings.Split("abcdefgh", "")
	for most, want := range map[int]string{1: "h", 2: "gh", 3: "fgh", 8: "abcdefgh", 9: "abcdefgh"} {
		m := webhook.NewMemory(most)
		for i, id := range letters {
			require.NoError(t, m.End(t.Context(), id, true))
			assert.Equal(t, strings.Join(letters[max(0, i+1-most):i+1], ""), known(t, m, letters...), "a memory of %d", most)
		}
		assert.Equal(t, want, known(t, m, letters...))
	}
	m := webhook.NewMemory(0)
	for i := range 10_001 {
		require.NoError(t, m.End(t.Context(), strconv.Itoa(i), true))
	}
	assert.Equal(t, "1", known(t, m, "0", "1"), "the default is 10,000 events")
}

func TestAHandlerRemembersMoreThanOneEvent(t *testing.T) {
	c := &counter{}
	h := webhook.Handler([]circleci.Secret{secret}, c.handle)
	for range 2 {
		for i := range 100 {
			require.Equal(t, http.StatusOK, post(h, fmt.Sprintf(`{"id":"%d"}`, i)).Code)
		}
	}
	assert.Equal(t, 100, c.calls)
}

// The type decides which fields an event has, wherever it is in the body.
func TestTheTypeCanComeLast(t *testing.T) {
	e, err := webhook.Parse([]byte(`{"job":"none","workflow":{"name":"build"},"id":"x","type":"workflow-completed"}`))
	require.NoError(t, err)
	w, ok := e.(*webhook.WorkflowCompleted)
	require.True(t, ok, "%T", e)
	assert.Equal(t, "build", w.Workflow.Name)
	assert.Equal(t, "x", w.ID)
}

// An event does not have fields of the one that was parsed before.
func TestEventsDoNotMix(t *testing.T) {
	for range 100 {
		_, err := webhook.Parse([]byte(workflowBody))
		require.NoError(t, err)
		e, err := webhook.Parse([]byte(`{"type":"job-completed"}`))
		require.NoError(t, err)
		j, ok := e.(*webhook.JobCompleted)
		require.True(t, ok)
		j.Raw = nil
		assert.Equal(t, &webhook.JobCompleted{Common: webhook.Common{Type: "job-completed"}}, j)
	}
}

// A body is read whole, whatever pieces it arrives in and whatever its length
// is said to be.
func TestBodiesInPieces(t *testing.T) {
	for _, size := range []int{2, 511, 512, 513, 4096, 64<<10 - 1, 64 << 10, 64<<10 + 1, 1 << 20} {
		body := "{}" + strings.Repeat(" ", size-2)
		for _, announced := range []int64{-1, 0, int64(size), 1 << 40} {
			var got []byte
			h := webhook.Handler(nil, func(_ context.Context, e webhook.Event) error { got = e.About().Raw; return nil }, webhook.AllowUnsigned())
			r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader(body[:1]), strings.NewReader(body[1:])))
			r.ContentLength = announced
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, http.StatusOK, w.Code, "%d bytes, announced as %d", size, announced)
			require.Equal(t, body, string(got))
		}
	}
}

// An error of the function within the deadline is reported, and the event is
// handled again.
func TestAFunctionThatFailsIsCalledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		c := &counter{do: func(context.Context, int) error { time.Sleep(time.Second); return down }}
		var told error
		h := webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithErrorHandler(func(_ *http.Request, err error) { told = err }))
		for range 2 {
			assert.Equal(t, http.StatusInternalServerError, post(h, workflowBody).Code)
			assert.ErrorIs(t, told, down)
		}
		assert.Equal(t, 2, c.calls)
	})
}

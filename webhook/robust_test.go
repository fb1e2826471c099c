package webhook_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/webhook"
)

func TestAFunctionThatExitsIsCalledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{do: func(_ context.Context, call int) error {
			if call == 1 {
				runtime.Goexit()
			}
			return nil
		}}
		var told error
		h := webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithErrorHandler(func(_ *http.Request, err error) { told = err }))
		start := time.Now()
		assert.Equal(t, http.StatusInternalServerError, post(h, workflowBody).Code)
		assert.ErrorContains(t, told, "runtime.Goexit")
		assert.Zero(t, time.Since(start), "the answer does not wait for the deadline")
		assert.Equal(t, http.StatusOK, post(h, workflowBody).Code)
		assert.Equal(t, 2, c.calls)
	})
}

// odd is a deduplicator whose methods do what the functions do.
type odd struct {
	begin func(context.Context) (webhook.State, error)
	end   func(context.Context) error
	ids   []string
}

func (o *odd) Begin(ctx context.Context, id string) (webhook.State, error) {
	o.ids = append(o.ids, id)
	if o.begin == nil {
		return webhook.New, nil
	}
	return o.begin(ctx)
}

func (o *odd) End(ctx context.Context, _ string, _ bool) error {
	if o.end == nil {
		return nil
	}
	return o.end(ctx)
}

func TestADeduplicatorThatPanics(t *testing.T) {
	c := &counter{}
	var told error
	serve := func(d webhook.Deduplicator) int {
		return post(webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithDeduplicator(d),
			webhook.WithErrorHandler(func(_ *http.Request, err error) { told = err })), workflowBody).Code
	}
	assert.Equal(t, http.StatusServiceUnavailable, serve(&odd{begin: func(context.Context) (webhook.State, error) { panic("no pool") }}))
	assert.ErrorContains(t, told, "no pool")
	assert.Zero(t, c.calls)
	assert.Equal(t, http.StatusInternalServerError, serve(&odd{end: func(context.Context) error { panic("no pool") }}))
	assert.ErrorContains(t, told, "no pool")
	assert.Equal(t, 1, c.calls)
}

func TestADeduplicatorThatHangsHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		c := &counter{}
		h := webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithDeduplicator(&odd{
			begin: func(ctx context.Context) (webhook.State, error) { return webhook.New, hang(ctx) },
		}))
		start := time.Now()
		assert.Equal(t, http.StatusServiceUnavailable, post(h, workflowBody).Code)
		assert.Equal(t, 8*time.Second, time.Since(start))
		h = webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithDeduplicator(&odd{end: hang}))
		assert.Contains(t, []int{http.StatusInternalServerError, http.StatusServiceUnavailable}, post(h, workflowBody).Code)
		assert.Equal(t, 16*time.Second, time.Since(start))
		synctest.Wait()
	})
}

func TestLongIDsAreKeptAsHashes(t *testing.T) {
	body := func(id string) string { return `{"type":"ping","id":"` + id + `"}` }
	d := &odd{}
	c := &counter{}
	h := webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithDeduplicator(d))
	for _, id := range []string{strings.Repeat("a", 128), strings.Repeat("a", 129), strings.Repeat("a", 1<<19)} {
		require.Equal(t, http.StatusOK, post(h, body(id)).Code)
	}
	require.Len(t, d.ids, 3)
	assert.Equal(t, strings.Repeat("a", 128), d.ids[0])
	assert.Len(t, d.ids[1], 71)
	assert.Len(t, d.ids[2], 71)
	assert.NotEqual(t, d.ids[1], d.ids[2])

	h = webhook.Handler([]circleci.Secret{secret}, c.handle)
	for range 2 {
		require.Equal(t, http.StatusOK, post(h, body(strings.Repeat("b", 1<<19))).Code)
	}
	assert.Equal(t, 4, c.calls, "a long ID deduplicates as well")
}

func TestOptionsThatAreNilOrZeroSelectTheDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{do: func(ctx context.Context, _ int) error {
			deadline, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Equal(t, 8*time.Second, time.Until(deadline))
			return nil
		}}
		h := webhook.Handler([]circleci.Secret{secret}, c.handle, nil, webhook.WithDeduplicator(nil), webhook.WithErrorHandler(nil),
			webhook.WithTimeout(0), webhook.WithMaxBody(-1))
		assert.Equal(t, http.StatusOK, post(h, workflowBody).Code)
		assert.Equal(t, http.StatusOK, post(h, workflowBody).Code)
		assert.Equal(t, 1, c.calls)
		assert.Equal(t, http.StatusRequestEntityTooLarge, post(h, strings.Repeat(" ", 1<<20)+workflowBody).Code)
	})
}

// An event of a type that this package does not know can have anything under
// the names that it knows from others.
func TestParseUnknownEventsWithOtherFields(t *testing.T) {
	e, err := webhook.Parse([]byte(`{"id":"x","type":"deploy-completed","workflow":"build","job":[1],"project":{"slug":"github/acme/web"}}`))
	require.NoError(t, err)
	unknown, ok := e.(*webhook.Unknown)
	require.True(t, ok)
	assert.Equal(t, "x", unknown.ID)
	assert.Equal(t, circleci.ProjectSlug("gh/acme/web"), unknown.Project.Slug)
	e, err = webhook.Parse([]byte(`{"id":"x","type":"workflow-completed","job":"none"}`))
	require.NoError(t, err, "a workflow event has no job")
	assert.Equal(t, "workflow-completed", e.About().Type)
}

func TestParseKeepsItsOwnCopyOfTheBody(t *testing.T) {
	body := []byte(workflowBody)
	e, err := webhook.Parse(body)
	require.NoError(t, err)
	clear(body)
	assert.Equal(t, workflowBody, string(e.About().Raw))
}

// The 17th signature is not looked at, so a header cannot make the check slow.
func TestSixteenSignaturesAreChecked(t *testing.T) {
	body := []byte("x")
	wrong := "v1=" + strings.Repeat("0", 64) + ","
	valid := webhook.Sign(body, secret)
	assert.NoError(t, webhook.Verify(body, strings.Repeat(wrong, 15)+valid, secret))
	assert.ErrorIs(t, webhook.Verify(body, strings.Repeat(wrong, 16)+valid, secret), webhook.ErrBadSignature)
	assert.NoError(t, webhook.Verify(body, strings.Repeat("v2=1,v1=short,", 100)+valid, secret), "only complete ones of version 1 count")
}

package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/webhook"
)

// The signatures that CircleCI gives as examples.
var vectors = []struct {
	body   string
	secret circleci.Secret
	v1     string
}{
	{"hello world", "secret", "734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a"},
	{"lalala", "another-secret", "daa220016c8f29a8b214fbfc3671aeec2145cfb1e6790184ffb38b6d0425fa00"},
	{"an-important-request-payload", "hunter123", "9be2242094a9a8c00c64306f382a7f9d691de910b4a266f67bd314ef18ac49fa"},
	{"foo", "secret", "773ba44693c7553d6ee20f61ea5d2757a9a4f4a44d2841ae4e95b52e4cd62db4"},
}

func TestVerify(t *testing.T) {
	for _, v := range vectors {
		body := []byte(v.body)
		assert.NoError(t, webhook.Verify(body, "v1="+v.v1, v.secret))
		assert.Equal(t, "v1="+v.v1, webhook.Sign(body, v.secret))
		for name, header := range map[string]string{
			"another version beside it": "v2=00,v1=" + v.v1 + ",v3=x",
			"spaces":                    " v1=" + v.v1 + " , v2=1",
			"upper case":                "v1=" + strings.ToUpper(v.v1),
			"an old one before it":      "v1=" + strings.Repeat("0", 64) + ",v1=" + v.v1,
		} {
			assert.NoError(t, webhook.Verify(body, header, v.secret), name)
		}
		assert.NoError(t, webhook.Verify(body, "v1="+v.v1, "new", v.secret), "the old secret, while they are rotated")
		for header, want := range map[string]error{
			"":                              webhook.ErrNoSignature,
			v.v1:                            webhook.ErrNoSignature,
			"v2=" + v.v1:                    webhook.ErrNoSignature,
			"v1=" + v.v1[:62]:               webhook.ErrNoSignature,
			"v1=" + v.v1 + "00":             webhook.ErrNoSignature,
			"v1=zz" + v.v1[2:]:              webhook.ErrNoSignature,
			"V1=" + v.v1:                    webhook.ErrNoSignature,
			"v1=" + strings.Repeat("0", 64): webhook.ErrBadSignature,
		} {
			assert.ErrorIs(t, webhook.Verify(body, header, v.secret), want, header)
		}
		assert.ErrorIs(t, webhook.Verify(append(body, '\n'), "v1="+v.v1, v.secret), webhook.ErrBadSignature, "another body")
		assert.ErrorIs(t, webhook.Verify(body, "v1="+v.v1), webhook.ErrNoSecret)
		assert.ErrorIs(t, webhook.Verify(body, webhook.Sign(body, ""), ""), webhook.ErrNoSecret, "anybody signs with an empty secret")
		assert.ErrorIs(t, webhook.Verify(body, "v1="+v.v1, v.secret, ""), webhook.ErrNoSecret)
	}
}

const workflowBody = `{
	"id": "1c457f7f-5b15-341b-8d4e-111111111111", "type": "workflow-completed", "happened_at": "2026-03-01T08:41:00.123456Z",
	"webhook": {"id": "11111111-1111-4111-8111-111111111111", "name": "pager"},
	"project": {"id": "22222222-2222-4222-8222-222222222222", "name": "web", "slug": "github/acme/web"},
	"organization": {"id": "33333333-3333-4333-8333-333333333333", "name": "acme"},
	"workflow": {"id": "44444444-4444-4444-8444-444444444444", "name": "build", "created_at": "2026-03-01T08:31:00.001Z",
		"stopped_at": "2026-03-01T08:41:00Z", "url": "https://app.circleci.com/x", "status": "failed"},
	"pipeline": {"id": "55555555-5555-4555-8555-555555555555", "number": 25, "created_at": "2026-03-01T08:30:00Z",
		"trigger": {"type": "webhook"},
		"vcs": {"provider_name": "github", "origin_repository_url": "o", "target_repository_url": "t", "revision": "f00d", "branch": "main",
			"commit": {"subject": "S", "body": "B", "author": {"name": "Ada", "email": "ada@example.com"},
				"authored_at": "2026-03-01T08:29:00Z", "committer": {"name": "Bob"}, "committed_at": "2026-03-01T08:29:01+00:00"}}},
	"new_key": {"x": 1}
}`

func TestParse(t *testing.T) {
	e, err := webhook.Parse([]byte(workflowBody))
	require.NoError(t, err)
	w, ok := e.(*webhook.WorkflowCompleted)
	require.True(t, ok)
	assert.Equal(t, "1c457f7f-5b15-341b-8d4e-111111111111", w.ID)
	assert.Equal(t, circleci.ProjectSlug("gh/acme/web"), w.Project.Slug, "as the API spells it")
	assert.Equal(t, circleci.WorkflowStatusFailed, w.Workflow.Status)
	assert.EqualValues(t, 25, w.Pipeline.Number)
	assert.Equal(t, "ada@example.com", w.Pipeline.VCS.Commit.Author.Email)
	assert.Equal(t, 123456*time.Microsecond, time.Duration(w.HappenedAt.Nanosecond()))
	assert.Equal(t, workflowBody, string(w.Raw))

	e, err = webhook.Parse([]byte(`{"id":"x","type":"job-completed","happened_at":"","project":{"slug":"circleci/Fxr5ZKJ7TnE3QmPBbeRj2L/SkbkBnHdgVKqMnXk5tFYyZ"},
		"job":{"id":"11111111-1111-4111-8111-111111111111","number":7,"name":"test","status":"canceled","started_at":null},
		"pipeline":{"trigger_parameters":{"circleci":{"event_time":"2024-12-18 17:23:29.361740256 +0000 UTC"},"gitlab":{"user_id":"12"}}}}`))
	require.NoError(t, err)
	j, ok := e.(*webhook.JobCompleted)
	require.True(t, ok)
	assert.EqualValues(t, 7, j.Job.Number)
	assert.Equal(t, circleci.JobStatusCanceled, j.Job.Status)
	assert.Nil(t, j.Pipeline.VCS)
	assert.Contains(t, j.Pipeline.TriggerParameters, "gitlab")
	assert.True(t, j.HappenedAt.IsZero())
	assert.Equal(t, circleci.ProjectSlug("circleci/Fxr5ZKJ7TnE3QmPBbeRj2L/SkbkBnHdgVKqMnXk5tFYyZ"), j.Project.Slug)
}

// A program can put an event in a queue and parse it again.
func TestEventsSurviveARoundTrip(t *testing.T) {
	e, err := webhook.Parse([]byte(workflowBody))
	require.NoError(t, err)
	data, err := json.Marshal(e)
	require.NoError(t, err)
	again, err := webhook.Parse(data)
	require.NoError(t, err)
	assert.IsType(t, e, again)
	stored, err := json.Marshal(again)
	require.NoError(t, err)
	assert.JSONEq(t, string(data), string(stored))
}

// Whatever the ping leaves out, it is an event.
func TestParseAbbreviated(t *testing.T) {
	for body, want := range map[string]webhook.Event{
		`{}`:                                  &webhook.Unknown{},
		`{"type":"ping","id":"p"}`:            &webhook.Unknown{},
		`{"type":"workflow-completed"}`:       &webhook.WorkflowCompleted{},
		`{"type":"job-completed","job":null}`: &webhook.JobCompleted{},
		`{"type":"workflow-completed","workflow":{"id":"","status":null},"pipeline":{"vcs":null}}`: &webhook.WorkflowCompleted{},
	} {
		e, err := webhook.Parse([]byte(body))
		require.NoError(t, err, body)
		assert.IsType(t, want, e, body)
	}
	for _, body := range []string{"", "null x", "[]", `"text"`, `{"type":1}`, `{"type":"job-completed","job":[]}`, `{"id":`} {
		_, err := webhook.Parse([]byte(body))
		assert.ErrorIs(t, err, webhook.ErrMalformed, body)
	}
}

// An event is not lost for a time or an ID that nobody has seen before.
func TestParseOddTimes(t *testing.T) {
	want := time.Date(2024, 12, 18, 17, 23, 29, 361740256, time.UTC)
	for text, want := range map[string]time.Time{
		`"2024-12-18T17:23:29.361740256Z"`: want, `"2024-12-18T17:23:29.361740256+00:00"`: want, `"2024-12-18T18:23:29.361740256+0100"`: want,
		`"2024-12-18 17:23:29.361740256 +0000 UTC"`: want, `"2024-12-18 17:23:29.361740256"`: want,
		`""`: {}, `null`: {}, `"yesterday"`: {}, `1734542609`: {}, `{"seconds":1}`: {}, `"2024-13-45T99:00:00Z"`: {},
	} {
		e, err := webhook.Parse([]byte(`{"id":"x","type":"job-completed","happened_at":` + text +
			`,"webhook":{"id":"not-a-uuid","name":"pager"},"job":{"name":"test","started_at":` + text + `}}`))
		require.NoError(t, err, text)
		j, ok := e.(*webhook.JobCompleted)
		require.True(t, ok)
		assert.WithinDuration(t, want, j.HappenedAt, 0, text)
		assert.WithinDuration(t, want, j.Job.StartedAt, 0, text)
		assert.Equal(t, "test", j.Job.Name)
		assert.Equal(t, "pager", j.Webhook.Name)
		assert.Zero(t, j.Webhook.ID)
	}
}

const secret = circleci.Secret("hunter123")

// post delivers a body as CircleCI does.
func post(h http.Handler, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/circleci", strings.NewReader(body))
	r.Header.Set(webhook.SignatureHeader, webhook.Sign([]byte(body), secret))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// counter is a function that counts its calls.
type counter struct {
	mu    sync.Mutex
	calls int
	do    func(ctx context.Context, call int) error
}

func (c *counter) handle(ctx context.Context, _ webhook.Event) error {
	c.mu.Lock()
	c.calls++
	n := c.calls
	c.mu.Unlock()
	if c.do == nil {
		return nil
	}
	return c.do(ctx, n)
}

func TestHandlerStatuses(t *testing.T) {
	c := &counter{}
	h := webhook.Handler([]circleci.Secret{"new", secret}, c.handle)
	assert.Equal(t, http.StatusOK, post(h, workflowBody).Code)
	assert.Equal(t, 1, c.calls)
	assert.Equal(t, http.StatusUnauthorized, post(h, workflowBody, webhook.SignatureHeader, "").Code)
	assert.Equal(t, http.StatusUnauthorized, post(h, workflowBody, webhook.SignatureHeader, webhook.Sign([]byte(workflowBody), "x")).Code)
	assert.Equal(t, http.StatusBadRequest, post(h, "[]").Code)
	get := httptest.NewRecorder()
	h.ServeHTTP(get, httptest.NewRequest(http.MethodGet, "/circleci", http.NoBody))
	assert.Equal(t, http.StatusMethodNotAllowed, get.Code)
	assert.Equal(t, "POST", get.Header().Get("Allow"))
	assert.Equal(t, 1, c.calls, "nothing of that reached the function")

	small := webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithMaxBody(100))
	assert.Equal(t, http.StatusRequestEntityTooLarge, post(small, workflowBody).Code)
	broken := httptest.NewRecorder()
	h.ServeHTTP(broken, httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("{"), errReader{})))
	assert.Equal(t, http.StatusBadRequest, broken.Code)
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("reset") }

// A secret that is missing, as an environment variable may be, opens no door.
func TestNoSecretMeansNoEntry(t *testing.T) {
	c := &counter{}
	for _, secrets := range [][]circleci.Secret{nil, {""}, {"", secret}} {
		var told error
		h := webhook.Handler(secrets, c.handle, webhook.WithErrorHandler(func(_ *http.Request, err error) { told = err }))
		assert.Equal(t, http.StatusUnauthorized, post(h, workflowBody).Code)
		assert.ErrorIs(t, told, webhook.ErrNoSecret)
	}
	assert.Zero(t, c.calls)
	h := webhook.Handler(nil, c.handle, webhook.AllowUnsigned())
	assert.Equal(t, http.StatusOK, post(h, workflowBody, webhook.SignatureHeader, "").Code)
	h = webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.AllowUnsigned())
	assert.Equal(t, http.StatusUnauthorized, post(h, workflowBody, webhook.SignatureHeader, "").Code, "with a secret it counts")
}

func TestAnEventIsHandledOnce(t *testing.T) {
	c := &counter{do: func(_ context.Context, call int) error {
		switch call {
		case 1:
			return errors.New("database down")
		case 2:
			panic("nil map")
		}
		return nil
	}}
	var told []error
	h := webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithErrorHandler(func(_ *http.Request, err error) { told = append(told, err) }))
	assert.Equal(t, http.StatusInternalServerError, post(h, workflowBody).Code, "CircleCI has to deliver it again")
	assert.Equal(t, http.StatusInternalServerError, post(h, workflowBody).Code)
	assert.Equal(t, http.StatusOK, post(h, workflowBody).Code)
	assert.Equal(t, http.StatusOK, post(h, workflowBody).Code)
	assert.Equal(t, 3, c.calls)
	require.Len(t, told, 2)
	assert.ErrorContains(t, told[0], "database down")
	assert.ErrorContains(t, told[1], "panicked: nil map")
	assert.Equal(t, http.StatusOK, post(h, `{"type":"ping"}`).Code)
	assert.Equal(t, http.StatusOK, post(h, `{"type":"ping"}`).Code)
	assert.Equal(t, 5, c.calls, "what has no ID cannot be told from another")
}

func TestAFunctionThatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		obeyed := make(chan error, 1)
		c := &counter{do: func(ctx context.Context, _ int) error {
			<-ctx.Done()
			obeyed <- ctx.Err()
			time.Sleep(time.Minute) // and goes on
			return nil
		}}
		h := webhook.Handler([]circleci.Secret{secret}, c.handle)
		start := time.Now()
		w := post(h, workflowBody)
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Equal(t, "10", w.Header().Get("Retry-After"))
		assert.Equal(t, 8*time.Second, time.Since(start), "before CircleCI gives up")
		assert.ErrorIs(t, <-obeyed, context.DeadlineExceeded)
		assert.Equal(t, http.StatusServiceUnavailable, post(h, workflowBody).Code, "it is still busy")
		time.Sleep(2 * time.Minute)
		assert.Equal(t, http.StatusOK, post(h, workflowBody).Code, "it has succeeded in the end")
		assert.Equal(t, 1, c.calls)
	})
	synctest.Test(t, func(t *testing.T) {
		c := &counter{do: func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }}
		h := webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithTimeout(time.Second))
		code := post(h, workflowBody).Code
		assert.Contains(t, []int{http.StatusInternalServerError, http.StatusServiceUnavailable}, code)
		time.Sleep(time.Second)
		post(h, workflowBody)
		synctest.Wait() // the answer may come before the function has returned
		assert.Equal(t, 2, c.calls, "it is handled again")
	})
}

// The client that has gone does not take the function's context with it.
func TestTheFunctionOutlivesTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{do: func(ctx context.Context, _ int) error {
			time.Sleep(5 * time.Second)
			return ctx.Err()
		}}
		h := webhook.Handler([]circleci.Secret{secret}, c.handle)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(workflowBody))
		r.Header.Set(webhook.SignatureHeader, webhook.Sign([]byte(workflowBody), secret))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, http.StatusOK, w.Code)
	})
}

type downMemory struct{ begin, end error }

func (d downMemory) Begin(context.Context, string) (webhook.State, error) {
	return webhook.New, d.begin
}
func (d downMemory) End(context.Context, string, bool) error { return d.end }

func TestAMemoryThatIsDown(t *testing.T) {
	c := &counter{}
	h := webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithDeduplicator(downMemory{begin: errors.New("redis")}))
	assert.Equal(t, http.StatusServiceUnavailable, post(h, workflowBody).Code)
	assert.Zero(t, c.calls)
	h = webhook.Handler([]circleci.Secret{secret}, c.handle, webhook.WithDeduplicator(downMemory{end: errors.New("redis")}))
	assert.Equal(t, http.StatusInternalServerError, post(h, workflowBody).Code)
}

func TestMemoryForgetsTheOldest(t *testing.T) {
	m := webhook.NewMemory(2)
	ctx := t.Context()
	for _, id := range []string{"a", "b", "c"} {
		state, err := m.Begin(ctx, id)
		require.NoError(t, err)
		assert.Equal(t, webhook.New, state)
		require.NoError(t, m.End(ctx, id, true))
	}
	require.NoError(t, m.End(ctx, "b", true)) // once more, which changes nothing
	for id, want := range map[string]webhook.State{"a": webhook.New, "b": webhook.Done, "c": webhook.Done} {
		state, err := m.Begin(ctx, id)
		require.NoError(t, err)
		assert.Equal(t, want, state, id)
	}
}

func TestManyDeliveriesAtOnce(t *testing.T) {
	c := &counter{}
	h := webhook.Handler([]circleci.Secret{secret}, c.handle)
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() { post(h, workflowBody) })
	}
	group.Wait()
	assert.Equal(t, 1, c.calls)
}

func FuzzVerify(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.body), "v1="+v.v1)
	}
	f.Add([]byte{}, "v1=,v1")
	f.Add([]byte("x"), strings.Repeat("v1=00,", 100))
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		if len(body)+len(header) > 300 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		if webhook.Verify(body, header, "the secret") == nil {
			assert.Contains(t, strings.ToLower(header), webhook.Sign(body, "the secret")[3:])
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(workflowBody))
	f.Add([]byte(`{"type":"job-completed","job":{"number":1}}`))
	f.Add([]byte(`{"type":"workflow-completed","happened_at":"2026-03-01 08:41:00"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 1500 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		e, err := webhook.Parse(body)
		if err != nil {
			assert.Nil(t, e)
			return
		}
		assert.True(t, bytes.Equal(body, e.About().Raw))
	})
}

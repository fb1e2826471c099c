package apiv3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/apiv3"
)

var aStep = apiv3.StepRef{JobID: id1, Num: 1}

func TestAnOutputIsReadFromAnOffset(t *testing.T) {
	for what, c := range map[string]struct {
		response response
		text     string
		want     apiv3.OutputPosition
	}{
		"a part":                      {response{status: 206, body: "defg"}, "defg", apiv3.OutputPosition{Offset: 7}},
		"the last part":               {response{status: 206, body: "d", header: map[string]string{"X-Terminal": "true"}}, "d", apiv3.OutputPosition{Offset: 4, Final: true}},
		"a server that ignores Range": {response{status: 200, body: "abcdefg"}, "defg", apiv3.OutputPosition{Offset: 7}},
		"the whole, and no more":      {response{status: 200, body: "abc"}, "", apiv3.OutputPosition{Offset: 3}},
		"nothing":                     {response{status: 204}, "", apiv3.OutputPosition{Offset: 3}},
		"none":                        {response{status: 404}, "", apiv3.OutputPosition{Offset: 3}},
		"beyond the end":              {response{status: 416}, "", apiv3.OutputPosition{Offset: 3}},
	} {
		v3, srv := client(t, c.response)
		var w bytes.Buffer
		at, err := v3.Jobs.ReadStdout(t.Context(), aStep, 3, &w)
		require.NoError(t, err, what)
		assert.Equal(t, c.text, w.String(), what)
		assert.Equal(t, c.want, at, what)
		assert.Equal(t, "bytes=3-", srv.requests[0].Header.Get("Range"), what)
	}
}

func TestAnOutputThatCannotBeRead(t *testing.T) {
	v3, _ := client(t, response{status: 403})
	at, err := v3.Jobs.ReadStdout(t.Context(), aStep, 3, io.Discard)
	require.ErrorIs(t, err, circleci.ErrForbidden)
	assert.Equal(t, apiv3.OutputPosition{Offset: 3}, at)
}

// liveJob is a job whose step prints and ends while it is read.
type liveJob struct {
	prints  []string // what is new at each read of standard output
	final   bool     // whether the API says that the output is final
	endsAt  int      // the read after which the step has ended
	reads   int
	asked   int // for the job
	stdout  string
	stderr  string
	ignores bool // Range
}

func (j *liveJob) RoundTrip(r *http.Request) (*http.Response, error) {
	header := http.Header{"Content-Type": {"application/octet-stream"}}
	var body string
	status := 200
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/stdout"):
		if j.reads < len(j.prints) {
			j.stdout += j.prints[j.reads]
		}
		j.reads++
		if j.final && j.reads >= len(j.prints) {
			header.Set("X-Terminal", "true")
		}
		body = j.stdout
		if from, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && !j.ignores {
			n := 0
			for _, c := range strings.TrimSuffix(from, "-") {
				n = n*10 + int(c-'0')
			}
			status, body = 206, body[n:]
			if body == "" {
				status = 416
			}
		}
	case strings.HasSuffix(path, "/stderr"):
		body = j.stderr
	default:
		j.asked++
		header.Set("Content-Type", "application/json")
		phase := "started"
		if j.reads >= j.endsAt {
			phase = "ended"
		}
		body = `{"data":{"attributes":{"phase":"started","parallel_executions":[{"steps":[{"num":0,"phase":"ended"},{"num":1,"phase":"` +
			phase + `"}]}]}}}`
	}
	return &http.Response{StatusCode: status, Header: header, Request: r, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (j *liveJob) client(t *testing.T) *apiv3.Client {
	t.Helper()
	c, err := circleci.NewClient("token", circleci.WithHTTPClient(&http.Client{Transport: j}))
	require.NoError(t, err)
	return apiv3.New(c)
}

func TestAnOutputIsFollowedToItsEnd(t *testing.T) {
	for what, j := range map[string]*liveJob{
		"the API says that it is final": {prints: []string{"a", "", "\xc3", "\xa9", "e"}, final: true, endsAt: 99, stderr: "!"},
		"the step ends":                 {prints: []string{"a", "", "\xc3\xa9", "", "e"}, endsAt: 4, stderr: "!"},
		"a server that ignores Range":   {prints: []string{"a", "", "\xc3\xa9e"}, endsAt: 3, stderr: "!", ignores: true},
		"output comes after the end":    {prints: []string{"a", "", "\xc3\xa9e"}, endsAt: 2, stderr: "!"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var w bytes.Buffer
			begin := time.Now()
			require.NoError(t, j.client(t).Jobs.FollowOutput(t.Context(), aStep, &w, nil), what)
			assert.Equal(t, "aée!", w.String(), what)
			assert.LessOrEqual(t, time.Since(begin), 2*time.Second, "%s: no pause after the end", what)
		})
	}
}

func TestFollowingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &liveJob{endsAt: 1 << 30}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := j.client(t).Jobs.FollowOutput(ctx, aStep, io.Discard, &apiv3.FollowOptions{Interval: time.Second}, circleci.Timeout(time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.InDelta(t, 10, j.reads, 1, "one read for each interval")
	})
}

var errFull = errors.New("the disk is full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestFollowingEndsIfItsWriterFails(t *testing.T) {
	j := &liveJob{prints: []string{"a"}, endsAt: 1 << 30}
	require.ErrorIs(t, j.client(t).Jobs.FollowOutput(t.Context(), aStep, fullDisk{}, nil), errFull)
}

func TestTestsThatCannotBeRead(t *testing.T) {
	for what, c := range map[string]struct {
		response response
		tests    int
		want     string
	}{
		"no results":       {response{status: 404}, 0, ""},
		"nothing":          {response{}, 0, ""},
		"not JSON":         {response{body: "{\"name\":\"a\"}\n<html>\n{}"}, 1, "line 2"},
		"not an object":    {response{body: "{}\n3"}, 1, "line 2"},
		"an endless line":  {response{body: strings.Repeat(" ", 17<<20)}, 0, "line 1 is longer"},
		"another refusal":  {response{status: 403}, 0, "403"},
		"no line feed":     {response{body: `{"name":"a"}`}, 1, ""},
		"a duration in \"": {response{body: `{"run_time":"0.5"}`}, 1, ""},
	} {
		v3, _ := client(t, c.response)
		tests, err := collect(v3.Jobs.ReadTests(t.Context(), id1))
		assert.Len(t, tests, c.tests, what)
		if c.want == "" {
			assert.NoError(t, err, what)
		} else {
			assert.ErrorContains(t, err, c.want, what)
			assert.ErrorContains(t, err, "GET /api/v3/jobs/{id}/tests", what)
		}
	}
}

func TestALoopOverTestsCanBeLeft(t *testing.T) {
	v3, _ := client(t, response{body: "{\"name\":\"a\"}\n{\"name\":\"b\"}\nnonsense"})
	for test, err := range v3.Jobs.ReadTests(t.Context(), id1) {
		require.NoError(t, err)
		if test.Name == "b" {
			break
		}
	}
}

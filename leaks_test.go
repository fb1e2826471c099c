package circleci_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

// goodServer has a context, and a list of two pages.
func goodServer(req *http.Request, _ bool) move {
	if req.Method == http.MethodGet && strings.HasSuffix(req.URL.Path, "/context") && req.URL.Query().Get("page-token") == "" {
		return listPage("2", 1, 2)
	}
	return says(200, good)
}

// requireNothingLeft fails for a connection that is left when a client has been
// closed. A goroutine that is left fails the bubble.
func (n *faultNet) requireNothingLeft(t *testing.T, client *circleci.Client) {
	t.Helper()
	require.NoError(t, client.Close())
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	assert.Zero(t, n.open, "connections that are left")
}

var firstContexts = circleci.OwnerBySlug("gh/acme")

func TestAThousandGoroutinesShareAClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const goroutines = 1000
		var requests atomic.Int64
		network := &faultNet{good: func(req *http.Request, begun bool) move {
			switch n := requests.Add(1); {
			case n%97 == 0:
				return limit("Retry-After", "1")
			case n%89 == 0 && req.Method == http.MethodGet:
				return says(503, "")
			case n%83 == 0 && req.Method == http.MethodGet:
				return speaks(header(200, "Content-Length", "100") + "{").thenHangsUp()
			}
			return goodServer(req, begun)
		}}
		network.script = once().with(circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 10})) // four faults in a row are rare, and would do
		client := network.client(t)
		var (
			group                           sync.WaitGroup
			walked, brokenOff, done, gaveUp atomic.Int64
		)
		for g := range goroutines {
			group.Go(func() {
				ctx := t.Context()
				switch g % 4 {
				case 0:
					all, err := client.Contexts.List(firstContexts, nil).Collect(ctx)
					if assert.NoError(t, err) {
						walked.Add(int64(len(all)))
					}
				case 1:
					for _, err := range client.Contexts.List(firstContexts, nil).Prefetch().All(ctx) {
						if assert.NoError(t, err) {
							brokenOff.Add(1)
						}
						break
					}
				case 2:
					_, err := client.Contexts.Create(ctx, circleci.CreateContextRequest{Name: "deploy", Owner: circleci.OwnerByID(id1)})
					if assert.NoError(t, err, "a limit is waited for, and nothing else went wrong") {
						done.Add(1)
					}
				case 3:
					ctx, cancel := context.WithCancel(ctx)
					defer cancel()
					if g%8 == 3 {
						time.AfterFunc(time.Duration(g)*time.Millisecond, cancel)
					}
					got, err := client.Contexts.Get(ctx, someID)
					switch {
					case errors.Is(err, context.Canceled):
						gaveUp.Add(1)
					case assert.NoError(t, err) && assert.Equal(t, "deploy", got.Name):
						done.Add(1)
					}
				}
			})
		}
		group.Wait()
		assert.Equal(t, int64(3*goroutines/4), walked.Load(), "items of complete walks")
		assert.Equal(t, int64(goroutines/4), brokenOff.Load(), "walks that were broken off")
		assert.Equal(t, int64(goroutines/2), done.Load()+gaveUp.Load())
		assert.Positive(t, gaveUp.Load(), "of the calls that were canceled, some had not been answered")
		network.requireNothingLeft(t, client)
	})
}

func TestNothingIsLeftAfterwards(t *testing.T) {
	stalled := speaks(header(200, "Content-Length", "100") + "{").thenIsSilent()
	for name, c := range map[string]struct {
		server script
		use    func(ctx context.Context, t *testing.T, client *circleci.Client)
	}{
		"a walk that is broken off": {once(), func(ctx context.Context, t *testing.T, client *circleci.Client) {
			for _, err := range client.Contexts.List(firstContexts, nil).All(ctx) {
				require.NoError(t, err)
				break
			}
		}},
		"a walk that is broken off while the next page is fetched": {forever(stalled), func(ctx context.Context, t *testing.T, client *circleci.Client) {
			for _, err := range client.Contexts.List(firstContexts, nil).Prefetch().All(ctx) {
				require.NoError(t, err)
				break
			}
		}},
		"a loop that panics": {once(), func(ctx context.Context, t *testing.T, client *circleci.Client) {
			assert.Panics(t, func() { // panic(nil) is one, too
				for _, err := range client.Contexts.List(firstContexts, nil).Prefetch().All(ctx) {
					panic(err)
				}
			})
		}},
		"a walk that is canceled": {forever(stalled), func(ctx context.Context, t *testing.T, client *circleci.Client) {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := client.Contexts.List(firstContexts, nil).Collect(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}},
		"a download that nobody reads on": {forever(pours(header(200, "Connection", "close"), 1<<40)), func(ctx context.Context, t *testing.T, client *circleci.Client) {
			_, err := client.Contexts.List(firstContexts, nil).Page(ctx, "")
			require.NoError(t, err)
			err = client.Do(ctx, circleci.Request{Route: "/api/v3/x"}, brokenWriter{io.ErrClosedPipe})
			require.ErrorIs(t, err, io.ErrClosedPipe)
		}},
		"an answer that nobody wants": {forever(pours(header(200, "Connection", "close"), 1<<40)), func(ctx context.Context, t *testing.T, client *circleci.Client) {
			_, err := client.Contexts.List(firstContexts, nil).Page(ctx, "")
			require.NoError(t, err)
			require.NoError(t, client.Contexts.Delete(ctx, someID))
		}},
		"calls that were refused before they were sent": {once(), func(ctx context.Context, t *testing.T, client *circleci.Client) {
			require.ErrorIs(t, client.Do(ctx, circleci.Request{Route: "/../x"}, nil), circleci.ErrInvalidArgument)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := &faultNet{script: c.server, good: goodServer}
				client := network.client(t)
				c.use(t.Context(), t, client)
				network.requireNothingLeft(t, client)
			})
		})
	}
}

package circleci_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// roundTripper makes a function a round tripper, as http.HandlerFunc makes one
// a handler.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A middleware sees each attempt with the operation that it serves, and never
// the token: here it counts, as it could trace or measure.
func ExampleWithMiddleware() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.AddProject("gh/acme/web")

	count := map[string]int{}
	counting := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if op, ok := circleci.OperationFromContext(r.Context()); ok {
				count[op.Method+" "+op.Route]++
			}
			return next.RoundTrip(r)
		})
	}
	client := srv.Client(circleci.WithMiddleware(counting))
	for range 2 {
		if _, err := client.Projects.Get(ctx, "gh/acme/web"); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(count)
	// Output: map[GET /project/{project-slug}:2]
}

package circleci_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// New items shift the pages of a list that is walked. What comes again by that
// is known by its identity, though it has changed meanwhile.
func TestAnItemThatComesAgainIsLeftOut(t *testing.T) {
	name := func(text string) string { return fmt.Sprintf(`"name":%q`, text) }
	id := func(text string) string {
		return fmt.Sprintf(`"id":%q`, map[string]string{"a": id1.String(), "b": id2.String()}[text])
	}
	point := func(text string) string {
		return name("test") + `,"timestamp":"2026-03-0` + map[string]string{"a": "1", "b": "2"}[text] + `T00:00:00Z"`
	}
	for _, c := range []struct {
		op       string
		identity func(string) string // of an item, for "a" or "b"
		changed  string              // a field of another value
		walk     func(ctx context.Context, c *circleci.Client) (int, error)
	}{
		{
			"GET /insights/{project-slug}/workflows", name, "window_end", func(ctx context.Context, c *circleci.Client) (int, error) {
				return count(ctx, c.Insights.ListWorkflowMetrics(webSlug, nil))
			},
		},
		{
			"GET /insights/{project-slug}/workflows/{workflow-name}", id, "stopped_at", func(ctx context.Context, c *circleci.Client) (int, error) {
				return count(ctx, c.Insights.ListWorkflowRuns(webSlug, "build", nil))
			},
		},
		{
			"GET /insights/{project-slug}/workflows/{workflow-name}/jobs", name, "window_end", func(ctx context.Context, c *circleci.Client) (int, error) {
				return count(ctx, c.Insights.ListJobMetrics(webSlug, "build", nil))
			},
		},
		{
			"GET /insights/time-series/{project-slug}/workflows/{workflow-name}/jobs", point, "max_ended_at", func(ctx context.Context, c *circleci.Client) (int, error) {
				return count(ctx, c.Insights.ListJobTimeSeries(webSlug, "build", nil))
			},
		},
		{
			"GET /webhook", id, "updated_at", func(ctx context.Context, c *circleci.Client) (int, error) {
				return count(ctx, c.Webhooks.List(circleci.ProjectScope(id1)))
			},
		},
		{
			"GET /project/{project-slug}/schedule", id, "updated-at", func(ctx context.Context, c *circleci.Client) (int, error) {
				return count(ctx, c.Schedules.List(webSlug))
			},
		},
		{
			"GET /deploy/environments", id, "updated_at", func(ctx context.Context, c *circleci.Client) (int, error) {
				return count(ctx, c.Deploys.ListEnvironments(id1, nil))
			},
		},
		{
			"GET /deploy/components", id, "updated_at", func(ctx context.Context, c *circleci.Client) (int, error) {
				return count(ctx, c.Deploys.ListComponents(id1, nil))
			},
		},
		{
			"GET /deploy/components/{component_id}/versions", name, "last_deployed_at", func(ctx context.Context, c *circleci.Client) (int, error) {
				return count(ctx, c.Deploys.ListComponentVersions(id1, nil))
			},
		},
	} {
		t.Run(c.op, func(t *testing.T) {
			srv := circlecitest.New(t)
			item := func(which, at string) string { return "{" + c.identity(which) + `,"` + c.changed + `":"` + at + `"}` }
			srv.Fail(c.op,
				circlecitest.Response{Body: `{"items":[` + item("a", "2026-03-01T00:00:00Z") + `],"next_page_token":"x"}`},
				circlecitest.Response{Body: `{"items":[` + item("a", "2026-03-02T00:00:00Z") + `,` + item("b", "2026-03-01T00:00:00Z") + `]}`})
			n, err := c.walk(t.Context(), srv.Client())
			require.NoError(t, err)
			assert.Equal(t, 2, n)
		})
	}
}

// count walks a list to its end.
func count[T any](ctx context.Context, p *circleci.Pager[T]) (int, error) {
	all, err := p.Collect(ctx)
	return len(all), err
}

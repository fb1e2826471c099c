package circlecitest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest"
)

// A client that decodes one of the two spellings alone breaks with the other.
func TestSpelling(t *testing.T) {
	for path, keys := range map[string][]string{
		"/webhook?scope-type=project&scope-id=": {"verify_tls", "signing_secret", "created_at", "updated_at"},
		"/project/gh/acme/web/checkout-key":     {"public_key", "created_at"},
		"/project/gh/acme/web/envvar":           {"created_at"},
		"/me/collaborations":                    {"vcs_type"},
		"/pipeline/":                            {"setup_config", "compiled_setup_config"},
		"/insights/gh/acme/web/flaky-tests":     {"flaky_tests", "total_flaky_tests", "test_name", "job_name", "times_flaked", "workflow_name", "pipeline_number"},
	} {
		for name, c := range map[string]struct {
			opts  []circlecitest.Option
			spell func(string) string
		}{
			"as the live API does": {nil, func(key string) string { return key }},
			"as the document does": {
				[]circlecitest.Option{circlecitest.WithDocumentSpelling()}, func(key string) string { return strings.ReplaceAll(key, "_", "-") },
			},
		} {
			srv := circlecitest.New(t, append(c.opts, circlecitest.WithManualTime())...)
			srv.Script(webSlug, circlecitest.Script{
				Setup: circlecitest.Workflow("setup", circlecitest.Job("generate")),
				Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build",
					circlecitest.Job("test").WithFlakyTests(0.5, circlecitest.FailingTest("TestSession", "gone"))).RerunsAutomatically(5)},
			})
			id := srv.StartPipeline(webSlug, "main")
			for range 10 {
				srv.StartPipeline(webSlug, "main")
			}
			srv.Advance(time.Hour)
			hook := addHook(t, srv, webSlug, "https://hooks.example/")
			for route, body := range map[string]string{"checkout-key": `{"type":"deploy-key"}`, "envvar": `{"name":"N","value":"v"}`} {
				r, err := send(t, srv, http.MethodPost, "/project/gh/acme/web/"+route, body)
				require.NoError(t, err)
				require.Equal(t, 201, r.status)
			}
			full := path
			switch {
			case strings.HasSuffix(path, "scope-id="):
				full += hook.Scope.ID.String()
			case path == "/pipeline/":
				full += id.String() + "/config"
			}
			r, err := ask(t, srv, full)
			require.NoError(t, err)
			require.Equal(t, 200, r.status)
			for _, key := range keys {
				assert.Contains(t, r.body, `"`+c.spell(key)+`":`, "%s %s", path, name)
			}
		}
	}
}

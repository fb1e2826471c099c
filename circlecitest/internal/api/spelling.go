package api

import (
	"strings"

	"github.com/circleci-go/circleci/circlecitest/internal/form"
)

// kebabKeys lists the keys that the document spells with dashes and the live
// API with underscores, by the routes whose keys start with these. Other routes
// have the same spelling in both.
var kebabKeys = map[string][]string{
	"/webhook":                             {"verify_tls", "signing_secret", "created_at", "updated_at"},
	"/project/{project-slug}/checkout-key": {"public_key", "created_at"},
	"/project/{project-slug}/envvar":       {"created_at"},
	"/me/collaborations":                   {"vcs_type"},
	"/pipeline/{pipeline-id}/config":       {"setup_config", "compiled_setup_config"},
	"/insights/{project-slug}/flaky-tests": {
		"flaky_tests", "total_flaky_tests", "time_wasted", "workflow_created_at", "workflow_id", "pipeline_number",
		"workflow_name", "test_name", "job_name", "job_number", "times_flaked",
	},
}

// respell changes the keys of a response to the document's spelling.
func respell(key string, body any) any {
	_, route, _ := strings.Cut(key, " ")
	for prefix, names := range kebabKeys {
		if strings.HasPrefix(route, prefix) {
			return renamed(body, names)
		}
	}
	return body
}

func renamed(body any, names []string) any {
	switch b := body.(type) {
	case form.Object:
		out := make(form.Object, len(b))
		for key, value := range b {
			out[key] = renamed(value, names)
		}
		for _, name := range names {
			if value, ok := out[name]; ok {
				delete(out, name)
				out[strings.ReplaceAll(name, "_", "-")] = value
			}
		}
		return out
	case []any:
		out := make([]any, len(b))
		for i, value := range b {
			out[i] = renamed(value, names)
		}
		return out
	}
	return body
}

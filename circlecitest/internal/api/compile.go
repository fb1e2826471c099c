package api

import (
	"net/http"

	"go.yaml.in/yaml/v3"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// Nothing is known of what POST /pipeline/search takes and answers: it is not
// modelled.
var undocumentedPipelineHandlers = map[string]exchange.Handler{
	"POST /pipeline/{pipeline-id}/cancel": withPipeline(func(s *engine.Engine, _ *exchange.Request, p *world.Pipeline) *exchange.Answer {
		for _, w := range p.Workflows {
			s.Cancel(w)
		}
		return exchange.Message(http.StatusAccepted, "Accepted.")
	}),
	"POST /compile-config-with-defaults": compileConfig,
}

// compileConfig looks for what every configuration has. It resolves nothing:
// what comes out is what went in.
func compileConfig(_ *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in struct {
		ConfigYAML *string `json:"config_yaml"`
		Options    struct {
			OwnerID            string         `json:"owner_id"`
			PipelineValues     map[string]any `json:"pipeline_values"`
			PipelineParameters map[string]any `json:"pipeline_parameters"`
			Next               bool           `json:"next"`
		} `json:"options"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	if in.ConfigYAML == nil {
		return exchange.Missing("config_yaml")
	}
	if problem := configProblem(*in.ConfigYAML); problem != "" {
		return exchange.OK(form.Object{
			"valid": false, "source-yaml": *in.ConfigYAML, "output-yaml": *in.ConfigYAML, "errors": []any{form.Object{"message": problem}},
		})
	}
	return exchange.OK(form.Object{"valid": true, "source-yaml": *in.ConfigYAML, "output-yaml": *in.ConfigYAML, "errors": nil})
}

func configProblem(config string) string {
	var value any
	if err := yaml.Unmarshal([]byte(config), &value); err != nil {
		return "circlecitest: the configuration is not valid YAML: " + err.Error()
	}
	top, isMap := value.(map[string]any)
	switch {
	case !isMap:
		return "circlecitest: the configuration is not a map"
	case top["version"] == nil:
		return "circlecitest: the configuration has no version"
	case top["jobs"] == nil && top["workflows"] == nil:
		return "circlecitest: the configuration has neither jobs nor workflows"
	}
	return ""
}

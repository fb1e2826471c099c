package circlecitest

import (
	"net/http"
)

// Nothing is known of what POST /pipeline/search takes and answers: it is not
// modelled.
var undocumentedPipelineHandlers = map[string]handler{
	"POST /pipeline/{pipeline-id}/cancel": withPipeline(func(s *Server, _ *request, p *pipeline) *answer {
		for _, w := range p.workflows {
			s.cancel(w)
		}
		return message(http.StatusAccepted, "Accepted.")
	}),
	"POST /compile-config-with-defaults": compileConfig,
}

// compileConfig looks for what every configuration has. It resolves nothing:
// what comes out is what went in.
func compileConfig(_ *Server, r *request) *answer {
	var in struct {
		ConfigYAML *string `json:"config_yaml"`
		Options    struct {
			OwnerID            string         `json:"owner_id"`
			PipelineValues     map[string]any `json:"pipeline_values"`
			PipelineParameters map[string]any `json:"pipeline_parameters"`
			Next               bool           `json:"next"`
		} `json:"options"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	if in.ConfigYAML == nil {
		return missing("config_yaml")
	}
	if problem := configProblem(*in.ConfigYAML); problem != "" {
		return ok(object{
			"valid": false, "source-yaml": *in.ConfigYAML, "output-yaml": *in.ConfigYAML, "errors": []any{object{"message": problem}},
		})
	}
	return ok(object{"valid": true, "source-yaml": *in.ConfigYAML, "output-yaml": *in.ConfigYAML, "errors": nil})
}

func configProblem(config string) string {
	value, err := readYAML(config)
	if err != nil {
		return "" // it may well be good YAML
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

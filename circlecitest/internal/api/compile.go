package api

import (
	"errors"
	"maps"
	"net/http"
	"strings"

	"github.com/circleci-go/circleci/circlecitest/internal/config"
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

// compileConfig checks a configuration as far as its workflows go. It resolves
// nothing: the output is the input.
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
	result := form.Object{"valid": true, "source-yaml": *in.ConfigYAML, "output-yaml": *in.ConfigYAML, "errors": nil}
	problems := configProblems(*in.ConfigYAML, in.Options.PipelineParameters, in.Options.PipelineValues)
	if len(problems) == 0 {
		return exchange.OK(result)
	}
	errs := []any{}
	for _, problem := range problems {
		if strings.Contains(problem, "not modeled") { // it may well be valid
			return exchange.Message(http.StatusNotImplemented, "circlecitest: "+problem)
		}
		errs = append(errs, form.Object{"message": problem})
	}
	result["valid"], result["errors"] = false, errs
	return exchange.OK(result)
}

// configProblems says what is wrong with a configuration, or why nothing can be
// said of it. It is planned for a push, to find workflows that have a cycle.
func configProblems(source string, parameters, values map[string]any) []string {
	c, err := config.Parse([]byte(source))
	if err == nil {
		push := world.Push(nil)
		push.Parameters = parameters
		maps.Copy(push.Values, values)
		return c.Check(push)
	}
	var wrong *config.Error
	errors.As(err, &wrong)
	if wrong == nil {
		return nil
	}
	return wrong.Messages
}

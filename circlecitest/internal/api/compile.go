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

// POST /pipeline/search is not modeled, because its request and response are
// unknown.
var undocumentedPipelineHandlers = map[string]exchange.Handler{
	"POST /pipeline/{pipeline-id}/cancel": withPipeline(func(s *engine.Engine, _ *exchange.Request, p *world.Pipeline) *exchange.Answer {
		for _, w := range p.Workflows {
			s.Cancel(w)
		}
		return exchange.Message(http.StatusAccepted, "Accepted.")
	}),
	"POST /compile-config-with-defaults": compileConfig,
}

// compileConfig checks the workflows of a configuration. It resolves nothing:
// the output is the input.
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
		if strings.Contains(problem, "not modeled") { // it may be valid
			return exchange.Message(http.StatusNotImplemented, "circlecitest: "+problem)
		}
		errs = append(errs, form.Object{"message": problem})
	}
	result["valid"], result["errors"] = false, errs
	return exchange.OK(result)
}

// configProblems returns what is wrong with a configuration, or why it cannot
// be checked. It plans a push, in order to find cycles.
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

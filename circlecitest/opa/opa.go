// Package opa decides config policies with Open Policy Agent, for servers of
// package circlecitest:
//
//	srv := circlecitest.New(t, circlecitest.WithPolicyEngine(opa.New()))
//
// Policies are written as for CircleCI: in package org, in the syntax of Rego
// v0, with policy_name, enable_rule, enable_hard and hard_fail. They can import
// the documented helpers of data.circleci.config and data.circleci.utils; what
// a caller sent as metadata is in data.meta.
//
// For a configuration that was not compiled, input._compiled_, which some helpers
// read, is the configuration itself.
package opa

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"go.yaml.in/yaml/v3"

	"github.com/circleci-go/circleci"
)

//go:embed helpers.rego
var helpers string

//go:embed utils.rego
var utils string

// Engine decides policies. It is safe for concurrent use.
type Engine struct{}

// New returns an engine.
func New() *Engine { return &Engine{} }

// Decide evaluates policies, given as Rego source by name, on a configuration's
// YAML text. Policies or input that cannot be evaluated are a decision with the
// status ERROR; the error is that of the context.
func (e *Engine) Decide(ctx context.Context, policies map[string]string, input string, metadata map[string]any) (circleci.Decision, error) {
	if len(policies) == 0 {
		return circleci.Decision{Status: circleci.DecisionStatusPass}, nil
	}
	org, err := evaluate(ctx, policies, input, metadata)
	if ctx.Err() != nil {
		return circleci.Decision{}, context.Cause(ctx)
	}
	if err == nil {
		return decide(org), nil
	}
	return circleci.Decision{Status: circleci.DecisionStatusError, Reason: err.Error()}, nil
}

// evaluate returns the values of the rules of package org.
func evaluate(ctx context.Context, policies map[string]string, input string, metadata map[string]any) (map[string]any, error) {
	var configuration map[string]any
	if err := yaml.Unmarshal([]byte(input), &configuration); err != nil {
		return nil, fmt.Errorf("the configuration is not valid YAML: %w", err)
	}
	if configuration == nil {
		return nil, errors.New("the configuration is empty")
	}
	if _, ok := configuration["_compiled_"]; !ok {
		configuration["_compiled_"] = maps.Clone(configuration)
	}
	modules := map[string]*ast.Module{}
	parse := func(name, source string, version ast.RegoVersion) error {
		module, err := ast.ParseModuleWithOpts(name, source, ast.ParserOptions{RegoVersion: version})
		modules[name] = module
		return err
	}
	err := errors.Join(parse("circleci/config.rego", helpers, ast.RegoV1), parse("circleci/utils.rego", utils, ast.RegoV1))
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		err = errors.Join(err, parse(name, policies[name], ast.RegoV0))
	}
	if err != nil {
		return nil, err
	}
	// Policies must not reach anything beyond their input.
	compiler := ast.NewCompiler().WithCapabilities(offline())
	if compiler.Compile(modules); compiler.Failed() {
		return nil, compiler.Errors
	}
	if metadata == nil {
		metadata = map[string]any{}
	}
	results, err := rego.New(
		rego.Compiler(compiler), rego.Query("data.org"), rego.Input(configuration),
		rego.Store(inmem.NewFromObject(map[string]any{"meta": metadata})),
	).Eval(ctx)
	if err != nil {
		return nil, err
	}
	if len(results) == 1 && len(results[0].Expressions) == 1 {
		if org, ok := results[0].Expressions[0].Value.(map[string]any); ok {
			return org, nil
		}
	}
	return nil, errors.New("no policy is in package org")
}

// offline lists what policies may call: everything but the network.
func offline() *ast.Capabilities {
	all := ast.CapabilitiesForThisVersion()
	all.AllowNet = []string{}
	all.Builtins = slices.DeleteFunc(all.Builtins, func(b *ast.Builtin) bool {
		return b.Name == "http.send" || b.Name == "net.lookup_ip_addr" || b.Name == "opa.runtime"
	})
	return all
}

// decide turns the values of the rules into a decision.
func decide(org map[string]any) circleci.Decision {
	hard := texts(org["enable_hard"])
	enabled := append(texts(org["enable_rule"]), hard...)
	slices.Sort(enabled)
	enabled = slices.Compact(enabled)
	hard = append(hard, texts(org["hard_fail"])...)
	d := circleci.Decision{Status: circleci.DecisionStatusPass, EnabledRules: enabled}
	for _, rule := range enabled {
		for _, reason := range reasons(org[rule]) {
			violation := circleci.Violation{Rule: rule, Reason: reason}
			if slices.Contains(hard, rule) {
				d.HardFailures = append(d.HardFailures, violation)
			} else {
				d.SoftFailures = append(d.SoftFailures, violation)
			}
		}
	}
	switch {
	case len(d.HardFailures) > 0:
		d.Status = circleci.DecisionStatusHardFail
	case len(d.SoftFailures) > 0:
		d.Status = circleci.DecisionStatusSoftFail
	}
	return d
}

// reasons are the violations that a rule reports: a text, or a list, a set or a
// map of them.
func reasons(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case map[string]any:
		return texts(slices.SortedFunc(maps.Values(v), func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) }))
	}
	return texts(value)
}

// texts are the texts in a list or set. CircleCI's service ignores the rest.
func texts(value any) (all []string) {
	list, _ := value.([]any)
	for _, element := range list {
		if text, ok := element.(string); ok {
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return all
}

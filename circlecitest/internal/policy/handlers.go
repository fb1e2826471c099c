// Package policy handles the operations of config policies. Decisions are made
// by a world.PolicyEngine.
package policy

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

const (
	// maxBundleSize is the maximum size of an upload in bytes.
	maxBundleSize = 5 << 19
	// decisionPageSize is the number of decisions on a page.
	decisionPageSize = 20
)

func policyDocumentView(d *world.PolicyDocument, name string) form.Object {
	return form.Object{"name": name, "content": d.Content, "created_at": d.Created.UTC().Format(time.RFC3339Nano), "created_by": d.By.ID}
}

func bundleView(bundle map[string]*world.PolicyDocument) form.Object {
	view := form.Object{}
	for name, d := range bundle {
		view[name] = policyDocumentView(d, name)
	}
	return view
}

func decisionLogView(l *world.DecisionLog) form.Object {
	hashes := form.Object{}
	for name, d := range l.Bundle {
		sum := sha512.Sum512([]byte(d.Content))
		hashes[name] = hex.EncodeToString(sum[:])
	}
	metadata := l.Metadata
	if metadata == nil {
		metadata = map[string]any{}
	}
	return form.Object{
		"id": l.ID, "created_at": l.Created.UTC().Format(time.RFC3339Nano), "decision": decisionView(l.Decision), "metadata": metadata,
		"policies": hashes, "time_taken_ms": 1,
	}
}

// withPolicies returns a handler for a route with the owner of policies.
func withPolicies(do func(s *engine.Engine, r *exchange.Request, p *world.PolicyState) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		switch {
		case uuid.Validate(r.Params["ownerID"]) != nil:
			return exchange.Failure(http.StatusBadRequest, "OwnerID: must be a valid UUID.")
		case r.Params["context"] != "config":
			return exchange.Failure(http.StatusBadRequest, "Context: must be a valid value.")
		}
		if o := s.OrgBy(r.ID("ownerID").String()); o != nil {
			return do(s, r, &o.Policies)
		}
		return exchange.Failure(http.StatusForbidden, "Forbidden")
	}
}

func withDecision(do func(l *world.DecisionLog) *exchange.Answer) exchange.Handler {
	return withPolicies(func(_ *engine.Engine, r *exchange.Request, p *world.PolicyState) *exchange.Answer {
		if uuid.Validate(r.Params["decisionID"]) != nil {
			return exchange.Failure(http.StatusBadRequest, "DecisionID: must be a valid UUID.")
		}
		for _, l := range p.Decisions {
			if l.ID == r.ID("decisionID") {
				return do(l)
			}
		}
		return exchange.Failure(http.StatusNotFound, "decision log not found")
	})
}

// Handlers handle the operations of config policies.
var Handlers = map[string]exchange.Handler{
	"GET /owner/{ownerID}/context/{context}/policy-bundle": withPolicies(func(_ *engine.Engine, _ *exchange.Request, p *world.PolicyState) *exchange.Answer {
		return exchange.OK(bundleView(p.Bundle))
	}),
	"POST /owner/{ownerID}/context/{context}/policy-bundle": withPolicies(createBundle),
	"GET /owner/{ownerID}/context/{context}/policy-bundle/{policyName}": withPolicies(func(_ *engine.Engine, r *exchange.Request, p *world.PolicyState) *exchange.Answer {
		if d := p.Bundle[r.Params["policyName"]]; d != nil {
			return exchange.OK(policyDocumentView(d, r.Params["policyName"]))
		}
		return exchange.Failure(http.StatusNotFound, "policy not found")
	}),

	"GET /owner/{ownerID}/context/{context}/decision/settings": withPolicies(func(_ *engine.Engine, _ *exchange.Request, p *world.PolicyState) *exchange.Answer {
		return exchange.OK(form.Object{"enabled": p.Enabled})
	}),
	"PATCH /owner/{ownerID}/context/{context}/decision/settings": withPolicies(func(_ *engine.Engine, r *exchange.Request, p *world.PolicyState) *exchange.Answer {
		var in struct {
			Enabled *bool `json:"enabled"`
		}
		if a := r.Bind(&in); a != nil {
			return a
		}
		if in.Enabled == nil {
			return exchange.Failure(http.StatusBadRequest, "enabled: is required.")
		}
		p.Enabled = *in.Enabled
		return exchange.OK(form.Object{"enabled": p.Enabled})
	}),

	"GET /owner/{ownerID}/context/{context}/decision":  withPolicies(listDecisions),
	"POST /owner/{ownerID}/context/{context}/decision": withPolicies(decide),
	"GET /owner/{ownerID}/context/{context}/decision/{decisionID}": withDecision(func(l *world.DecisionLog) *exchange.Answer {
		return exchange.OK(decisionLogView(l))
	}),
	"GET /owner/{ownerID}/context/{context}/decision/{decisionID}/policy-bundle": withDecision(func(l *world.DecisionLog) *exchange.Answer {
		return exchange.OK(bundleView(l.Bundle))
	}),
}

// createBundle replaces the bundle. The policies have the names that the
// documents declare.
func createBundle(s *engine.Engine, r *exchange.Request, p *world.PolicyState) *exchange.Answer {
	if len(r.Body) > maxBundleSize {
		return exchange.Failure(http.StatusRequestEntityTooLarge, "the request exceeds the maximum size of policy bundles")
	}
	var in struct {
		Policies *map[string]string `json:"policies"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	if in.Policies == nil {
		return exchange.Failure(http.StatusBadRequest, "policies: is required.")
	}
	next, problem := parseBundle(s, *in.Policies)
	if problem != "" {
		return exchange.Failure(http.StatusBadRequest, "invalid rego content: "+problem)
	}
	var created, modified, deleted []string
	for _, name := range slices.Sorted(maps.Keys(next)) {
		switch old := p.Bundle[name]; {
		case old == nil:
			created = append(created, name)
		case old.Content != next[name].Content:
			modified = append(modified, name)
		default:
			next[name] = old
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Bundle)) {
		if next[name] == nil {
			deleted = append(deleted, name)
		}
	}
	diff := form.Object{}
	for key, names := range map[string][]string{"created": created, "modified": modified, "deleted": deleted} {
		if len(names) > 0 {
			diff[key] = names
		}
	}
	if r.Query.Get("dry") == "true" {
		return exchange.OK(diff)
	}
	p.Bundle = next
	return &exchange.Answer{Status: http.StatusCreated, Body: diff}
}

// parseBundle returns the policies by the names that the documents declare, or
// what is wrong with them.
func parseBundle(s *engine.Engine, documents map[string]string) (bundle map[string]*world.PolicyDocument, problem string) {
	bundle = map[string]*world.PolicyDocument{}
	count := map[string]int{}
	var bad, foreign, twice []string
	for _, file := range slices.Sorted(maps.Keys(documents)) {
		pkg, name, err := regoName(documents[file])
		if err != nil {
			bad = append(bad, fmt.Sprintf("failed to parse file: %q: %v", file, err))
			continue
		}
		if pkg != "org" {
			foreign = append(foreign, fmt.Sprintf("%q: invalid package name: expected one of packages [org] but got %q", name, "package "+pkg))
		}
		if count[name]++; count[name] == 2 {
			twice = append(twice, name)
		}
		bundle[name] = &world.PolicyDocument{Content: documents[file], Created: s.Now(), By: s.Me}
	}
	for i, name := range twice {
		twice[i] = fmt.Sprintf("policy %q declared %d times", name, count[name])
	}
	switch {
	case len(bad) > 0:
		return nil, "failed to parse policy file(s): " + severalErrors(bad)
	case len(twice) > 0:
		return nil, "failed to parse bundle: " + severalErrors(twice)
	case len(foreign) > 0:
		return nil, "failed policy linting: " + severalErrors(foreign)
	}
	return bundle, ""
}

func severalErrors(all []string) string {
	if len(all) == 1 {
		return all[0]
	}
	return strconv.Itoa(len(all)) + " error(s) occurred: " + strings.Join(all, "; ")
}

func decide(s *engine.Engine, r *exchange.Request, p *world.PolicyState) *exchange.Answer {
	var in struct {
		Input    *string        `json:"input"`
		Metadata map[string]any `json:"metadata"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	if in.Input == nil {
		return exchange.Failure(http.StatusBadRequest, "input: is required.")
	}
	documents := map[string]string{}
	for name, d := range p.Bundle {
		documents[name] = d.Content
	}
	decision, err := decideBy(s.World, r.HTTP.Context(), p, documents, *in.Input, in.Metadata)
	if err != nil {
		return exchange.Failure(http.StatusInternalServerError, "circlecitest: the policy engine: "+err.Error())
	}
	l := &world.DecisionLog{ID: s.NewID(), Created: s.Now(), Decision: decision, Metadata: in.Metadata, Bundle: maps.Clone(p.Bundle)}
	p.Decisions = world.LastOf(append(p.Decisions, l), s.Runs.Keep)
	return exchange.OK(decisionView(l.Decision))
}

// listDecisions returns a bare array, newest first.
func listDecisions(_ *engine.Engine, r *exchange.Request, p *world.PolicyState) *exchange.Answer {
	var bounds [2]time.Time
	for i, name := range []string{"after", "before"} {
		text := r.Query.Get(name)
		if text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return exchange.Failure(http.StatusBadRequest, name+": must be a valid date.")
		}
		bounds[i] = t
	}
	offset, err := strconv.Atoi(r.Query.Get("offset"))
	if err != nil && r.Query.Has("offset") || offset < 0 {
		return exchange.Failure(http.StatusBadRequest, "offset: must be a number.")
	}
	after, before := bounds[0], bounds[1]
	all := []any{}
	for _, l := range slices.Backward(p.Decisions) {
		if matches(l, r) && (after.IsZero() || l.Created.After(after)) && (before.IsZero() || l.Created.Before(before)) {
			all = append(all, decisionLogView(l))
		}
	}
	all = all[min(offset, len(all)):]
	return exchange.OK(all[:min(decisionPageSize, len(all))])
}

func matches(l *world.DecisionLog, r *exchange.Request) bool {
	vcs, _ := l.Metadata["vcs"].(map[string]any)
	for name, value := range map[string]any{
		"status": l.Decision.Status, "branch": vcs["branch"], "project_id": l.Metadata["project_id"], "build_number": l.Metadata["build_number"],
	} {
		if want := r.Query.Get(name); want != "" && want != plain(value) {
			return false
		}
	}
	return true
}

// plain returns a value of metadata in the form of a query parameter.
func plain(value any) string {
	if n, ok := value.(float64); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

// decideBy returns the decision that the test has set, or else the engine's.
func decideBy(s *world.World, ctx context.Context, p *world.PolicyState, policies map[string]string, input string, metadata map[string]any) (circleci.Decision, error) {
	switch {
	case len(p.Next) > 0:
		next := p.Next[0]
		if len(p.Next) > 1 {
			p.Next = p.Next[1:]
		}
		return next, nil
	case s.Policies != nil:
		return s.Policies.Decide(ctx, policies, input, metadata)
	case len(policies) == 0:
		return circleci.Decision{Status: circleci.DecisionStatusPass}, nil
	}
	return circleci.Decision{Status: circleci.DecisionStatusError, Reason: "circlecitest decides nothing by itself: use WithPolicyEngine or SetPolicyDecisions"}, nil
}

func decisionView(d circleci.Decision) form.Object {
	view := form.Object{"status": d.Status}.Put("reason", d.Reason)
	if len(d.EnabledRules) > 0 {
		view["enabled_rules"] = d.EnabledRules
	}
	for key, violations := range map[string][]circleci.Violation{"hard_failures": d.HardFailures, "soft_failures": d.SoftFailures} {
		var all []any
		for _, v := range violations {
			all = append(all, form.Object{"rule": v.Rule, "reason": v.Reason})
		}
		if all != nil {
			view[key] = all
		}
	}
	return view
}

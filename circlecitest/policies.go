package circlecitest

import (
	"context"
	"slices"

	"github.com/circleci-go/circleci"
)

// PolicyEngine decides whether a configuration complies with the policies of an
// organization.
type PolicyEngine interface {
	// Decide evaluates policies, given as Rego source by policy name. The input
	// is the configuration's YAML text. The metadata is what the caller sent; it
	// may be nil.
	Decide(ctx context.Context, policies map[string]string, input string, metadata map[string]any) (circleci.Decision, error)
}

// WithPolicyEngine sets the engine that makes policy decisions. Package
// circlecitest/opa has an engine that uses Open Policy Agent. Without an
// engine, decisions are those of [Server.SetPolicyDecisions]; an organization
// without those gets the status PASS if it has no policies, and ERROR if it has
// some.
func WithPolicyEngine(e PolicyEngine) Option { return func(s *Server) { s.engine.Policies = e } }

// SetPolicyDecisions sets the policy decisions of an organization: the next
// decision is the first one, and so on; the last one is repeated. They take
// precedence over the engine; call it without decisions to use the engine
// again. The organization is added if it does not exist.
func (s *Server) SetPolicyDecisions(slug circleci.OrgSlug, decisions ...circleci.Decision) {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.AddOrg(string(slug)).Policies.Next = slices.Clone(decisions)
}

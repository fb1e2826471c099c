package world

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// PolicyState is the state of an organization's config policies.
type PolicyState struct {
	Bundle    map[string]*PolicyDocument
	Enabled   bool
	Decisions []*DecisionLog      // the oldest first
	Next      []circleci.Decision // set by the test, in order; the last is repeated
}

// PolicyDocument is a policy of a bundle.
type PolicyDocument struct {
	Content string
	Created time.Time
	By      *User
}

// DecisionLog is a decision with its inputs.
type DecisionLog struct {
	ID       uuid.UUID
	Created  time.Time
	Decision circleci.Decision
	Metadata map[string]any
	Bundle   map[string]*PolicyDocument
}

// PolicyEngine makes policy decisions: see circlecitest.PolicyEngine.
type PolicyEngine interface {
	Decide(ctx context.Context, policies map[string]string, input string, metadata map[string]any) (circleci.Decision, error)
}

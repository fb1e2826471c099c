package world

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// PolicyState is what an organization has of config policies.
type PolicyState struct {
	Bundle    map[string]*PolicyDocument
	Enabled   bool
	Decisions []*DecisionLog      // the oldest first
	Next      []circleci.Decision // what the test says, in turn; the last goes on
}

// PolicyDocument is a policy of a bundle.
type PolicyDocument struct {
	Content string
	Created time.Time
	By      *User
}

// DecisionLog is a decision with what it was made of.
type DecisionLog struct {
	ID       uuid.UUID
	Created  time.Time
	Decision circleci.Decision
	Metadata map[string]any
	Bundle   map[string]*PolicyDocument
}

// PolicyEngine decides policies: circlecitest.PolicyEngine says more.
type PolicyEngine interface {
	Decide(ctx context.Context, policies map[string]string, input string, metadata map[string]any) (circleci.Decision, error)
}

package apiv3

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// ContextsService manages contexts, their environment variables and their
// restrictions.
type ContextsService service

// Context is a set of environment variables.
type Context struct {
	ID        uuid.UUID `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	// OrgID is zero in lists.
	OrgID uuid.UUID `json:"org_id,omitzero"`
}

// ListContextsOptions are the options of [ContextsService.ListForOrg].
type ListContextsOptions struct {
	// Name limits the list to contexts whose names contain it, ignoring case.
	Name string
	// Limit is the number of items on a page, at most 250. If it is 0, the API
	// chooses.
	Limit int
}

// ListForOrg lists the contexts of an organization.
//
//circleci:operation GET /api/v3/contexts
func (s *ContextsService) ListForOrg(orgID uuid.UUID, o *ListContextsOptions, opts ...circleci.RequestOption) *circleci.Pager[Context] {
	r := get("/api/v3/contexts").require("filter[org_id]", orgID)
	if o != nil {
		r = r.filter("filter[name]", o.Name).limit(o.Limit)
	}
	return list[Context](s.client, r, opts)
}

// CreateContextRequest describes a new context.
type CreateContextRequest struct {
	OrgID uuid.UUID `json:"-"`
	Name  string    `json:"name"`
}

func (r CreateContextRequest) check() (name, reason string) {
	if r.Name == "" {
		return "name", missing
	}
	return "", ""
}

// Create creates a context.
//
//circleci:operation POST /api/v3/contexts
func (s *ContextsService) Create(ctx context.Context, in CreateContextRequest, opts ...circleci.RequestOption) (*Context, error) {
	return one[Context](ctx, s.client, post("/api/v3/contexts").create(in, references{"org": in.OrgID}), opts)
}

// Get returns the context with the given ID, or an error matching
// [circleci.ErrNotFound].
//
//circleci:operation GET /api/v3/contexts/{id}
func (s *ContextsService) Get(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) (*Context, error) {
	return one[Context](ctx, s.client, get("/api/v3/contexts/{id}", id), opts)
}

// Delete deletes a context with its environment variables and restrictions.
// This cannot be undone.
//
//circleci:operation DELETE /api/v3/contexts/{id}
func (s *ContextsService) Delete(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) error {
	return exec(ctx, s.client, remove("/api/v3/contexts/{id}", id), opts)
}

// EnvVar is an environment variable of a context. The API never returns its
// value.
type EnvVar struct {
	Name string `json:"name"`
	// TruncatedValue is the last characters of the value.
	TruncatedValue string    `json:"truncated_value,omitzero"`
	CreatedAt      time.Time `json:"created_at,omitzero"`
	UpdatedAt      time.Time `json:"updated_at,omitzero"`
	ContextID      uuid.UUID `json:"context_id,omitzero"`
}

// ListEnvVars lists the environment variables of a context, without their
// values.
//
//circleci:operation GET /api/v3/contexts/{id}/env-vars
func (s *ContextsService) ListEnvVars(id uuid.UUID, opts ...circleci.RequestOption) *circleci.Pager[EnvVar] {
	return list[EnvVar](s.client, get("/api/v3/contexts/{id}/env-vars", id), opts)
}

// SetEnvVarRequest holds the name and value of an environment variable of a
// context.
type SetEnvVarRequest struct {
	Name  string          `json:"name"`
	Value circleci.Secret `json:"value"`
}

func (r SetEnvVarRequest) check() (name, reason string) {
	if r.Name == "" {
		return "name", missing
	}
	return "", ""
}

// SetEnvVar creates or updates an environment variable of a context.
//
//circleci:operation POST /api/v3/contexts/{id}/env-vars/set
func (s *ContextsService) SetEnvVar(ctx context.Context, id uuid.UUID, in SetEnvVarRequest, opts ...circleci.RequestOption) error {
	return exec(ctx, s.client, post("/api/v3/contexts/{id}/env-vars/set", id).body(in).idempotent(), opts)
}

// DeleteEnvVar deletes an environment variable of a context.
//
//circleci:operation DELETE /api/v3/contexts/{id}/env-vars
func (s *ContextsService) DeleteEnvVar(ctx context.Context, id uuid.UUID, name string, opts ...circleci.RequestOption) error {
	r := remove("/api/v3/contexts/{id}/env-vars", id).filter("filter[name]", name)
	if name == "" {
		r = r.refuse("filter[name]", missing)
	}
	return exec(ctx, s.client, r, opts)
}

// Restriction limits who may use a context.
type Restriction struct {
	// ID is unique only within its context.
	ID        uuid.UUID                `json:"id"`
	ContextID uuid.UUID                `json:"context_id,omitzero"`
	Type      circleci.RestrictionType `json:"restriction_type"`
	// MatchPattern is the ID of the project or group, or the expression.
	MatchPattern string `json:"match_pattern"`
	// Name is the name of the project or group, if the API returns it.
	Name string `json:"name,omitzero"`
}

// ListRestrictions lists the restrictions of a context, all on one page.
//
//circleci:operation GET /api/v3/context-restrictions
func (s *ContextsService) ListRestrictions(contextID uuid.UUID, opts ...circleci.RequestOption) *circleci.Pager[Restriction] {
	return list[Restriction](s.client, get("/api/v3/context-restrictions").require("filter[context_id]", contextID), opts)
}

// CreateRestrictionRequest describes a new restriction of a context.
type CreateRestrictionRequest struct {
	ContextID uuid.UUID                `json:"-"`
	Type      circleci.RestrictionType `json:"restriction_type"`
	// MatchPattern is the ID of a project or group, or an expression. The ID of
	// the organization as a group means all of its members.
	MatchPattern string `json:"match_pattern"`
}

func (r CreateRestrictionRequest) check() (name, reason string) {
	switch {
	case r.Type == "":
		return "restriction_type", missing
	case r.MatchPattern == "":
		return "match_pattern", missing
	}
	return "", ""
}

// CreateRestriction adds a restriction to a context.
//
//circleci:operation POST /api/v3/context-restrictions
func (s *ContextsService) CreateRestriction(ctx context.Context, in CreateRestrictionRequest, opts ...circleci.RequestOption) (*Restriction, error) {
	return one[Restriction](ctx, s.client, post("/api/v3/context-restrictions").create(in, references{"context": in.ContextID}), opts)
}

// DeleteRestriction removes a restriction from a context.
//
//circleci:operation DELETE /api/v3/context-restrictions/{id}
func (s *ContextsService) DeleteRestriction(ctx context.Context, contextID, id uuid.UUID, opts ...circleci.RequestOption) error {
	return exec(ctx, s.client, remove("/api/v3/context-restrictions/{id}", id).require("filter[context_id]", contextID), opts)
}

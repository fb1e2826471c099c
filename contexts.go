package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// ContextsService manages contexts: sets of environment variables that an
// organization's projects share, with restrictions on who may use them.
//
// If a context does not exist, or the token may not read it, the API responds
// with 403 Forbidden and the error matches [ErrForbidden].
type ContextsService service

// Context is a set of environment variables.
type Context struct {
	ID        uuid.UUID `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`

	// OrgID, EnvVars and Restrictions are undocumented. The live API returns
	// them from Get, but not in lists.
	OrgID        uuid.UUID            `json:"org_id,omitzero"`
	EnvVars      []ContextEnvVar      `json:"environment_variables,omitzero"`
	Restrictions []ContextRestriction `json:"restrictions,omitzero"`
}

func (c *Context) key() itemKey { return itemKey{id: c.ID} }

// ContextOwner identifies the owner of a context. Create one with [OwnerByID],
// [OwnerBySlug] or [OwnerByAccountID].
type ContextOwner struct{ sent[contextOwnerBody] }

type contextOwnerBody struct {
	ID   uuid.UUID        `json:"id,omitzero"`
	Slug OrgSlug          `json:"slug,omitzero"`
	Type ContextOwnerType `json:"type"`
}

// ContextOwnerType is the type of a context's owner.
type ContextOwnerType string

// The types of context owners.
const (
	ContextOwnerTypeOrganization ContextOwnerType = "organization"
	ContextOwnerTypeAccount      ContextOwnerType = "account" // on self-hosted servers
)

// OwnerByID returns the owner for the organization with the given ID.
func OwnerByID(id uuid.UUID) (o ContextOwner) {
	o.body.ID, o.body.Type = id, ContextOwnerTypeOrganization
	return o
}

// OwnerBySlug returns the owner for the organization with the given slug.
func OwnerBySlug(slug OrgSlug) (o ContextOwner) {
	o.body.Slug, o.body.Type = slug, ContextOwnerTypeOrganization
	return o
}

// OwnerByAccountID returns the owner for the account with the given ID, on a
// self-hosted server.
func OwnerByAccountID(id uuid.UUID) (o ContextOwner) {
	o.body.ID, o.body.Type = id, ContextOwnerTypeAccount
	return o
}

func (o ContextOwner) query(q *encode.Query) {
	q.UUID("owner-id", o.body.ID)
	q.String("owner-slug", string(o.body.Slug))
	q.String("owner-type", string(o.body.Type))
}

func (o ContextOwner) check() error {
	if o.body.Slug != "" {
		return o.body.Slug.check()
	}
	if o.body.ID == uuid.Nil {
		return &ArgumentError{Name: "owner", Reason: "is missing: see OwnerByID and OwnerBySlug"}
	}
	return nil
}

// ListContextsOptions are the options of [ContextsService.List].
type ListContextsOptions struct {
	// IncludeEnvVars includes the environment variables of each context,
	// without their values. The option is undocumented; a server that does not
	// support it leaves the variables out.
	IncludeEnvVars bool
}

func (o *ListContextsOptions) query(q *encode.Query) {
	if o != nil {
		q.Bool("include-env-vars", o.IncludeEnvVars)
	}
}

// List lists the contexts of an owner.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/listContexts
//
//circleci:operation GET /context
func (s *ContextsService) List(owner ContextOwner, o *ListContextsOptions, opts ...RequestOption) *Pager[Context] {
	return list[Context](s.client, get("/context").query(owner).query(o).with(opts))
}

// Get returns the context with the given ID. If there is none, the error
// matches [ErrForbidden].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/getContext
//
//circleci:operation GET /context/{context_id}
func (s *ContextsService) Get(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*Context, error) {
	return do[Context](ctx, s.client, get("/context/{context_id}", id).with(opts))
}

// CreateContextRequest describes a new context.
type CreateContextRequest struct {
	Name  string       `json:"name"`
	Owner ContextOwner `json:"owner"`
}

func (r CreateContextRequest) check() error { return r.Owner.check() }

// Create creates a context. If the organization already has a context with this
// name, the error matches [ErrConflict].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/createContext
//
//circleci:operation POST /context
func (s *ContextsService) Create(ctx context.Context, in CreateContextRequest, opts ...RequestOption) (*Context, error) {
	return create[Context](ctx, s.client, post("/context").body(in).with(opts))
}

// Delete deletes a context with its environment variables and restrictions.
// This cannot be undone.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/deleteContext
//
//circleci:operation DELETE /context/{context_id}
func (s *ContextsService) Delete(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/context/{context_id}", id).with(opts))
}

// ContextEnvVar is an environment variable of a context. The API never returns
// its value.
type ContextEnvVar struct {
	Variable  string    `json:"variable"`
	ContextID uuid.UUID `json:"context_id,omitzero"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	// TruncatedValue is the last characters of the value, as a reminder. It is
	// undocumented, and set in lists only.
	TruncatedValue string `json:"truncated_value,omitzero"`
	// Message may be set instead of the other fields in the response to a
	// change.
	Message string `json:"message,omitzero"`
}

func (v *ContextEnvVar) key() itemKey { return itemKey{name: v.Variable} }

// ListEnvVars lists the environment variables of a context, without their
// values. A context has at most 100, which is one page.
//
// The API may return the same page for every page token. The iteration ends,
// without an error, at the first page that contains nothing new.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/listEnvironmentVariablesFromContext
//
//circleci:operation GET /context/{context_id}/environment-variable
func (s *ContextsService) ListEnvVars(id uuid.UUID, opts ...RequestOption) *Pager[ContextEnvVar] {
	return repeatingList[ContextEnvVar](s.client, get("/context/{context_id}/environment-variable", id).with(opts))
}

// SetEnvVarRequest holds the value of an environment variable of a context or a
// project.
type SetEnvVarRequest struct {
	Value Secret `json:"value"`
}

// SetEnvVar creates or updates an environment variable of a context. A context
// has at most 100; the API refuses another one with 400 Bad Request.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/addEnvironmentVariableToContext
//
//circleci:operation PUT /context/{context_id}/environment-variable/{env_var_name}
func (s *ContextsService) SetEnvVar(ctx context.Context, id uuid.UUID, name string, in SetEnvVarRequest, opts ...RequestOption) (*ContextEnvVar, error) {
	return do[ContextEnvVar](ctx, s.client, put("/context/{context_id}/environment-variable/{env_var_name}", id, name).body(in).with(opts))
}

// DeleteEnvVar deletes an environment variable of a context.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/deleteEnvironmentVariableFromContext
//
//circleci:operation DELETE /context/{context_id}/environment-variable/{env_var_name}
func (s *ContextsService) DeleteEnvVar(ctx context.Context, id uuid.UUID, name string, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/context/{context_id}/environment-variable/{env_var_name}", id, name).with(opts))
}

// RestrictionType is the type of a context restriction.
type RestrictionType string

// The types of context restrictions.
const (
	RestrictionTypeProject    RestrictionType = "project"
	RestrictionTypeExpression RestrictionType = "expression"
	RestrictionTypeGroup      RestrictionType = "group"
)

// ContextRestriction limits who may use a context.
type ContextRestriction struct {
	ID        uuid.UUID `json:"id"`
	ContextID uuid.UUID `json:"context_id,omitzero"`
	// ProjectID is the project of a project restriction; otherwise zero.
	ProjectID uuid.UUID `json:"project_id,omitzero"`
	// Name is the name of the project or group. It is empty in the response to
	// CreateRestriction.
	Name string          `json:"name,omitzero"`
	Type RestrictionType `json:"restriction_type"`
	// Value is the ID of the project or group, or the expression.
	Value string `json:"restriction_value"`
}

func (r *ContextRestriction) key() itemKey { return itemKey{id: r.ID} }

// ListRestrictions lists the restrictions of a context.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/getContextRestrictions
//
//circleci:operation GET /context/{context_id}/restrictions
func (s *ContextsService) ListRestrictions(id uuid.UUID, opts ...RequestOption) *Pager[ContextRestriction] {
	return list[ContextRestriction](s.client, get("/context/{context_id}/restrictions", id).with(opts))
}

// CreateRestrictionRequest describes a new restriction. Create one with
// [ProjectRestriction], [ExpressionRestriction] or [GroupRestriction].
type CreateRestrictionRequest struct {
	Type  RestrictionType `json:"restriction_type"`
	Value string          `json:"restriction_value"`
}

// ProjectRestriction returns a restriction that allows the jobs of a project to
// use the context.
func ProjectRestriction(projectID uuid.UUID) CreateRestrictionRequest {
	return CreateRestrictionRequest{RestrictionTypeProject, projectID.String()}
}

// ExpressionRestriction returns a restriction that allows a job to use the
// context if an expression over its pipeline values is true.
func ExpressionRestriction(expression string) CreateRestrictionRequest {
	return CreateRestrictionRequest{RestrictionTypeExpression, expression}
}

// GroupRestriction returns a restriction that allows the members of a group to
// use the context.
func GroupRestriction(groupID uuid.UUID) CreateRestrictionRequest {
	return CreateRestrictionRequest{RestrictionTypeGroup, groupID.String()}
}

func (r CreateRestrictionRequest) check() error {
	if r.Type == "" || r.Value == "" || r.Value == uuid.Nil.String() {
		return &ArgumentError{Name: "restriction", Reason: "has no type or no value"}
	}
	return nil
}

// CreateRestriction adds a restriction to a context.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/createContextRestriction
//
//circleci:operation POST /context/{context_id}/restrictions
func (s *ContextsService) CreateRestriction(ctx context.Context, id uuid.UUID, in CreateRestrictionRequest, opts ...RequestOption) (*ContextRestriction, error) {
	return create[ContextRestriction](ctx, s.client, post("/context/{context_id}/restrictions", id).body(in).with(opts))
}

// DeleteRestriction removes a restriction from a context.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/deleteContextRestriction
//
//circleci:operation DELETE /context/{context_id}/restrictions/{restriction_id}
func (s *ContextsService) DeleteRestriction(ctx context.Context, id, restrictionID uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/context/{context_id}/restrictions/{restriction_id}", id, restrictionID).with(opts))
}

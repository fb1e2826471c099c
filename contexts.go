package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// ContextsService works with contexts: sets of environment variables that an
// organization's projects share, and the restrictions on who may use them.
//
// For a context that does not exist or that the token may not see the API
// answers 403, an error that matches [ErrForbidden].
type ContextsService service

// Context is a set of environment variables.
type Context struct {
	ID        uuid.UUID `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`

	// OrgID, EnvVars and Restrictions are undocumented; the live API sends
	// them for a single context.
	OrgID        uuid.UUID            `json:"org_id,omitzero"`
	EnvVars      []ContextEnvVar      `json:"environment_variables,omitzero"`
	Restrictions []ContextRestriction `json:"restrictions,omitzero"`
}

func (c *Context) key() itemKey { return itemKey{id: c.ID} }

// ContextOwner is who a context belongs to: see [OwnerByID], [OwnerBySlug] and
// [OwnerByAccountID].
type ContextOwner struct{ sent[contextOwnerBody] }

type contextOwnerBody struct {
	ID   uuid.UUID        `json:"id,omitzero"`
	Slug OrgSlug          `json:"slug,omitzero"`
	Type ContextOwnerType `json:"type"`
}

// ContextOwnerType is the kind of a context's owner.
type ContextOwnerType string

// The kinds of owners.
const (
	ContextOwnerTypeOrganization ContextOwnerType = "organization"
	ContextOwnerTypeAccount      ContextOwnerType = "account" // on self-hosted servers
)

// OwnerByID is the organization with this ID.
func OwnerByID(id uuid.UUID) (o ContextOwner) {
	o.body.ID, o.body.Type = id, ContextOwnerTypeOrganization
	return o
}

// OwnerBySlug is the organization with this slug.
func OwnerBySlug(slug OrgSlug) (o ContextOwner) {
	o.body.Slug, o.body.Type = slug, ContextOwnerTypeOrganization
	return o
}

// OwnerByAccountID is the account with this ID, on a self-hosted server.
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

// ListContextsOptions says what to return of the contexts.
type ListContextsOptions struct {
	// IncludeEnvVars adds the variables of each context to it, without their
	// values. It is not in CircleCI's document, and a server that does not know
	// it leaves them out.
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

// Get returns the context with the given ID, or an error matching
// [ErrForbidden] if there is none.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/getContext
//
//circleci:operation GET /context/{context_id}
func (s *ContextsService) Get(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*Context, error) {
	return do[Context](ctx, s.client, get("/context/{context_id}", id).with(opts))
}

// CreateContextRequest is a new context.
type CreateContextRequest struct {
	Name  string       `json:"name"`
	Owner ContextOwner `json:"owner"`
}

func (r CreateContextRequest) check() error { return r.Owner.check() }

// Create creates a context. The name has to be new in the organization; else
// the error matches [ErrConflict].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/createContext
//
//circleci:operation POST /context
func (s *ContextsService) Create(ctx context.Context, in CreateContextRequest, opts ...RequestOption) (*Context, error) {
	return do[Context](ctx, s.client, post("/context").body(in).with(opts))
}

// Delete deletes a context with its variables and restrictions. It cannot be
// undone.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/deleteContext
//
//circleci:operation DELETE /context/{context_id}
func (s *ContextsService) Delete(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/context/{context_id}", id).with(opts))
}

// ContextEnvVar is an environment variable of a context. The API never tells
// its value.
type ContextEnvVar struct {
	Variable  string    `json:"variable"`
	ContextID uuid.UUID `json:"context_id,omitzero"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	// TruncatedValue is the end of the value, as a reminder. It is
	// undocumented, and in lists only.
	TruncatedValue string `json:"truncated_value,omitzero"`
	// Message is what the API may answer to a change in place of the rest.
	Message string `json:"message,omitzero"`
}

func (v *ContextEnvVar) key() itemKey { return itemKey{name: v.Variable} }

// ListEnvVars lists the names of a context's variables. A context has 100 at
// most, which is one page.
//
// The API may return that page under every token; the iteration ends, without
// an error, at the first page that has nothing new.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/listEnvironmentVariablesFromContext
//
//circleci:operation GET /context/{context_id}/environment-variable
func (s *ContextsService) ListEnvVars(id uuid.UUID, opts ...RequestOption) *Pager[ContextEnvVar] {
	return repeatingList[ContextEnvVar](s.client, get("/context/{context_id}/environment-variable", id).with(opts))
}

// SetEnvVarRequest is the value of an environment variable, of a context or of
// a project.
type SetEnvVarRequest struct {
	Value Secret `json:"value"`
}

// SetEnvVar creates or changes a variable of a context. A context takes 100;
// one more is refused with a 400.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/addEnvironmentVariableToContext
//
//circleci:operation PUT /context/{context_id}/environment-variable/{env_var_name}
func (s *ContextsService) SetEnvVar(ctx context.Context, id uuid.UUID, name string, in SetEnvVarRequest, opts ...RequestOption) (*ContextEnvVar, error) {
	return do[ContextEnvVar](ctx, s.client, put("/context/{context_id}/environment-variable/{env_var_name}", id, name).body(in).with(opts))
}

// DeleteEnvVar deletes a variable of a context.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/deleteEnvironmentVariableFromContext
//
//circleci:operation DELETE /context/{context_id}/environment-variable/{env_var_name}
func (s *ContextsService) DeleteEnvVar(ctx context.Context, id uuid.UUID, name string, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/context/{context_id}/environment-variable/{env_var_name}", id, name).with(opts))
}

// RestrictionType is the kind of a context's restriction.
type RestrictionType string

// The kinds of restrictions.
const (
	RestrictionTypeProject    RestrictionType = "project"
	RestrictionTypeExpression RestrictionType = "expression"
	RestrictionTypeGroup      RestrictionType = "group"
)

// ContextRestriction limits who may use a context.
type ContextRestriction struct {
	ID        uuid.UUID `json:"id"`
	ContextID uuid.UUID `json:"context_id,omitzero"`
	// ProjectID is the project of a restriction to a project.
	ProjectID uuid.UUID `json:"project_id,omitzero"`
	// Name is the name of the project or group; the answer to a creation has
	// none.
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

// CreateRestrictionRequest is a new restriction: see [ProjectRestriction],
// [ExpressionRestriction] and [GroupRestriction].
type CreateRestrictionRequest struct {
	Type  RestrictionType `json:"restriction_type"`
	Value string          `json:"restriction_value"`
}

// ProjectRestriction lets the jobs of one project use the context.
func ProjectRestriction(projectID uuid.UUID) CreateRestrictionRequest {
	return CreateRestrictionRequest{RestrictionTypeProject, projectID.String()}
}

// ExpressionRestriction lets those jobs use the context for which an
// expression over pipeline values is true.
func ExpressionRestriction(expression string) CreateRestrictionRequest {
	return CreateRestrictionRequest{RestrictionTypeExpression, expression}
}

// GroupRestriction lets the members of a group use the context.
func GroupRestriction(groupID uuid.UUID) CreateRestrictionRequest {
	return CreateRestrictionRequest{RestrictionTypeGroup, groupID.String()}
}

func (r CreateRestrictionRequest) check() error {
	if r.Type == "" || r.Value == "" || r.Value == uuid.Nil.String() {
		return &ArgumentError{Name: "restriction", Reason: "lacks its type or its value"}
	}
	return nil
}

// CreateRestriction restricts a context further.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/createContextRestriction
//
//circleci:operation POST /context/{context_id}/restrictions
func (s *ContextsService) CreateRestriction(ctx context.Context, id uuid.UUID, in CreateRestrictionRequest, opts ...RequestOption) (*ContextRestriction, error) {
	return do[ContextRestriction](ctx, s.client, post("/context/{context_id}/restrictions", id).body(in).with(opts))
}

// DeleteRestriction lifts a restriction of a context.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Context/operation/deleteContextRestriction
//
//circleci:operation DELETE /context/{context_id}/restrictions/{restriction_id}
func (s *ContextsService) DeleteRestriction(ctx context.Context, id, restrictionID uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/context/{context_id}/restrictions/{restriction_id}", id, restrictionID).with(opts))
}

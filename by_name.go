package circleci

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// GetByName returns the context of an owner with exactly this name. It reads
// the owner's list of contexts. If there is no such context, the error matches
// [ErrNotFound]. If two contexts have the name, it returns an error: use the ID
// instead.
func (s *ContextsService) GetByName(ctx context.Context, owner ContextOwner, name string, opts ...RequestOption) (*Context, error) {
	return only(ctx, opts, func(opts []RequestOption) *Pager[Context] { return s.List(owner, nil, opts...) }, "context", name, func(c *Context) string { return c.Name })
}

// GetByName returns the group of an organization with exactly this name. It
// reads the organization's list of groups. If there is none, the error matches
// [ErrNotFound]. If two groups have the name, it returns an error: use the ID
// instead.
func (s *GroupsService) GetByName(ctx context.Context, orgID uuid.UUID, name string, opts ...RequestOption) (*Group, error) {
	return only(ctx, opts, func(opts []RequestOption) *Pager[Group] { return s.List(orgID, nil, opts...) }, "group", name, func(g *Group) string { return g.Name })
}

// GetByName returns the pipeline definition of a project with exactly this
// name. It reads the project's list of definitions. If there is none, the error
// matches [ErrNotFound]. If two definitions have the name, it returns an error:
// use the ID instead.
func (s *PipelineDefinitionsService) GetByName(ctx context.Context, projectID uuid.UUID, name string, opts ...RequestOption) (*PipelineDefinition, error) {
	return only(ctx, opts, func(opts []RequestOption) *Pager[PipelineDefinition] { return s.List(projectID, opts...) }, "pipeline definition", name, func(d *PipelineDefinition) string { return d.Name })
}

// only returns the one item of a list with the given name. It reads the whole
// list, because a second item would make the name ambiguous.
func only[T any](ctx context.Context, opts []RequestOption, list func([]RequestOption) *Pager[T], kind, name string, nameOf func(*T) string) (*T, error) {
	ctx, cancel, opts, err := composite(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	if err := required("name", name); err != nil {
		return nil, err
	}
	var found *T
	for item, err := range list(opts).All(ctx) {
		switch {
		case err != nil:
			return nil, err
		case nameOf(&item) != name:
		case found != nil:
			return nil, fmt.Errorf("circleci: more than one %s has the name %q: use the ID", kind, oneLine(name))
		default:
			found = &item
		}
	}
	if found == nil {
		return nil, fmt.Errorf("%w: no %s has the name %q", ErrNotFound, kind, oneLine(name))
	}
	return found, nil
}

package circleci

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// SyncEnvVarsOptions configures [ContextsService.SyncEnvVars]. Nil means a dry
// run without deletions.
type SyncEnvVarsOptions struct {
	// Apply makes the changes. If it is false, nothing is changed, and the diff
	// contains what would change.
	Apply bool
	// Delete deletes the variables that are not given. If it is false, they are
	// kept.
	Delete bool
}

// EnvVarsDiff contains the names of the variables that a sync changes. It
// contains no values.
type EnvVarsDiff struct {
	// Created variables do not exist yet. Updated variables exist; they are
	// always written, because the API does not return values to compare.
	Created, Updated []string
	// Deleted and Kept variables exist but are not given.
	Deleted, Kept []string
}

// String returns a line for each variable, with a sign and its name: + for
// created, ~ for updated, - for deleted, and a space for kept.
func (d *EnvVarsDiff) String() string {
	var b strings.Builder
	for _, part := range []struct {
		sign  string
		names []string
	}{{"+", d.Created}, {"~", d.Updated}, {"-", d.Deleted}, {" ", d.Kept}} {
		for _, name := range part.names {
			fmt.Fprintf(&b, "%s %s\n", part.sign, oneLine(name))
		}
	}
	return b.String()
}

// maxContextEnvVars is the maximum number of variables of a context.
const maxContextEnvVars = 100

// SyncEnvVars sets the environment variables of a context to those given, and
// returns the changes. Without [SyncEnvVarsOptions.Apply], it changes nothing
// and returns what would change.
//
// The API changes one variable at a time. If a change fails, the diff contains
// the changes made before, and the error names the variable. [Timeout] limits
// the whole sync.
func (s *ContextsService) SyncEnvVars(ctx context.Context, id uuid.UUID, vars map[string]Secret, o *SyncEnvVarsOptions, opts ...RequestOption) (*EnvVarsDiff, error) {
	if _, ok := vars[""]; ok {
		return nil, &ArgumentError{Name: "variables", Reason: "contain an empty name"}
	}
	if o == nil {
		o = &SyncEnvVarsOptions{}
	}
	ctx, cancel, opts, err := composite(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	there, err := s.ListEnvVars(id, opts...).Collect(ctx)
	if err != nil {
		return nil, err
	}
	diff := diffEnvVars(there, vars, o.Delete)
	if n := len(vars) + len(diff.Kept); n > maxContextEnvVars {
		return nil, &ArgumentError{Name: "variables", Reason: fmt.Sprintf("would be %d: a context can have at most %d", n, maxContextEnvVars)}
	}
	if !o.Apply {
		return diff, nil
	}
	return s.applyEnvVars(ctx, id, vars, diff, opts)
}

func diffEnvVars(there []ContextEnvVar, vars map[string]Secret, remove bool) *EnvVarsDiff {
	diff := &EnvVarsDiff{}
	known := map[string]bool{}
	for _, v := range there {
		known[v.Variable] = true
		switch _, given := vars[v.Variable]; {
		case given:
			diff.Updated = append(diff.Updated, v.Variable)
		case remove:
			diff.Deleted = append(diff.Deleted, v.Variable)
		default:
			diff.Kept = append(diff.Kept, v.Variable)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if !known[name] {
			diff.Created = append(diff.Created, name)
		}
	}
	slices.Sort(diff.Updated)
	slices.Sort(diff.Deleted)
	slices.Sort(diff.Kept)
	return diff
}

// applyEnvVars makes the changes and returns those made. It orders them so that
// the context never has too many variables.
func (s *ContextsService) applyEnvVars(ctx context.Context, id uuid.UUID, vars map[string]Secret, diff *EnvVarsDiff, opts []RequestOption) (*EnvVarsDiff, error) {
	set := func(name string) error {
		_, err := s.SetEnvVar(ctx, id, name, SetEnvVarRequest{Value: vars[name]}, opts...)
		return err
	}
	remove := func(name string) error { return s.DeleteEnvVar(ctx, id, name, opts...) }
	done := &EnvVarsDiff{Kept: diff.Kept}
	for _, step := range []struct {
		names []string
		done  *[]string
		do    func(string) error
	}{{diff.Updated, &done.Updated, set}, {diff.Deleted, &done.Deleted, remove}, {diff.Created, &done.Created, set}} {
		for _, name := range step.names {
			if err := step.do(name); err != nil {
				return done, fmt.Errorf("circleci: variable %s: %w", oneLine(name), err)
			}
			*step.done = append(*step.done, name)
		}
	}
	return done, nil
}

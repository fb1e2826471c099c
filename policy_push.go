package circleci

import (
	"context"
	"io/fs"
	"path"
	"strings"

	"github.com/google/uuid"
)

// PushDirOptions configures [PolicyService.PushDir]. Nil means a dry run.
type PushDirOptions struct {
	// Apply makes the changes. If it is false, nothing is changed, and the diff
	// contains what would change.
	Apply bool
}

// PushDir replaces ALL policies of an organization with the Rego files in a
// directory and its subdirectories, and returns the changes. Without
// [PushDirOptions.Apply], it changes nothing and returns what would change.
// Test files, *_test.rego, are ignored. A directory without policies is
// refused, so that a wrong path does not delete all policies. To delete all
// policies, use [PolicyService.CreateBundle].
//
//	diff, err := client.Policy.PushDir(ctx, orgID, os.DirFS("policies"), nil)
func (s *PolicyService) PushDir(ctx context.Context, ownerID uuid.UUID, dir fs.FS, o *PushDirOptions, opts ...RequestOption) (*PolicyBundleDiff, error) {
	if dir == nil {
		return nil, &ArgumentError{Name: "dir", Reason: "is nil"}
	}
	policies := map[string]string{}
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".rego" || strings.HasSuffix(name, "_test.rego") {
			return err
		}
		content, err := fs.ReadFile(dir, name)
		policies[name] = string(content)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(policies) == 0 {
		return nil, &ArgumentError{Name: "directory", Reason: "contains no policies: no file name ends in .rego"}
	}
	return s.CreateBundle(ctx, ownerID, CreatePolicyBundleRequest{Policies: policies, DryRun: o == nil || !o.Apply}, opts...)
}

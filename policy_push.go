package circleci

import (
	"context"
	"io/fs"
	"path"
	"strings"

	"github.com/google/uuid"
)

// PushDirOptions says what [PolicyService.PushDir] may do.
type PushDirOptions struct {
	// Apply makes the changes. Without it nothing is changed, and the diff says
	// what would be.
	Apply bool
}

// PushDir replaces ALL policies of an organization by the Rego files of a
// directory and of those below it, and returns what that changes. Without
// [PushDirOptions.Apply] it changes nothing, and returns what would change.
// Tests, *_test.rego, are left out. A directory without policies is refused, so
// that a wrong path does not delete all policies: for that see
// [PolicyService.CreateBundle].
//
//	diff, err := client.Policy.PushDir(ctx, orgID, os.DirFS("policies"), nil)
func (s *PolicyService) PushDir(ctx context.Context, ownerID uuid.UUID, dir fs.FS, o *PushDirOptions, opts ...RequestOption) (*PolicyBundleDiff, error) {
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
		return nil, &ArgumentError{Name: "directory", Reason: "holds no policy: no file ends in .rego"}
	}
	return s.CreateBundle(ctx, ownerID, CreatePolicyBundleRequest{Policies: policies, DryRun: o == nil || !o.Apply}, opts...)
}

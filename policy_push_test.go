package circleci_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func rego(name string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("package org\n\npolicy_name[\"" + name + "\"]\n")}
}

func TestPushDir(t *testing.T) {
	srv := circlecitest.New(t)
	org := srv.AddOrg("gh/acme")
	c := srv.Client()
	dir := fstest.MapFS{
		"a.rego": rego("one"), "sub/dir/b.rego": rego("two"), "a_test.rego": rego("test"), "README.md": &fstest.MapFile{Data: []byte("# x")},
		"named-like-one.rego/README.md": &fstest.MapFile{Data: []byte("# y")},
	}
	diff, err := c.Policy.PushDir(t.Context(), org, dir, nil)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"one", "two"}, diff.Created)
	bundle, err := c.Policy.GetBundle(t.Context(), org)
	require.NoError(t, err)
	assert.Empty(t, bundle, "a dry run changes nothing")

	_, err = c.Policy.PushDir(t.Context(), org, dir, &circleci.PushDirOptions{Apply: true})
	require.NoError(t, err)
	delete(dir, "a.rego")
	diff, err = c.Policy.PushDir(t.Context(), org, dir, &circleci.PushDirOptions{Apply: true})
	require.NoError(t, err)
	assert.Equal(t, []string{"one"}, diff.Deleted, "all is replaced")

	_, err = c.Policy.PushDir(t.Context(), org, nil, nil)
	require.ErrorIs(t, err, circleci.ErrInvalidArgument)
	_, err = c.Policy.PushDir(t.Context(), org, os.DirFS(filepath.Join(t.TempDir(), "gone")), nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = c.Policy.PushDir(t.Context(), org, fstest.MapFS{"a.yml": rego("x")}, &circleci.PushDirOptions{Apply: true})
	require.ErrorIs(t, err, circleci.ErrInvalidArgument)
	bundle, err = c.Policy.GetBundle(t.Context(), org)
	require.NoError(t, err)
	assert.Contains(t, bundle, "two", "a wrong directory deletes nothing")
}

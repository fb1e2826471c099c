// Package internal has the rooms of package circlecitest.
package internal

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rooms are the packages below circlecitest. Each knows only those before it.
var rooms = []string{"form", "config", "world", "deliver", "engine", "exchange", "insights", "policy", "api", "weather"}

const (
	facade   = "github.com/circleci-go/circleci/circlecitest"
	maxLines = 400
)

func TestEachRoomKnowsOnlyThoseBelow(t *testing.T) {
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		level := slices.Index(rooms, e.Name())
		require.GreaterOrEqual(t, level, 0, "%s has no place among the rooms", e.Name())
		files, err := filepath.Glob(filepath.Join(e.Name(), "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			require.NoError(t, err)
			isTest := strings.HasSuffix(file, "_test.go")
			for _, spec := range parsed.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				require.NoError(t, err)
				assert.True(t, isTest || path != facade, "%s imports the façade", file)
				if room, isRoom := strings.CutPrefix(path, facade+"/internal/"); isRoom && !isTest {
					assert.Less(t, slices.Index(rooms, room), level, "%s imports %s, which is above it", file, room)
				}
			}
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	for _, root := range []string{"..", "../../cmd/circleci-fake"} {
		require.NoError(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" {
				return err
			}
			data, err := os.ReadFile(path)
			assert.LessOrEqual(t, bytes.Count(data, []byte("\n")), maxLines, "%s has too many lines", path)
			return err
		}))
	}
}

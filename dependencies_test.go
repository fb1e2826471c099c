package circleci_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every user's program links what these packages import. A module more is a
// decision, and stands in CONTRIBUTING.md and README.md.
func TestWhatAProgramLinks(t *testing.T) {
	client := []string{
		"github.com/apapsch/go-jsonmerge/v2",
		"github.com/circleci-go/circleci",
		"github.com/go-json-experiment/json",
		"github.com/google/uuid",
		"github.com/oapi-codegen/runtime",
	}
	for pkg, want := range map[string][]string{
		".":              client,
		"./webhook":      client,
		"./circlecitest": client,
		"./cliconfig":    append(slices.Clone(client), "go.yaml.in/yaml/v3"),
	} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", pkg).Output()
		require.NoError(t, err)
		modules := strings.Fields(string(out))
		slices.Sort(modules)
		assert.Equal(t, want, slices.Compact(modules), "what %s links", pkg)
	}
}

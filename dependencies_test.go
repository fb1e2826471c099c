package circleci_test

import (
	"encoding/json"
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
		"./apiv3":        client,
		"./cliconfig":    append(slices.Clone(client), "go.yaml.in/yaml/v3"),
		"./circlecitest": append(slices.Clone(client), "go.yaml.in/yaml/v3"),
	} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", pkg).Output()
		require.NoError(t, err)
		modules := strings.Fields(string(out))
		slices.Sort(modules)
		assert.Equal(t, want, slices.Compact(modules), "what %s links", pkg)
	}
}

// A program that does not use the API v3 does not link it.
func TestTheClientDoesNotImportV3(t *testing.T) {
	for _, pkg := range []string{".", "./webhook", "./cliconfig"} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg).Output()
		require.NoError(t, err)
		assert.NotContains(t, strings.Fields(string(out)), "github.com/circleci-go/circleci/apiv3", "what %s imports", pkg)
	}
}

// What go.mod requires, every user's build has to resolve.
func TestWhatTheModuleRequires(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json").Output()
	require.NoError(t, err)
	var module struct {
		Require                []struct{ Path string }
		Exclude, Replace, Tool []any
	}
	require.NoError(t, json.Unmarshal(out, &module))
	var required []string
	for _, one := range module.Require {
		required = append(required, one.Path)
	}
	slices.Sort(required)
	assert.Equal(t, []string{
		"github.com/apapsch/go-jsonmerge/v2",
		"github.com/go-json-experiment/json",
		"github.com/google/uuid",
		"github.com/jarcoal/httpmock",
		"github.com/oapi-codegen/runtime",
		"github.com/stretchr/testify",
		"go.yaml.in/yaml/v3",
	}, required, "a new one needs a reason in CONTRIBUTING.md")
	assert.Empty(t, module.Replace, "a replacement works in this repository, and for no user")
	assert.Empty(t, module.Exclude, "an exclusion works in this repository, and for no user")
	assert.Empty(t, module.Tool, "tools have a module of their own")
}

// A program that does not use module redislimit does not resolve Redis either.
func TestRedisIsNotInTheModuleGraph(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "all").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "github.com/google/uuid")
	assert.NotContains(t, strings.ToLower(string(out)), "redis")
}

package main

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/spec"
)

// A document with one mistake of each kind: each is found, and nothing else.
func TestEachKindOfDifferenceIsFound(t *testing.T) {
	differences, err := differencesTo(filepath.Join("testdata", "document.yaml"), "../../apiv3")
	require.NoError(t, err)
	undocumented := 0
	differences = slices.DeleteFunc(differences, func(d string) bool {
		if strings.HasPrefix(d, "route-undocumented ") {
			undocumented++
			return true
		}
		return false
	})
	assert.Equal(t, len(spec.V3)-3, undocumented)
	assert.Equal(t, []string{
		"query-undeclared GET /api/v3/contexts filter[name]",
		"query-unsendable GET /api/v3/contexts filter[kind]",
		"request-undeclared POST /api/v3/workflows/{id}/rerun is_ssh_enabled",
		"request-unsendable POST /api/v3/contexts description",
		"response-lost GET /api/v3/contexts updated_at",
		"response-lost POST /api/v3/contexts updated_at",
		"response-undeclared GET /api/v3/contexts org_id",
	}, differences)
}

// Each method's types are found, but for those that have none.
func TestTypesOfMethodsAreFound(t *testing.T) {
	methods, err := methodsOf("../../apiv3")
	require.NoError(t, err)
	for _, op := range spec.V3 {
		m := methods[op.Method+" "+op.Path]
		require.NotNil(t, m, op.Path)
		if op.Method == http.MethodGet && !strings.Contains(op.Path, "std") && !strings.HasSuffix(op.Path, "/tests") &&
			op.Path != "/api/v3/deploy/settings" {
			assert.NotNil(t, m.response, op.Path)
		}
	}
}

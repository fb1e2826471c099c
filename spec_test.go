package circleci_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/spec"
)

// serviceMethod is a method of a service that carries out an operation.
type serviceMethod struct {
	name       string   // Contexts.Get
	directives []string // METHOD /path
	routes     []string // the same, as the code has them
	lines      int      // of the body
	doc        string   // without the directive
	pos        string
}

// routeFuncs are the functions that take a route, with their methods.
var routeFuncs = map[string]string{
	"get": "GET", "post": "POST", "put": "PUT", "patch": "PATCH", "remove": "DELETE",
}

// serviceMethods reads them from the source of the package.
func serviceMethods(t testing.TB) []serviceMethod {
	t.Helper()
	files := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var all []serviceMethod
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil {
				continue
			}
			if m := methodOf(files, fn); len(m.directives)+len(m.routes) > 0 {
				all = append(all, m)
			}
		}
	}
	return all
}

func methodOf(files *token.FileSet, fn *ast.FuncDecl) serviceMethod {
	m := serviceMethod{
		lines: files.Position(fn.Body.Rbrace).Line - files.Position(fn.Body.Lbrace).Line - 1,
		pos:   files.Position(fn.Pos()).String(),
	}
	if star, ok := fn.Recv.List[0].Type.(*ast.StarExpr); ok {
		if id, ok := star.X.(*ast.Ident); ok {
			m.name = strings.TrimSuffix(id.Name, "Service") + "." + fn.Name.Name
		}
	}
	if fn.Doc != nil {
		m.doc = fn.Doc.Text()
		for _, c := range fn.Doc.List {
			if text, ok := strings.CutPrefix(c.Text, "//circleci:operation "); ok {
				m.directives = append(m.directives, text)
			}
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		id, ok := call.Fun.(*ast.Ident)
		if !ok || routeFuncs[id.Name] == "" {
			return true
		}
		if lit, ok := call.Args[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			route, _ := strconv.Unquote(lit.Value)
			m.routes = append(m.routes, routeFuncs[id.Name]+" "+route)
		}
		return true
	})
	return m
}

// The directives, the routes in the code and the pinned list of operations say
// the same, or the build fails.
func TestEveryMethodServesTheOperationItSays(t *testing.T) {
	listed := map[string]bool{}
	for _, op := range spec.Operations {
		listed[op.Method+" "+op.Path] = false
	}
	extra := map[string]bool{}
	for _, op := range spec.Extras {
		extra[op.Method+" "+op.Path] = false
	}
	for _, m := range serviceMethods(t) {
		if assert.Len(t, m.directives, 1, "%s: %s needs one circleci:operation directive", m.pos, m.name) {
			assert.Equal(t, m.directives, m.routes, "%s: %s: the directive and the route differ", m.pos, m.name)
			op := m.directives[0]
			_, isListed := listed[op]
			_, isExtra := extra[op]
			assert.True(t, isListed || isExtra, "%s: %s: %s is not in internal/spec", m.pos, m.name, op)
			if isListed {
				listed[op] = true
			} else {
				extra[op] = true
			}
		}
		assert.LessOrEqual(t, m.lines, 8, "%s: %s: the body is too long: look for the mechanism", m.pos, m.name)
	}
	report(t, "operations", listed)
	report(t, "extra operations", extra)
}

func report(t *testing.T, what string, served map[string]bool) {
	n := 0
	for op, ok := range served {
		if ok {
			n++
		} else {
			t.Errorf("no method serves %s", op)
		}
	}
	t.Logf("coverage: %d of %d %s", n, len(served), what)
}

// Only one package uses each of the dependencies that are hidden behind it.
func TestDependenciesStayBehindTheirPackage(t *testing.T) {
	owners := map[string]string{
		"github.com/oapi-codegen/runtime":    "internal/encode",
		"github.com/go-json-experiment/json": "internal/wire",
	}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && path != "." {
				return filepath.SkipDir // a module of its own
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range file.Imports {
			name, _ := strconv.Unquote(imp.Path.Value)
			for dep, owner := range owners {
				if name == dep || strings.HasPrefix(name, dep+"/") {
					assert.Equal(t, owner, filepath.ToSlash(filepath.Dir(path)), "%s imports %s", path, name)
				}
			}
			if strings.HasPrefix(filepath.ToSlash(path), "internal/") {
				assert.NotEqual(t, "github.com/circleci-go/circleci", name, "%s imports the root package", path)
			}
		}
		return nil
	})
	require.NoError(t, err)
}

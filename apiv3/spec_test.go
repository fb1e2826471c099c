package apiv3_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/apiv3"
	"github.com/circleci-go/circleci/internal/spec"
)

// method is a method of a service that carries out an operation.
type method struct {
	name, doc          string
	directives, routes []string
	lines              int // of the body
}

var routeFuncs = map[string]string{"get": "GET", "post": "POST", "remove": "DELETE"}

// methods reads them from the source of the package.
func methods(t *testing.T) (all []method) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	files := token.NewFileSet()
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
			m := method{
				name:  fn.Name.Name,
				lines: files.Position(fn.Body.Rbrace).Line - files.Position(fn.Body.Lbrace).Line - 1,
			}
			if fn.Doc != nil {
				m.doc = fn.Doc.Text()
				for _, c := range fn.Doc.List {
					if text, ok := strings.CutPrefix(c.Text, "//circleci:operation "); ok {
						m.directives = append(m.directives, text)
					}
				}
			}
			m.routes = routesIn(fn.Body)
			if len(m.directives)+len(m.routes) > 0 {
				all = append(all, m)
			}
		}
	}
	return all
}

// routesIn finds the routes that code asks for: literals, with the method of
// the function that they are passed to, or GET.
func routesIn(body ast.Node) (routes []string) {
	seen := map[string]bool{}
	ast.Inspect(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		lit, ok := call.Args[0].(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		route, _ := strconv.Unquote(lit.Value)
		if !strings.HasPrefix(route, "/api/v3/") {
			return true
		}
		verb := "GET" // of a step's output
		if id, ok := call.Fun.(*ast.Ident); ok {
			verb = routeFuncs[id.Name]
		}
		if key := verb + " " + route; !seen[key] {
			seen[key] = true
			routes = append(routes, key)
		}
		return true
	})
	return routes
}

// The directives, the routes in the code and the pinned list of operations say
// the same, or the build fails.
func TestEveryMethodServesTheOperationItSays(t *testing.T) {
	listed := map[string]spec.OperationV3{}
	served := map[string]bool{}
	for _, op := range spec.V3 {
		listed[op.Method+" "+op.Path] = op
		assert.Contains(t, []spec.Confidence{spec.High, spec.Medium}, op.Confidence, op.Path)
	}
	for _, m := range methods(t) {
		if !assert.Len(t, m.directives, 1, "%s needs one circleci:operation directive", m.name) {
			continue
		}
		assert.Equal(t, m.directives, m.routes, "%s: the directive and the route differ", m.name)
		op, ok := listed[m.directives[0]]
		assert.True(t, ok, "%s: %s is not in internal/spec", m.name, m.directives[0])
		served[m.directives[0]] = true
		assert.Equal(t, op.Experimental, strings.Contains(strings.Join(strings.Fields(m.doc), " "), "This operation is experimental and may change."), "%s: %s", m.name, m.directives[0])
	}
	for op := range listed {
		assert.True(t, served[op], "no method serves %s", op)
	}
	t.Logf("coverage: %d of %d operations", len(served), len(listed))
}

// Each parameter of the query that is sent is one that the operation has.
func TestQueriesAreKnown(t *testing.T) {
	known := map[string][]string{}
	for _, op := range spec.V3 {
		known[op.Method+" "+strings.TrimPrefix(op.Path, "/api/v3")] = op.Query
	}
	for _, c := range wireTests {
		v3, srv := client(t, response{status: c.status, body: c.response})
		_, err := c.call(t.Context(), v3)
		require.NoError(t, err)
		for name := range srv.requests[0].URL.Query() {
			assert.Contains(t, known[c.op], name, c.op)
		}
	}
}

// services are the services of a client, by the names of their types.
func services() map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for field := range reflect.TypeFor[apiv3.Client]().Fields() {
		if typ := field.Type; typ.Kind() == reflect.Pointer && strings.HasSuffix(typ.Elem().Name(), "Service") {
			all[typ.Elem().Name()] = typ
		}
	}
	return all
}

// A field without a tag is sent under a name that the API ignores or refuses.
func TestTypesAreTagged(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var check func(typ reflect.Type)
	check = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Array:
			check(typ.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if seen[typ] || typ == reflect.TypeFor[apiv3.OutputPosition]() || typ.Name() != "" && typ.PkgPath() != reflect.TypeFor[apiv3.Client]().PkgPath() {
			return
		}
		seen[typ] = true
		for field := range typ.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			assert.NotEmpty(t, name, "%s.%s has no json tag", typ, field.Name)
			check(field.Type)
		}
	}
	for name, service := range services() {
		require.NotEqual(t, 0, service.NumMethod(), name)
		for m := range service.Methods() {
			for out := range m.Type.Outs() {
				check(out)
			}
			for in := range m.Type.Ins() {
				if strings.HasSuffix(in.Name(), "Request") && in.Name() != "SearchRunsRequest" {
					check(in)
				}
			}
		}
	}
	for _, result := range []any{
		apiv3.Run{}, apiv3.Workflow{}, apiv3.Job{}, apiv3.Artifact{}, apiv3.Test{}, apiv3.Project{}, apiv3.Org{}, apiv3.Group{},
		apiv3.Context{}, apiv3.EnvVar{}, apiv3.Restriction{}, apiv3.Pipeline{}, apiv3.Trigger{}, apiv3.Connection{},
		apiv3.ProviderRepository{}, apiv3.Deployment{}, apiv3.Environment{}, apiv3.Component{}, apiv3.ComponentVersion{},
	} {
		check(reflect.TypeOf(result))
	}
}

// pkg.go.dev shows an example beside each service, and it is run.
func TestEachServiceHasARunnableExample(t *testing.T) {
	names, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	var files []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	shown := map[string]bool{}
	for _, example := range doc.Examples(files...) {
		service, _, _ := strings.Cut(example.Name, "_")
		shown[service] = shown[service] || example.Output != ""
	}
	assert.Len(t, services(), 13)
	for name := range services() {
		assert.True(t, shown[name], "%s has no example with an output", name)
	}
}

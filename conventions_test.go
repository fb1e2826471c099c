package circleci_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/internal/spec"
)

// services are the services of a client, by the names of their types.
func services() map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for field := range reflect.TypeFor[circleci.Client]().Fields() {
		if t := field.Type; t.Kind() == reflect.Pointer && strings.HasSuffix(t.Elem().Name(), "Service") {
			all[t.Elem().Name()] = t
		}
	}
	return all
}

// requestTypes are the types of what the services' methods send as a body.
func requestTypes() []reflect.Type {
	var all []reflect.Type
	for _, service := range services() {
		for method := range service.Methods() {
			for in := range method.Type.Ins() {
				if strings.HasSuffix(in.Name(), "Request") && !slices.Contains(all, in) {
					all = append(all, in)
				}
			}
		}
	}
	return all
}

// untagged lists what is wrong with the tags of a type that is sent, and of
// those below it.
func untagged(t reflect.Type, path string) (problems []string) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return untagged(t.Elem(), path)
	case reflect.Struct:
	default:
		return nil
	}
	if t.PkgPath() != "" && t.PkgPath() != reflect.TypeFor[circleci.Client]().PkgPath() &&
		t.PkgPath() != reflect.TypeFor[operationTest]().PkgPath() {
		return nil // a time
	}
	optional := isOptional(t)
	for field := range t.Fields() {
		at := path + "." + field.Name
		if optional {
			if field.Name == "value" {
				problems = append(problems, untagged(field.Type, path)...)
			}
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-":
			continue
		case !field.IsExported(): // what a type with constructors keeps
		case name == "":
			problems = append(problems, at+" has no json tag: it would be sent under its Go name")
		case (field.Type.Kind() == reflect.Pointer || isOptional(field.Type)) && !slices.Contains(strings.Split(options, ","), "omitzero"):
			problems = append(problems, at+" lacks omitzero: unset, it could not be left out")
		}
		problems = append(problems, untagged(field.Type, at)...)
	}
	return problems
}

func isOptional(t reflect.Type) bool { return strings.HasPrefix(t.Name(), "Optional[") }

// A field without a tag is sent under a name that the API ignores, and an
// update that cannot leave a field out destroys what was there.
func TestRequestsAreTagged(t *testing.T) {
	types := requestTypes()
	assert.Greater(t, len(types), 25)
	for _, typ := range types {
		assert.Empty(t, untagged(typ, typ.Name()))
	}
}

type (
	badRequest struct {
		Plain   string
		Pointer *string                       `json:"pointer"`
		Update  circleci.Optional[string]     `json:"update,omitempty"`
		Nested  circleci.Optional[badInner]   `json:"nested,omitzero"`
		List    []badInner                    `json:"list"`
		Opaque  struct{ body badInner }       `json:"opaque"`
		Query   bool                          `json:"-"`
		Good    circleci.Optional[[]string]   `json:"good,omitzero"`
		Source  circleci.EventSourceRequest   `json:"source"`
		Table   map[string]circleci.Timetable `json:"table"`
	}
	badInner struct{ Inner int }
)

func TestWhatIsWrongWithTagsIsFound(t *testing.T) {
	assert.Equal(t, []string{
		"r.Plain has no json tag: it would be sent under its Go name",
		"r.Pointer lacks omitzero: unset, it could not be left out",
		"r.Update lacks omitzero: unset, it could not be left out",
		"r.Nested.Inner has no json tag: it would be sent under its Go name",
		"r.List.Inner has no json tag: it would be sent under its Go name",
		"r.Opaque.body.Inner has no json tag: it would be sent under its Go name",
	}, untagged(reflect.TypeFor[badRequest](), "r"))
}

// The comment of a method leads to CircleCI's own words on the operation, or
// says that there are none.
func TestMethodsLinkTheirOperation(t *testing.T) {
	ids := map[string]string{}
	for _, op := range spec.Operations {
		ids[op.Method+" "+op.Path] = op.ID
	}
	for _, m := range serviceMethods(t) {
		words := strings.Join(strings.Fields(m.doc), " ")
		require.NotEmpty(t, m.directives, m.name)
		id := ids[m.directives[0]]
		if id == "" {
			assert.Contains(t, words, "in CircleCI's API specification", "%s: %s serves an extra: its comment has to say \"This operation is not in CircleCI's API specification.\"", m.pos, m.name)
			continue
		}
		_, link, _ := strings.Cut(m.doc, "\nCircleCI API: https://circleci.com/docs/api/v2/#tag/")
		_, operation, _ := strings.Cut(strings.TrimSpace(link), "/operation/")
		assert.Equal(t, id, operation, "%s: %s: the comment does not end with the link of its operation", m.pos, m.name)
	}
}

// The comment of a method says whether CircleCI server lacks the operation.
func TestMethodsSayWhatServersLack(t *testing.T) {
	unseen := map[string]bool{}
	for _, op := range slices.Concat(spec.NotOnServer, slices.Collect(maps.Keys(spec.ServerSince))) {
		unseen[op] = true
	}
	for _, m := range serviceMethods(t) {
		if len(m.directives) == 0 {
			continue // TestMethodsLinkTheirOperation reports it
		}
		lacks, since := slices.Contains(spec.NotOnServer, m.directives[0]), spec.ServerSince[m.directives[0]]
		assert.Equal(t, lacks, strings.Contains(m.doc, "\nNot available on CircleCI server.\n"), "%s: %s", m.pos, m.name)
		assert.Equal(t, since != "", strings.Contains(m.doc, "\nCircleCI server has this operation from version "+since+" on.\n"), "%s: %s", m.pos, m.name)
		delete(unseen, m.directives[0])
	}
	assert.Empty(t, unseen, "operations without a method")
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
		shown[service] = shown[service] || example.Output != "" || example.EmptyOutput
	}
	assert.NotEmpty(t, services())
	for name := range services() {
		assert.True(t, shown[name], "%s has no example with an output", name)
	}
}

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/circleci-go/circleci"
)

// source is what only the source of the package tells: the operations that the
// methods serve, the constants of the enumerations, and the constructors.
type source struct {
	methods      []*method
	enums        map[string][]string // values, by the name of their type
	constructors map[string]string   // type, by the name of the function
}

// method is a method of a service.
type method struct {
	name string // Contexts.Get
	key  string // of the operation that it serves
	// field and fn are where reflection finds it in a client.
	field, fn string
	typ       reflect.Type // of the method as a value
}

const directive = "//circleci:operation "

// readSource reads the package in a directory.
func readSource(dir string) (*source, error) {
	src := &source{enums: map[string][]string{}, constructors: map[string]string{}}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.GenDecl:
				src.constants(d)
			case *ast.FuncDecl:
				src.function(d)
			}
		}
	}
	return src, nil
}

func (src *source) constants(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok || d.Tok != token.CONST {
			continue
		}
		typ, ok := v.Type.(*ast.Ident)
		if !ok {
			continue
		}
		for _, value := range v.Values {
			if lit, ok := value.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, _ := strconv.Unquote(lit.Value) // the parser has taken it
				src.enums[typ.Name] = append(src.enums[typ.Name], text)
			}
		}
	}
}

func (src *source) function(d *ast.FuncDecl) {
	if d.Recv == nil {
		if results := d.Type.Results; d.Name.IsExported() && results != nil && results.NumFields() == 1 {
			if typ, ok := results.List[0].Type.(*ast.Ident); ok && typ.IsExported() {
				src.constructors[d.Name.Name] = typ.Name
			}
		}
		return
	}
	star, ok := d.Recv.List[0].Type.(*ast.StarExpr)
	if !ok || d.Doc == nil {
		return
	}
	service, ok := star.X.(*ast.Ident)
	if !ok {
		return
	}
	for _, c := range d.Doc.List {
		if key, ok := strings.CutPrefix(c.Text, directive); ok {
			src.methods = append(src.methods, newMethod(service.Name, d.Name.Name, key))
		}
	}
}

func newMethod(service, fn, key string) *method {
	m := &method{name: strings.TrimSuffix(service, "Service") + "." + fn, key: key, fn: fn}
	client := reflect.TypeFor[circleci.Client]()
	for field := range client.Fields() {
		if t := field.Type; t.Kind() == reflect.Pointer && t.Elem().Name() == service {
			m.field = field.Name
			m.typ = reflect.Zero(t).MethodByName(fn).Type()
		}
	}
	return m
}

// isEnum reports whether a type is an enumeration of the package's.
func (src *source) isEnum(t reflect.Type) bool {
	return t.Kind() == reflect.String && t.PkgPath() == packagePath && len(src.enums[t.Name()]) > 0
}

var packagePath = reflect.TypeFor[circleci.Client]().PkgPath()

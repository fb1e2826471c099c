package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
)

// method is what a method of package apiv3 sends and returns.
type method struct{ request, response reflect.Type }

// methodsOf finds the methods by the directives in their comments. Of several
// for one operation any will do: they have one type.
func methodsOf(dir string) (map[string]*method, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	all := map[string]*method{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Doc != nil {
				for _, c := range fn.Doc.List {
					if key, ok := strings.CutPrefix(c.Text, "//circleci:operation "); ok {
						all[key] = reflectMethod(fn)
					}
				}
			}
		}
	}
	return all, nil
}

func reflectMethod(fn *ast.FuncDecl) *method {
	star, ok := fn.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return nil
	}
	service, ok := star.X.(*ast.Ident)
	if !ok {
		return nil
	}
	for field := range clientType.Fields() {
		if field.Type.Kind() != reflect.Pointer || field.Type.Elem().Name() != service.Name {
			continue
		}
		if m, ok := field.Type.MethodByName(fn.Name.Name); ok {
			return typesOf(m.Type)
		}
	}
	return nil
}

func typesOf(fn reflect.Type) *method {
	m := new(method)
	for in := range fn.Ins() {
		if strings.HasSuffix(in.Name(), "Request") && hasTags(in) {
			m.request = in
		}
	}
	out := fn.Out(0)
	if out.Kind() != reflect.Pointer {
		return m
	}
	m.response = out.Elem()
	if page, ok := out.MethodByName("Page"); ok { // a pager
		items, _ := page.Type.Out(0).Elem().FieldByName("Items")
		m.response = items.Type.Elem()
	}
	return m
}

// hasTags is false for a request that is written in another form than its own.
func hasTags(typ reflect.Type) bool {
	for field := range typ.Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
			return true
		}
	}
	return false
}

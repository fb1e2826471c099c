// Command docs checks the public documentation of the repository's modules:
//
//		go run ./docs directory...
//
//	  - every exported identifier of a public package has a doc comment;
//	  - every service, and every method of one that is built of several calls, has
//	    a runnable example;
//	  - no text for readers (documentation, comments, messages) uses the words of
//	    the list in words.go.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: docs directory...")
	}
	var problems []string
	for _, root := range os.Args[1:] {
		found, err := check(root)
		if err != nil {
			log.Fatal(err)
		}
		problems = append(problems, found...)
	}
	for _, p := range problems {
		fmt.Println(p)
	}
	if len(problems) > 0 {
		log.Fatalf("docs: %d problems", len(problems))
	}
}

// check looks through a tree.
func check(root string) (problems []string, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case d.IsDir():
			found, err := checkPackage(path)
			problems = append(problems, found...)
			return err
		case strings.HasSuffix(path, ".md"):
			text, err := os.ReadFile(path)
			problems = append(problems, checkMarkdown(path, text)...)
			return err
		}
		return nil
	})
	return problems, err
}

// checkPackage looks at the Go files of one directory.
func checkPackage(dir string) (problems []string, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		return nil, err
	}
	fset := token.NewFileSet()
	var files, code []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
		if !strings.HasSuffix(name, "_test.go") {
			code = append(code, file)
			problems = append(problems, checkWords(fset, file)...)
		}
	}
	if len(code) == 0 {
		return problems, nil
	}
	operations := directives(code)
	pkg, err := doc.NewFromFiles(fset, files, "./"+dir, doc.PreserveAST)
	if err != nil {
		return nil, err
	}
	if pkg.Doc == "" {
		problems = append(problems, dir+": the package has no documentation")
	}
	if pkg.Name == "main" || slices.Contains(strings.Split(filepath.ToSlash(dir), "/"), "internal") {
		return problems, nil
	}
	problems = append(problems, undocumented(fset, code)...)
	return append(problems, withoutExample(dir, pkg, operations)...), nil
}

// undocumented lists the exported declarations without a comment.
func undocumented(fset *token.FileSet, files []*ast.File) (problems []string) {
	report := func(at token.Pos, name string) {
		problems = append(problems, fmt.Sprintf("%s: %s has no documentation", fset.Position(at), name))
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
					report(d.Pos(), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						if s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
							report(s.Pos(), s.Name.Name)
						}
					case *ast.ValueSpec:
						if s.Names[0].IsExported() && s.Doc == nil && d.Doc == nil && s.Comment == nil {
							report(s.Pos(), s.Names[0].Name)
						}
					}
				}
			}
		}
	}
	return problems
}

func exportedReceiver(d *ast.FuncDecl) bool {
	return d.Recv == nil || ast.IsExported(receiver(d))
}

// receiver is the name of a method's type.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	switch x := t.(type) {
	case *ast.IndexExpr:
		t = x.X
	case *ast.IndexListExpr:
		t = x.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// directives are the methods that are one operation of the API each.
func directives(files []*ast.File) map[string]bool {
	found := map[string]bool{}
	for _, file := range files {
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.FuncDecl)
			if !ok || d.Doc == nil {
				continue
			}
			for _, line := range d.Doc.List {
				if strings.HasPrefix(line.Text, "//circleci:operation ") {
					found[receiver(d)+"."+d.Name.Name] = true
				}
			}
		}
	}
	return found
}

// withoutExample lists the services, and the methods built of several calls,
// that no example shows.
func withoutExample(dir string, pkg *doc.Package, operations map[string]bool) (problems []string) {
	for _, t := range pkg.Types {
		if !strings.HasSuffix(t.Name, "Service") {
			continue
		}
		shown := len(t.Examples) > 0
		for _, m := range t.Methods {
			shown = shown || len(m.Examples) > 0
			if len(m.Examples) == 0 && !operations[t.Name+"."+m.Name] {
				problems = append(problems, fmt.Sprintf("%s: %s.%s has no example", dir, t.Name, m.Name))
			}
		}
		if !shown {
			problems = append(problems, fmt.Sprintf("%s: %s has no example", dir, t.Name))
		}
	}
	return problems
}

// checkWords looks at the comments and the texts of a file.
func checkWords(fset *token.FileSet, file *ast.File) (problems []string) {
	look := func(at token.Pos, text string) {
		if word := unplain(text); word != "" {
			problems = append(problems, fmt.Sprintf("%s: write %q in plain English", fset.Position(at), word))
		}
	}
	for _, group := range file.Comments {
		look(group.Pos(), group.Text())
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			look(lit.Pos(), lit.Value)
		}
		return true
	})
	return problems
}

func checkMarkdown(path string, text []byte) (problems []string) {
	for i, line := range bytes.Split(text, []byte("\n")) {
		if word := unplain(string(line)); word != "" {
			problems = append(problems, fmt.Sprintf("%s:%d: write %q in plain English", path, i+1, word))
		}
	}
	return problems
}

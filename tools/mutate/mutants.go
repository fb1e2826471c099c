package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
)

// mutant is one small change to a file.
type mutant struct {
	id       int
	pkg      *packages.Package
	file     string // absolute
	lo, hi   int    // offsets of what is replaced
	line     int
	function string
	change   string // for people: "a < b -> a <= b"
	same     int    // how many mutants of the function before it have the same change
	// rewrite returns the new text of the range; source renders a part of the
	// old one, with the changes inside it.
	rewrite func(id int, source func(lo, hi int) string) string
}

// name identifies a mutant in equivalent.txt; it survives changes elsewhere in
// the file.
func (m *mutant) name(dir string) string {
	return m.path(dir) + ": " + m.what()
}

// place is the mutant's name with its line.
func (m *mutant) place(dir string) string {
	return fmt.Sprintf("%s:%d: %s", m.path(dir), m.line, m.what())
}

func (m *mutant) path(dir string) string {
	if rel, err := filepath.Rel(dir, m.file); err == nil {
		return filepath.ToSlash(rel)
	}
	return m.file
}

func (m *mutant) what() string {
	if m.same > 0 {
		return fmt.Sprintf("%s: %s #%d", m.function, m.change, m.same+1)
	}
	return m.function + ": " + m.change
}

// otherOperators are what an operator is replaced by.
var otherOperators = map[token.Token][]token.Token{
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL},
	token.LSS: {token.LEQ, token.GEQ}, token.LEQ: {token.LSS, token.GTR},
	token.GTR: {token.GEQ, token.LEQ}, token.GEQ: {token.GTR, token.LSS},
	token.LAND: {token.LOR}, token.LOR: {token.LAND},
	token.ADD: {token.SUB}, token.SUB: {token.ADD}, token.MUL: {token.QUO}, token.QUO: {token.MUL},
}

// finder collects the mutants of one file.
type finder struct {
	pkg      *packages.Package
	source   []byte
	file     *token.File
	path     string
	imports  map[string]string // package path to its name in the file
	function string
	out      []*mutant
}

// mutantsOf returns all mutants of the package's files.
func mutantsOf(pkg *packages.Package, read func(path string) ([]byte, error)) ([]*mutant, error) {
	var all []*mutant
	for _, file := range pkg.Syntax {
		tf := pkg.Fset.File(file.Pos())
		source, err := read(tf.Name())
		if err != nil {
			return nil, err
		}
		f := &finder{pkg: pkg, source: source, file: tf, path: tf.Name(), imports: map[string]string{}}
		for _, spec := range file.Imports {
			if name := pkg.TypesInfo.PkgNameOf(spec); name != nil {
				f.imports[name.Imported().Path()] = name.Name()
			}
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil {
				f.function = functionName(fn)
				ast.Inspect(fn.Body, f.visit)
			}
		}
		all = append(all, f.out...)
	}
	return all, nil
}

func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + fn.Name.Name
		default:
			return fn.Name.Name
		}
	}
}

func (f *finder) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GenDecl:
		return n.Tok != token.CONST
	case *ast.ArrayType:
		return false // its length has to stay constant
	case *ast.IfStmt:
		f.negate(n.Cond)
	case *ast.ForStmt:
		if n.Cond != nil {
			f.skipLoop(n)
		}
	case *ast.BinaryExpr:
		f.binary(n)
	case *ast.BasicLit:
		f.number(n)
	case *ast.BlockStmt:
		f.statements(n.List)
	case *ast.CaseClause:
		f.statements(n.Body)
	case *ast.CommClause:
		f.statements(n.Body)
	}
	return true
}

func (f *finder) offset(p token.Pos) int { return f.file.Offset(p) }
func (f *finder) text(n ast.Node) string {
	return string(f.source[f.offset(n.Pos()):f.offset(n.End())])
}

func (f *finder) add(n ast.Node, change string, rewrite func(id int, source func(lo, hi int) string) string) {
	m := &mutant{
		pkg: f.pkg, file: f.path, lo: f.offset(n.Pos()), hi: f.offset(n.End()), line: f.file.Line(n.Pos()),
		function: f.function, change: strings.Join(strings.Fields(change), " "), rewrite: rewrite,
	}
	for _, other := range f.out {
		if other.function == m.function && other.change == m.change {
			m.same++
		}
	}
	f.out = append(f.out, m)
}

// negate inverts a condition.
func (f *finder) negate(cond ast.Expr) {
	if bin, ok := cond.(*ast.BinaryExpr); ok && otherOperators[bin.Op] != nil {
		return // its operator is changed already
	}
	lo, hi := f.offset(cond.Pos()), f.offset(cond.End())
	f.add(cond, f.text(cond)+" -> !("+f.text(cond)+")", func(id int, source func(lo, hi int) string) string {
		return fmt.Sprintf("(mutantOn(%d) != (%s))", id, source(lo, hi))
	})
}

// skipLoop has a loop run no iteration.
func (f *finder) skipLoop(n *ast.ForStmt) {
	lo, hi := f.offset(n.Cond.Pos()), f.offset(n.Cond.End())
	f.add(n.Cond, "for "+f.text(n.Cond)+" -> for false", func(id int, source func(lo, hi int) string) string {
		return fmt.Sprintf("(!mutantOn(%d) && (%s))", id, source(lo, hi))
	})
}

// binary changes an operator.
func (f *finder) binary(n *ast.BinaryExpr) {
	tv := f.pkg.TypesInfo.Types[n]
	if tv.Value != nil {
		return // a constant, which may have to stay one
	}
	basic, ok := tv.Type.Underlying().(*types.Basic)
	if !ok {
		return
	}
	lo, hi := f.offset(n.Pos()), f.offset(n.End())
	xlo, xhi, ylo, yhi := f.offset(n.X.Pos()), f.offset(n.X.End()), f.offset(n.Y.Pos()), f.offset(n.Y.End())
	for _, op := range otherOperators[n.Op] {
		change := f.text(n.X) + " " + n.Op.String() + " " + f.text(n.Y) + " -> " + op.String()
		switch {
		case basic.Info()&types.IsBoolean != 0:
			f.add(n, change, func(id int, source func(lo, hi int) string) string {
				return fmt.Sprintf("(mutantOn(%d) && (%s %s %s) || !mutantOn(%d) && (%s))", id, source(xlo, xhi), op, source(ylo, yhi), id, source(lo, hi))
			})
		case basic.Info()&types.IsNumeric != 0:
			if name, ok := f.typeName(tv.Type); ok {
				f.add(n, change, func(id int, source func(lo, hi int) string) string {
					return fmt.Sprintf("mutantOr(%d, func() %s { return %s %s %s }, func() %s { return %s })", id, name, source(xlo, xhi), op, source(ylo, yhi), name, source(lo, hi))
				})
			}
		}
	}
}

// number changes an integer by one.
func (f *finder) number(n *ast.BasicLit) {
	t := f.pkg.TypesInfo.Types[n].Type
	if n.Kind != token.INT || t == nil {
		return
	}
	if basic, ok := t.Underlying().(*types.Basic); !ok || basic.Info()&types.IsInteger == 0 || basic.Info()&types.IsUntyped != 0 {
		return
	}
	name, ok := f.typeName(t)
	if !ok {
		return
	}
	text := f.text(n)
	f.add(n, text+" -> "+text+"+1", func(id int, _ func(lo, hi int) string) string {
		return fmt.Sprintf("mutantOr(%d, func() %s { return %s + 1 }, func() %s { return %s })", id, name, text, name, text)
	})
}

// statements leaves out a statement, or the error of a return.
func (f *finder) statements(list []ast.Stmt) {
	for _, stmt := range list {
		lo, hi := f.offset(stmt.Pos()), f.offset(stmt.End())
		switch s := stmt.(type) {
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt:
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				continue
			}
		case *ast.ReturnStmt:
			f.loseError(s)
			continue
		default:
			continue
		}
		f.add(stmt, "without "+f.text(stmt), func(id int, source func(lo, hi int) string) string {
			return fmt.Sprintf("if !mutantOn(%d) { %s }", id, source(lo, hi))
		})
	}
}

// loseError has a return statement return no error.
func (f *finder) loseError(s *ast.ReturnStmt) {
	if len(s.Results) == 0 {
		return
	}
	last := s.Results[len(s.Results)-1]
	t := f.pkg.TypesInfo.Types[last].Type
	if t == nil || !types.Identical(t, types.Universe.Lookup("error").Type()) && !types.Implements(t, errorInterface) {
		return
	}
	lo, hi, from := f.offset(s.Pos()), f.offset(s.End()), f.offset(last.Pos())
	f.add(s, f.text(s)+" without its error", func(id int, source func(lo, hi int) string) string {
		return fmt.Sprintf("{ if mutantOn(%d) { %snil }\n%s }", id, source(lo, from), source(lo, hi))
	})
}

var errorInterface = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

// typeName is how the file writes a type, if it can.
func (f *finder) typeName(t types.Type) (string, bool) {
	ok := true
	if p, isParam := t.(*types.TypeParam); isParam {
		return p.Obj().Name(), true
	}
	name := types.TypeString(t, func(p *types.Package) string {
		if p == f.pkg.Types {
			return ""
		}
		name, imported := f.imports[p.Path()]
		ok = ok && imported
		return name
	})
	return name, ok && !strings.Contains(name, "untyped")
}

// Package pagererror defines an analyzer that reports loops which lose the error
// of an iterator of package circleci.
package pagererror

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

const module = "github.com/circleci-go/circleci"

// Analyzer reports a range over an iter.Seq2[T, error] of package circleci, such
// as those of Pager.All and Pager.Pages, that does not take the error:
//
//	for pipeline := range pager.All(ctx) { // an error ends the loop unseen
//
// Take it with a second variable, or call Pager.Collect.
var Analyzer = &analysis.Analyzer{
	Name:     "pagererror",
	Doc:      "report loops over lists of package circleci that lose the error",
	URL:      "https://pkg.go.dev/github.com/circleci-go/circleci#Pager.All",
	Requires: []*analysis.Analyzer{inspect.Analyzer},
	Run:      run,
}

func run(pass *analysis.Pass) (any, error) {
	in := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector)
	sources := assignments(pass, in)
	in.Preorder([]ast.Node{(*ast.RangeStmt)(nil)}, func(n ast.Node) {
		loop := n.(*ast.RangeStmt)
		if takesError(loop) || !isSeqOfErrors(pass.TypesInfo.TypeOf(loop.X)) {
			return
		}
		if name := origin(pass, sources, loop.X); name != "" {
			pass.ReportRangef(loop.X, "the loop loses the error of %s: write `for x, err := range …` and check err", name)
		}
	})
	return nil, nil //nolint:nilnil // the analyzer has no result for others
}

// takesError reports whether a loop has a second variable that is not the blank
// identifier.
func takesError(loop *ast.RangeStmt) bool {
	if loop.Value == nil {
		return false
	}
	id, ok := loop.Value.(*ast.Ident)
	return !ok || id.Name != "_"
}

// isSeqOfErrors reports whether t is an iter.Seq2 whose second type is error.
func isSeqOfErrors(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != "iter" || named.Obj().Name() != "Seq2" {
		return false
	}
	return types.Identical(named.TypeArgs().At(1), types.Universe.Lookup("error").Type())
}

// assignments returns the first value assigned to each variable: an iterator
// assigned later is most likely of the same kind.
func assignments(pass *analysis.Pass, in *inspector.Inspector) map[types.Object]ast.Expr {
	sources := map[types.Object]ast.Expr{}
	set := func(name, value ast.Expr) {
		if id, ok := ast.Unparen(name).(*ast.Ident); ok {
			if variable := pass.TypesInfo.ObjectOf(id); sources[variable] == nil {
				sources[variable] = value
			}
		}
	}
	in.Preorder([]ast.Node{(*ast.AssignStmt)(nil), (*ast.ValueSpec)(nil)}, func(n ast.Node) {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i := range n.Lhs {
				if len(n.Lhs) == len(n.Rhs) && (n.Tok == token.DEFINE || n.Tok == token.ASSIGN) {
					set(n.Lhs[i], n.Rhs[i])
				}
			}
		case *ast.ValueSpec:
			for i := range n.Names {
				if len(n.Names) == len(n.Values) {
					set(n.Names[i], n.Values[i])
				}
			}
		}
	})
	return sources
}

// origin returns the function of package circleci that returned an iterator, or
// "" if it came from elsewhere.
func origin(pass *analysis.Pass, sources map[types.Object]ast.Expr, x ast.Expr) string {
	for range 10 { // x = y, y = x compiles
		switch e := ast.Unparen(x).(type) {
		case *ast.Ident:
			source, ok := sources[pass.TypesInfo.ObjectOf(e)]
			if !ok {
				return ""
			}
			x = source
		case *ast.CallExpr:
			f, ok := typeutil.Callee(pass.TypesInfo, e).(*types.Func)
			if !ok || f.Pkg() == nil || f.Pkg().Path() != module && !strings.HasPrefix(f.Pkg().Path(), module+"/") {
				return ""
			}
			return name(f)
		default:
			return ""
		}
	}
	return ""
}

// name is Pager.All for a method, and Rows for a function.
func name(f *types.Func) string {
	recv := f.Signature().Recv()
	if recv == nil {
		return f.Name()
	}
	t := recv.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return named.Obj().Name() + "." + f.Name()
	}
	return f.Name()
}

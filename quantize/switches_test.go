package quantize

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNoSwitches checks that no file of the package decides by the type of an operator or by which backend it is: what is known of
// an operator stands where it does, and what is particular to a backend is a field of its value.
func TestNoSwitches(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	switches := 0
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSwitchStmt:
				switches++
				if isOverOperators(n) {
					t.Errorf("%v: a switch over types of operators", fset.Position(n.Pos()))
				}
			case *ast.BinaryExpr:
				if isBackend(n.X) || isBackend(n.Y) {
					t.Errorf("%v: it asks which backend it is", fset.Position(n.Pos()))
				}
			case *ast.CaseClause:
				if slices.ContainsFunc(n.List, isBackend) {
					t.Errorf("%v: a switch over backends", fset.Position(n.Pos()))
				}
			}
			return true
		})
	}
	if switches == 0 {
		t.Error("there is no type switch at all: is the package parsed?")
	}
}

// isOverOperators reports whether a case is a type of the packages that have operators.
func isOverOperators(s *ast.TypeSwitchStmt) bool {
	for _, clause := range s.Body.List {
		for _, c := range clause.(*ast.CaseClause).List {
			if of, ok := c.(*ast.SelectorExpr); ok && (isNamed(of.X, "ops") || isNamed(of.X, "int8")) {
				return true
			}
		}
	}
	return false
}

func isBackend(e ast.Expr) bool {
	return slices.ContainsFunc([]string{"Native", "Reference", "DISC", "FBGEMM"}, func(name string) bool { return isNamed(e, name) })
}

func isNamed(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

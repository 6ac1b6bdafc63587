package octet_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// flagName is a flag of a command line in a text, such as --shape.
var flagName = regexp.MustCompile(`(^|[^-\w])--[a-z]`)

// TestNoFlags finds no flag's name in the strings of libraries: they name options, and the command line adds which flag sets one.
func TestNoFlags(t *testing.T) {
	if s := "give their shapes (--shape)"; !flagName.MatchString(s) {
		t.Errorf("%q: no flag found", s)
	}
	checked := 0
	for _, path := range goFiles(t) {
		switch dir, _, _ := strings.Cut(path, "/"); dir {
		case "cli", "cmd", "examples", "internal": // internal/release is a program
			continue
		}
		checked++
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			if s, err := strconv.Unquote(lit.Value); err != nil {
				t.Errorf("%s: %v", fset.Position(lit.Pos()), err)
			} else if flagName.MatchString(s) {
				t.Errorf("%s names a flag, which only the command line has: %s", fset.Position(lit.Pos()), lit.Value)
			}
			return true
		})
	}
	if checked < 100 {
		t.Errorf("%d files checked", checked)
	}
}

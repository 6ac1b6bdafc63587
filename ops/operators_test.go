package ops_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops"
	_ "github.com/octet-ml/octet/ops/int8" // its operators
)

func goFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources in %s: %v", dir, err)
	}
	return files
}

// opTypes parses a package and returns its exported types that are operators:
// with the methods of ops.Op, their own or of what they embed.
func opTypes(t *testing.T, dir string) []string {
	t.Helper()
	methods := make(map[string]map[string]bool)
	embedded := make(map[string][]string)
	var order []string
	for _, path := range goFiles(t, dir) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv != nil {
					name := typeName(n.Recv.List[0].Type)
					if methods[name] == nil {
						methods[name] = make(map[string]bool)
					}
					methods[name][n.Name.Name] = true
				}
			case *ast.TypeSpec:
				if s, ok := n.Type.(*ast.StructType); ok && n.Name.IsExported() {
					order = append(order, n.Name.Name)
					for _, f := range s.Fields.List {
						if len(f.Names) == 0 {
							embedded[n.Name.Name] = append(embedded[n.Name.Name], typeName(f.Type))
						}
					}
				}
			}
			return true
		})
	}
	var found []string
	for _, name := range order {
		has := func(method string) bool {
			if methods[name][method] {
				return true
			}
			for _, e := range embedded[name] {
				if methods[e][method] || strings.HasPrefix(e, "ops.") {
					return true
				}
			}
			return false
		}
		if has("Name") && has("Infer") && has("Prepare") {
			found = append(found, name)
		}
	}
	return found
}

// typeName returns "Conv" of Conv, *Conv and Conv[T], and "ops.Conv" of a
// selector.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.SelectorExpr:
		return typeName(e.X) + "." + e.Sel.Name
	}
	return ""
}

// TestOperators checks that every operator of the operator packages has a row in the table, and that rows are whole:
// an operator that is missing here needs a line in operators.go.
func TestOperators(t *testing.T) {
	rows := make(map[string]bool)
	for _, o := range ops.Operators() {
		rows[o.Type.String()] = true
		if isInt8 := strings.HasPrefix(o.Type.String(), "int8."); o.Int8 != isInt8 || o.Name != "" && strings.HasPrefix(o.Name, "int8.") != isInt8 {
			t.Errorf("the row of %v has the name %q and Int8 %v", o.Type, o.Name, o.Int8)
		}
		op := reflect.Zero(o.Type).Interface().(ops.Op)
		if row := ops.OperatorOf(op); row == nil || row.Name != o.Name {
			t.Errorf("the row of %v is not found by the operator", o.Type)
		}
		if o.Name != "" && ops.OperatorNamed(o.Name).Type != o.Type {
			t.Errorf("the row of %v is not found by its name", o.Type)
		}
	}
	total := 0
	for dir, pkg := range map[string]string{".": "ops.", "int8": "int8."} {
		for _, name := range opTypes(t, dir) {
			total++
			if !rows[pkg+name] {
				t.Errorf("%s%s has no row in %s", pkg, name, filepath.Join("ops", dir, "operators.go"))
			}
		}
	}
	if total != len(rows) {
		t.Errorf("the sources have %d operators and the table %d", total, len(rows))
	}
}

// TestUnaryFunctions checks that each function of one element has a name and a definition.
func TestUnaryFunctions(t *testing.T) {
	for f := range ops.NumUnaryFns {
		if !f.Defined() {
			t.Errorf("function %d of UnaryFn, named %q, is not defined in ops/unary_functions.go", f, f.String())
		}
	}
}

// TestOperatorsInheritNothing checks that no operator has another one's methods: what two share are structs of
// attributes without any.
func TestOperatorsInheritNothing(t *testing.T) {
	op := reflect.TypeFor[ops.Op]()
	for _, o := range ops.Operators() {
		for i := range o.Type.NumField() {
			if f := o.Type.Field(i); f.Anonymous && f.Type.NumMethod() > 0 || f.Anonymous && f.Type.Implements(op) {
				t.Errorf("%v embeds %v, which has methods", o.Type, f.Type)
			}
		}
	}
}

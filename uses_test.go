package octet_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// stablePackages are those of the README's first tier.
var stablePackages = []string{"tensor", "graph", "graph/nn", "loader", "data", "text", "metric", "quantize", "serve", "serve/oip"}

// developingPackages are those of its second tier whose names are looked at, too.
var developingPackages = []string{"ops", "ops/int8", "graph/train", "bench", "report", "onnx", "torchscript", "serve/loadtest", "serve/grpcserve", "serve/prom", "cli"}

// TestExportsAreUsed finds each exported name of the packages that users import, methods and fields left out, in another package, in a test of
// one, in an example, or in the declaration of an exported name that is: who meets a value of a type there has to be able to name it. An error may be in
// docs/errors.md instead, a layer of torch.nn is there for its own sake, and so is an operator of the table, which graphs hold.
func TestExportsAreUsed(t *testing.T) {
	uses := map[string]map[string]bool{} // by package
	for _, dir := range slices.Concat(stablePackages, developingPackages) {
		uses[dir] = map[string]bool{}
	}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || p != "." && strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(p, ".go") {
			return usesOf(filepath.ToSlash(p), uses)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	errors, err := os.ReadFile("docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	layers, err := os.ReadFile("graph/nn/testdata/torch_nn.txt")
	if err != nil {
		t.Fatal(err)
	}
	torch := map[string]bool{}
	for name := range strings.FieldsSeq(string(layers)) {
		torch[name] = true
	}
	rows := regexp.MustCompile(`\{"[^"]*", (\w+)\{\}\}`)
	for dir, used := range uses {
		table, err := os.ReadFile(filepath.Join(dir, "operators.go"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, row := range rows.FindAllSubmatch(table, -1) {
			used[string(row[1])] = true
		}
		p, _ := parsed(t, dir)
		declared := map[string][]ast.Node{} // what declares a name
		for _, f := range p.Funcs {
			declared[f.Name] = append(declared[f.Name], f.Decl.Type)
		}
		values := append(p.Consts, p.Vars...)
		for _, typ := range p.Types {
			declared[typ.Name] = append(declared[typ.Name], typ.Decl)
			for _, f := range append(typ.Funcs, typ.Methods...) {
				if f.Recv == "" {
					declared[f.Name] = append(declared[f.Name], f.Decl.Type)
				} else if token.IsExported(f.Name) {
					declared[typ.Name] = append(declared[typ.Name], f.Decl.Type)
				}
			}
			values = append(append(values, typ.Consts...), typ.Vars...)
		}
		for changed := true; changed; {
			changed = false
			for name, nodes := range declared {
				if !used[name] {
					continue
				}
				for _, node := range nodes {
					ast.Inspect(node, func(n ast.Node) bool {
						if id, ok := n.(*ast.Ident); ok && declared[id.Name] != nil && !used[id.Name] {
							used[id.Name], changed = true, true
						}
						return true
					})
				}
			}
		}
		for name := range declared {
			if dir == "graph/nn" && torch[name] || isError(name) && bytes.Contains(errors, []byte(name)) {
				used[name] = true
			}
			if token.IsExported(name) && !used[name] {
				t.Errorf("%s.%s is used nowhere else and shown in no example", dir, name)
			}
		}
		for _, v := range values { // one that is used shows the others of its declaration
			one := false
			for _, name := range v.Names {
				one = one || used[name] || isError(name) && bytes.Contains(errors, []byte(name)) || !token.IsExported(name)
			}
			if !one {
				t.Errorf("%s: none of %s is used elsewhere or shown in an example", dir, strings.Join(v.Names, ", "))
			}
		}
	}
}

// isError reports whether a name is that of an error, which errors.Is or errors.AsType finds.
func isError(name string) bool {
	return strings.HasPrefix(name, "Err") || strings.HasSuffix(name, "Error")
}

// usesOf notes the names of other packages that a file selects.
func usesOf(file string, uses map[string]map[string]bool) error {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return err
	}
	imported := map[string]string{}
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		dir, ok := strings.CutPrefix(p, modulePath+"/")
		if !ok || uses[dir] == nil || dir == path.Dir(file) && !strings.HasSuffix(file, "example_test.go") {
			continue
		}
		name := path.Base(dir)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = dir
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && imported[x.Name] != "" {
				uses[imported[x.Name]][s.Sel.Name] = true
			}
		}
		return true
	})
	return nil
}

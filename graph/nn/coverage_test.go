package nn_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLayerList compares the list of layers in docs/coverage.md with the types of the package, beside the classes of torch.nn of PyTorch 2.14
// (testdata/torch_nn.txt), and finds a case in layers for each type that is one of those.
func TestLayerList(t *testing.T) {
	recorded, err := os.ReadFile("testdata/torch_nn.txt")
	if err != nil {
		t.Fatal(err)
	}
	types := moduleTypes(t)
	tested := map[string]bool{}
	for _, m := range layers {
		if c, ok := m.(attn); ok {
			m = c.Module
		}
		tested[strings.TrimPrefix(fmt.Sprintf("%T", m), "nn.")] = true
	}
	for _, inside := range []string{"Sequential", "Dropout", "Identity"} { // by architectures, and in a container
		tested[inside] = true
	}
	var present, absent []string
	for name := range strings.FieldsSeq(string(recorded)) {
		switch {
		case slices.Contains(noLayers, name):
		case types[name]:
			present = append(present, name)
			if !tested[name] && name != "Flatten" {
				t.Errorf("%s has no case in layers", name)
			}
		case !strings.HasSuffix(name, "Loss") && !strings.HasSuffix(name, "Loss2d") && !strings.HasPrefix(name, "Lazy"):
			absent = append(absent, name)
		}
	}
	if len(present) < 80 {
		t.Errorf("%d layers found", len(present))
	}
	const path, begin, end = "../../docs/coverage.md", "<!-- layers: begin -->\n", "<!-- layers: end -->"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks for the list", path)
	}
	want := fmt.Sprintf("%d are there: %s.\n\n%d are not: %s.\n", len(present), strings.Join(present, ", "), len(absent), strings.Join(absent, ", "))
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if have != want {
		t.Errorf("the list in %s is out of date, run go test ./graph/nn -run TestLayerList -update", path)
	}
}

// noLayers are classes that compute nothing themselves, and base classes.
var noLayers = []string{"Container", "DataParallel", "Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "RNNBase", "RNNCellBase"}

// moduleTypes returns the exported types with a method Forward.
func moduleTypes(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]bool{}
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Name.Name == "Forward" {
				if recv, ok := fn.Recv.List[0].Type.(*ast.Ident); ok && recv.IsExported() {
					types[recv.Name] = true
				}
			}
		}
	}
	return types
}

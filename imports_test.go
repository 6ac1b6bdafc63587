package octet_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const modulePath = "github.com/octet-ml/octet"

// packageRow says which of the module's packages a package may import. Internal
// packages with rows of their own may be imported by the package whose they are, others
// count as that package itself; those of the module's own internal folder may be
// imported by all.
type packageRow struct {
	name    string
	imports string // as the README's table has it
}

var packageTable = []packageRow{
	{"tensor/", "-"},
	{"ops/asm/", "-"},
	{"ops/", "tensor, ops/asm"},
	{"ops/int8/", "tensor, ops, ops/asm"},
	{"graph/", "tensor, ops, ops/asm, ops/int8"},
	{"graph/nn/", "tensor, ops, graph"},
	{"graph/train/", "tensor, ops, graph"},
	{"metric/", "tensor"},
	{"text/", "tensor"},
	{"quantize/", "tensor, ops, ops/asm, ops/int8, graph, graph/train, metric"},
	{"loader/", "tensor, ops, ops/int8, graph, graph/nn"},
	{"digits/", "tensor, ops, graph, graph/nn, loader"},
	{"data/", "tensor, ops, graph, metric, quantize, loader"},
	{"onnx/", "tensor, ops, ops/int8, graph"},
	{"torchscript/", "tensor, ops, ops/int8, graph"},
	{"bench/", "all above"},
	{"report/", "all above"},
	{"serve/oip/", "tensor"},
	{"serve/loadtest/", "serve/oip"},
	{"serve/", "tensor, ops, graph, loader, serve/oip"},
	{"serve/grpcserve/pb/", "-"},
	{"serve/grpcserve/", "tensor, serve, serve/oip, serve/grpcserve/pb"},
	{"serve/prom/", "serve"},
	{"examples/", "all above"},
	{"cli/", "all above"},
	{"cmd/octet/", "all above"},
}

// internalTable holds the rows of internal packages, as docs/architecture.md has them.
var internalTable = []packageRow{
	{"loader/internal/container/", "tensor"},
	{"loader/internal/pickle/", "-"},
	{"loader/internal/script/", "-"},
	{"loader/internal/build/", "tensor, ops, ops/int8, graph"},
	{"loader/internal/aten/", "tensor, ops, ops/int8, graph, loader/internal/build"},
	{"loader/internal/torchscript/", "tensor, ops, graph, loader/internal/pickle, loader/internal/script, loader/internal/build, loader/internal/aten"},
	{"loader/internal/exported/", "tensor, ops, graph, loader/internal/container, loader/internal/build, loader/internal/aten"},
}

// onlyImporter names the one package that may import a dependency, with those in its folder.
var onlyImporter = map[string]string{
	"github.com/spf13/cobra": "cli",
	"golang.org/x/net":       "cli",
	"google.golang.org":      "serve/grpcserve",
}

// allowedImports returns, for each package of the tables, those it may import.
func allowedImports() map[string][]string {
	// What only tests share reads tensors.
	allowed := map[string][]string{"internal": {"tensor"}}
	var above []string
	for _, row := range packageTable {
		name := strings.TrimSuffix(row.name, "/")
		switch row.imports {
		case "-":
			allowed[name] = nil
		case "all above":
			allowed[name] = slices.Clone(above)
		default:
			allowed[name] = strings.Split(row.imports, ", ")
		}
		above = append(above, name)
	}
	for _, row := range internalTable {
		name := strings.TrimSuffix(row.name, "/")
		allowed[name] = nil
		if row.imports != "-" {
			allowed[name] = strings.Split(row.imports, ", ")
		}
		outer, _, _ := strings.Cut(name, "/internal/")
		allowed[outer] = append(allowed[outer], name)
	}
	return allowed
}

// owner returns the package of the tables that a folder belongs to, "internal" for the module's own.
func owner(dir string, allowed map[string][]string) string {
	if dir == "internal" || strings.HasPrefix(dir, "internal/") {
		return "internal"
	}
	if _, ok := allowed[dir]; ok {
		return dir
	}
	if before, _, ok := strings.Cut(dir, "/internal/"); ok {
		dir = before
	}
	if strings.HasPrefix(dir, "examples/") {
		return "examples"
	}
	if _, ok := allowed[dir]; ok {
		return dir
	}
	return ""
}

// goFiles returns the Go files of the module, tests and fixtures excepted.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || p != "." && strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(p, ".go") && !strings.HasSuffix(p, "_test.go") {
			files = append(files, filepath.ToSlash(p))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestImports(t *testing.T) {
	allowed := allowedImports()
	seen := make(map[string]bool)
	for _, file := range goFiles(t) {
		from := owner(path.Dir(file), allowed)
		if from == "" {
			t.Errorf("%s: its package is not in the table", file)
			continue
		}
		seen[from] = true
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			for dependency, only := range onlyImporter {
				if (imported == dependency || strings.HasPrefix(imported, dependency+"/")) && from != only && !strings.HasPrefix(from, only+"/") {
					t.Errorf("%s imports %s, which only %s may", file, dependency, only)
				}
			}
			dir, ok := strings.CutPrefix(imported, modulePath+"/")
			if !ok {
				continue
			}
			if to := owner(dir, allowed); to != from && to != "internal" && !slices.Contains(allowed[from], to) {
				t.Errorf("%s: %s may not import %s", file, from, dir)
			}
		}
	}
	for name := range allowed {
		if !seen[name] {
			t.Errorf("no files of package %s: the table is out of date", name)
		}
	}
}

// TestPackageTables compares the tables of packages in the documentation with the rule.
func TestPackageTables(t *testing.T) {
	for file, want := range map[string][]packageRow{"README.md": packageTable, "docs/architecture.md": internalTable} {
		if d := cmp.Diff(want, documentedTable(t, file), cmp.AllowUnexported(packageRow{})); d != "" {
			t.Errorf("the table of %s is not the rule (-rule +page):\n%s", file, d)
		}
	}
}

// documentedTable returns the rows of the table of packages on a page.
func documentedTable(t *testing.T, file string) []packageRow {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []packageRow
	in := false
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case len(cells) == 3 && cells[0] == "package":
			in = true
		case in && len(cells) != 3:
			in = false
		case in && !strings.HasPrefix(cells[0], "---"):
			rows = append(rows, packageRow{strings.Trim(cells[0], "`"), cells[2]})
		}
	}
	return rows
}

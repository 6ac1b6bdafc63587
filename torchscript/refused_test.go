package torchscript

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/onnx"
	"github.com/octet-ml/octet/ops"
)

var update = flag.Bool("update", false, "write the list of operators that exports refuse to docs/coverage.md")

// outcome says what an export did with an operator.
type outcome struct{ written, refused bool }

// exportList has what the exports did with the graphs of the tests.
type exportList struct {
	operators map[string]*[len(exporters)]outcome // by their names
	seen      map[string]bool                     // the operators, with their attributes, of each graph
}

// exporters are the exports of octet.
var exporters = [...]struct {
	name  string
	write func(path string, g *graph.Graph) error
}{
	{"ONNX", func(path string, g *graph.Graph) error { return onnx.Export(path, g, "test") }},
	{"TorchScript", func(_ string, g *graph.Graph) error { return WriteTo(io.Discard, g) }},
}

// add exports a graph of other operators than any before. An operator is refused by the error that names it, and written where the whole graph is.
func (l exportList) add(t *testing.T, what string, g *graph.Graph) {
	t.Helper()
	var names []string
	var all strings.Builder
	for _, n := range g.Nodes {
		name := n.Op.Name()
		names = append(names, name)
		if l.operators[name] == nil {
			l.operators[name] = new([len(exporters)]outcome)
		}
		fmt.Fprintf(&all, "%T%+v\n", n.Op, n.Op)
	}
	if l.seen[all.String()] {
		return
	}
	l.seen[all.String()] = true
	path := filepath.Join(t.TempDir(), "model.onnx")
	for i, e := range exporters {
		err := e.write(path, g)
		var unsupported *ops.UnsupportedError
		switch {
		case err == nil:
			for _, name := range names {
				l.operators[name][i].written = true
			}
		case !errors.As(err, &unsupported) || unsupported.Op == "":
			t.Errorf("%s: to %s: %v, which names no operator", what, e.name, err)
		case slices.Contains(names, unsupported.Op): // else it is the model that is refused
			l.operators[unsupported.Op][i].refused = true
		}
	}
}

func newExportList() exportList {
	return exportList{make(map[string]*[len(exporters)]outcome), make(map[string]bool)}
}

// check compares the list in docs/coverage.md with what was refused.
func (l exportList) check(t *testing.T) {
	const path, begin, end = "../docs/coverage.md", "<!-- exports: begin -->\n", "<!-- exports: end -->"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks for the list", path)
	}
	var want strings.Builder
	for i, e := range exporters {
		var never, some []string
		for _, op := range slices.Sorted(maps.Keys(l.operators)) {
			switch r := l.operators[op][i]; {
			case r.refused && r.written:
				some = append(some, op)
			case r.refused:
				never = append(never, op)
			}
		}
		fmt.Fprintf(&want, "- %s refuses: %s\n- %s writes only some forms of: %s\n", e.name, strings.Join(never, ", "), e.name, strings.Join(some, ", "))
	}
	switch {
	case *update:
		if err := os.WriteFile(path, []byte(before+begin+want.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	case have != want.String():
		t.Errorf("%s does not list what exports refuse; run the test with -update. Want:\n%s", path, &want)
	}
}

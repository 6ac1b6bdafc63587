//go:build !nopytorch

package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/fixture"
	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/tensor"
)

// opEntry is an operator of PyTorch's op_db with some of its samples, as testdata/gen/opinfo.py recorded them.
type opEntry struct {
	Name, Aten string
	Samples    []opSample
}

type opSample struct {
	Files   map[string]scriptRecordText
	In, Out []scriptTensor
}

// opinfoDocs marks the table in docs/coverage.md.
const opinfoDocs = "<!-- op_db: begin -->\n"

// TestOpInfo runs PyTorch's own samples of the operators that octet has, and compares the table of those with which octet does
// not agree in all samples with docs/coverage.md; with -update it writes it. OCTET_OPINFO is a file to read instead of the recorded
// one, with more samples; then it prints the table and each reason.
func TestOpInfo(t *testing.T) {
	path := filepath.Join("testdata", "opinfo.json.gz")
	if other := os.Getenv("OCTET_OPINFO"); other != "" {
		path = other
	}
	table, err := aten.Operators()
	if err != nil {
		t.Fatal(err)
	}
	exported, err := os.ReadFile(filepath.Join("testdata", "exported_operators.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var rows, missing []string
	entries, agree, samples := 0, 0, 0
	inExported, agreeExported := 0, 0
	for _, e := range fixture.Read[opEntry](t, path) {
		// torch.nn.functional's are functions that call the operator of their name.
		name := strings.ReplaceAll(strings.TrimPrefix(e.Aten, "nn.functional."), ".", "_")
		union := slices.Contains(strings.Fields(string(exported)), name)
		if !union && !table.Supports("aten::"+name) {
			missing = append(missing, e.Name)
			continue
		}
		entries++
		if union {
			inExported++
		}
		samples += len(e.Samples)
		bad, reason := 0, ""
		for _, s := range e.Samples {
			if why := s.run(t); why != "" {
				t.Logf("%s: %s", e.Name, why)
				if bad++; reason == "" {
					reason = why
				}
			}
		}
		if bad == 0 {
			agree++
			if union {
				agreeExported++
			}
		} else {
			rows = append(rows, fmt.Sprintf("| %s | %d of %d | %s |\n", e.Name, bad, len(e.Samples), strings.ReplaceAll(reason, "|", "/")))
		}
	}
	text := fmt.Sprintf("%d of %d entries agree in all of their samples, %d in all: %.1f %%.", agree, entries, samples, 100*float64(agree)/float64(entries))
	text += fmt.Sprintf(" Of the operators that 119 exported models hold (`exported_operators.txt`), %d of %d entries: %.1f %%.\n\n", agreeExported, inExported, 100*float64(agreeExported)/float64(inExported))
	text += "| entry | samples | first reason |\n|---|---|---|\n"
	text += strings.Join(rows, "")
	if path == os.Getenv("OCTET_OPINFO") {
		t.Logf("%s\nwithout a row: %s", text, strings.Join(missing, ", "))
		return
	}
	compareOpInfo(t, text)
	if agree*100 < entries*95 || agreeExported*100 < inExported*95 {
		t.Errorf("%d of %d entries agree, %d of %d of exported operators, want 95 %%", agree, entries, agreeExported, inExported)
	}
}

// compareOpInfo compares the table with the one in docs/coverage.md.
func compareOpInfo(t *testing.T, text string) {
	t.Helper()
	path := filepath.Join("..", "docs", "coverage.md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), opinfoDocs)
	have, after, ok2 := strings.Cut(rest, "<!-- op_db: end -->")
	switch {
	case !ok || !ok2:
		t.Fatalf("%s has no marks for the table", path)
	case *update:
		if err := os.WriteFile(path, []byte(before+opinfoDocs+text+"<!-- op_db: end -->"+after), 0o644); err != nil {
			t.Fatal(err)
		}
	case have != text:
		t.Errorf("%s does not say what is so; run the test with -update:\n%s", path, text)
	}
}

// run says in what a sample departs from PyTorch, "" where it does not.
func (s opSample) run(t *testing.T) string {
	for _, x := range slices.Concat(s.In, s.Out) {
		if _, err := tensor.ParseDType(x.DType); err != nil {
			return "refused: " + x.DType
		}
	}
	data := (&scriptCase{Files: s.Files}).archive(t)
	g, err := LoadFrom(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return opReason(err)
	}
	c, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		return opReason(err)
	}
	defer c.Close()
	in := make([]*tensor.Tensor, len(s.In))
	for i, x := range s.In {
		in[i] = x.tensor(t)
	}
	out, err := c.Run(context.Background(), in...)
	if err != nil {
		return opReason(err)
	}
	if len(out) != len(s.Out) {
		return fmt.Sprintf("%d outputs, want %d", len(out), len(s.Out))
	}
	for i, x := range s.Out {
		want := x.tensor(t)
		if why := differ(out[i], want, 1e-5, 1e-5*largest(want)); why != "" {
			return "differs: " + why
		}
	}
	return ""
}

// opReason is the end of an error, which says what happened.
func opReason(err error) string {
	var refused *UnsupportedError
	if errors.As(err, &refused) && len(refused.Operators) > 0 {
		return fmt.Sprintf("refused: %s", refused.Operators[0].Name)
	}
	text := strings.ReplaceAll(err.Error(), "\n", " ")
	return "error: " + text[max(0, len(text)-120):]
}

// largest returns the largest finite absolute value.
func largest(t *tensor.Tensor) float64 {
	wide, err := t.To(tensor.Float64)
	if err != nil {
		return 0
	}
	top := 0.0
	for _, v := range tensor.Data[float64](wide) {
		if a := math.Abs(v); a <= math.MaxFloat64 {
			top = max(top, a)
		}
	}
	return top
}

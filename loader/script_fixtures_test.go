//go:build !nopytorch

package loader

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/fixture"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// scriptCase is a model that testdata/gen/script/gen.py made, with the runs that
// PyTorch made of it.
type scriptCase struct {
	What  string
	Files map[string]scriptRecordText
	Runs  []scriptRun
	Tol   float64 // relative and absolute
	// Steps is by how many of the last operator's steps a quantized result may differ.
	Steps float64
	// Refused says that octet does not run it, and lists what it does not have.
	Refused bool
}

type scriptRun struct {
	In    []scriptTensor
	Out   []scriptTensor
	Err   string // what PyTorch says, where it raises
	Reset bool   // the model forgets its state before
	// Grads are the gradients of the inputs, of those that have one: of the first run, where
	// PyTorch has any.
	Grads []*scriptTensor
}

type scriptTensor struct {
	DType string            `json:"d"`
	Shape []int             `json:"s"`
	Bytes []byte            `json:"b"`
	Step  float64           // of values that were quantized
	Q     []json.RawMessage `json:"q"` // scales, zero points, axis
}

// scriptRecordText is a record: a text, or bytes.
type scriptRecordText []byte

func (r *scriptRecordText) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*r = []byte(text)
		return nil
	}
	var b struct{ B []byte }
	err := json.Unmarshal(data, &b)
	*r = b.B
	return err
}

func (x scriptTensor) tensor(t *testing.T) *tensor.Tensor {
	t.Helper()
	d, err := tensor.ParseDType(x.DType)
	if err != nil {
		t.Fatal(err)
	}
	raw := tensor.AlignedBytes(len(x.Bytes))
	copy(raw, x.Bytes)
	out, err := tensor.FromBytes(d, raw, x.Shape...)
	if err != nil {
		t.Fatal(err)
	}
	if x.Q == nil {
		return out
	}
	var scales []float64
	q := tensor.PerTensor(d, 1, 0)
	for i, into := range []any{&scales, &q.ZeroPoint, &q.Axis} {
		if err := json.Unmarshal(x.Q[i], into); err != nil {
			t.Fatal(err)
		}
	}
	q.Scale = q.Scale[:0]
	for _, s := range scales {
		q.Scale = append(q.Scale, float32(s))
	}
	if q.Axis >= 0 {
		q.Scheme = tensor.PerChannelAffine
	} else {
		q.Axis = 0
	}
	return out.WithQParams(q)
}

// archive returns the archive of the case.
func (c *scriptCase) archive(t testing.TB) []byte {
	t.Helper()
	names := make([]string, 0, len(c.Files))
	for name := range c.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(c.Files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// scriptFamilies lists the files of cases.
func scriptFamilies(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/script/*.json.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	return files
}

func readScriptCases(t testing.TB, path string) []scriptCase {
	t.Helper()
	return fixture.Read[scriptCase](t, path)
}

// TestScriptParity compares models with what PyTorch makes of them. All runs of a
// model are those of one session.
func TestScriptParity(t *testing.T) {
	for _, path := range scriptFamilies(t) {
		family := strings.TrimSuffix(filepath.Base(path), ".json.gz")
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			for i, c := range readScriptCases(t, path) {
				t.Run(fmt.Sprint(i), func(t *testing.T) { runScriptCase(t, &c, "") })
			}
		})
	}
}

// TestSpecialValues computes NaN, infinities, denormal numbers and the ends of integers with the kernels of every tier.
func TestSpecialValues(t *testing.T) {
	cases := readScriptCases(t, "testdata/script/special.json.gz")
	for _, tier := range asm.Supported() {
		t.Run(tier.String(), func(t *testing.T) {
			for _, c := range cases {
				runScriptCase(t, &c, tier.String())
			}
		})
	}
}

// runScriptCase runs a case with the kernels of a tier, "" for the best.
func runScriptCase(t *testing.T, c *scriptCase, tier string) {
	data := c.archive(t)
	g, err := LoadFrom(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatalf("%s: %v", c.What, err)
	}
	s, err := g.Compile(graph.Options{Threads: 1, CPU: tier})
	if err != nil {
		t.Fatalf("%s: %v", c.What, err)
	}
	defer s.Close()
	for _, r := range c.Runs {
		in := make([]*tensor.Tensor, len(r.In))
		for i, x := range r.In {
			in[i] = x.tensor(t)
		}
		what := fmt.Sprintf("%s of %v", c.What, in)
		if r.Reset {
			s.Reset()
		}
		var unsupported *UnsupportedError
		out, err := s.Run(context.Background(), in...)
		switch {
		case c.Refused:
			if !errors.As(err, &unsupported) {
				t.Errorf("%s: got %v, %v, want an *UnsupportedError", what, out, err)
			}
			continue
		case r.Err != "":
			if err == nil || errors.As(err, &unsupported) {
				t.Errorf("%s: got %v, %v; PyTorch says %q", what, out, err, r.Err)
			}
			continue
		case err != nil:
			t.Errorf("%s: %v", what, err)
			continue
		case len(out) != len(r.Out):
			t.Errorf("%s: %d outputs, want %d", what, len(out), len(r.Out))
			continue
		}
		for i, w := range r.Out {
			if why := differ(out[i], w.tensor(t), c.Tol, c.Steps*w.Step); why != "" {
				t.Errorf("%s: output %d: %s", what, i, why)
			}
		}
	}
}

// TestScriptGolden runs small traced models against what PyTorch gave.
func TestScriptGolden(t *testing.T) {
	for _, name := range []string{"attention", "concat", "conv3d", "inverted", "mlp", "plain", "residual", "seq1d"} {
		t.Run(name, func(t *testing.T) {
			data, err := tensor.ReadNPZ(shareddata.Path(t, "golden", "quantizer", name, "tensors.npz"), 0)
			if err != nil {
				t.Fatal(err)
			}
			g, err := Load(shareddata.Path(t, "golden", "quantizer", name, "model.ts.pt"))
			if err != nil {
				t.Fatal(err)
			}
			out := runInOrder(t, g, []*tensor.Tensor{data.Get("test")})[0]
			if why := differ(out[0], data.Get("float"), 1e-5, 0); why != "" {
				t.Error(why)
			}
		})
	}
}

// TestScriptSaved saves every program of the fixtures for the shapes of its first run. What keeps something
// between runs is not saved, nor what holds branches and loops that only the run decides.
func TestScriptSaved(t *testing.T) {
	if testing.Short() {
		t.Skip("it saves 3000 programs")
	}
	saved := 0
	for _, path := range scriptFamilies(t) {
		for _, c := range readScriptCases(t, path) {
			if c.Refused || len(c.Runs) == 0 || c.Runs[0].Err != "" {
				continue
			}
			data := c.archive(t)
			g, err := LoadFrom(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatalf("%s: %v", c.What, err)
			}
			var types []ops.Type
			for _, in := range c.Runs[0].In {
				x := in.tensor(t)
				types = append(types, ops.Type{DType: x.DType(), Shape: x.Shape(), Q: x.QParams()})
			}
			if g, err = g.Specialize(types...); err != nil || g.State != nil {
				continue // the first asks for the values of inputs
			}
			branches := slices.ContainsFunc(g.Nodes, func(n *graph.Node) bool {
				name := n.Op.Name()
				return name == "if" || name == "loop"
			})
			if err := SaveTo(io.Discard, g, SaveOptions{}); err != nil && !branches {
				t.Errorf("%s: %s: %v", filepath.Base(path), c.What, err)
			}
			saved++
		}
	}
	if saved < 2900 {
		t.Errorf("only %d programs saved", saved)
	}
}

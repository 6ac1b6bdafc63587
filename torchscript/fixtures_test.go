package torchscript

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/fixture"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// fixtureCase is a model of the loader's fixtures, of which only the files and the inputs are read.
type fixtureCase struct {
	What  string
	Files map[string]fixtureRecord
	Runs  []struct {
		In []struct {
			DType string            `json:"d"`
			Shape []int             `json:"s"`
			Bytes []byte            `json:"b"`
			Q     []json.RawMessage `json:"q"`
		}
		Err string
	}
}

// fixtureRecord is a record of an archive: a text, or bytes.
type fixtureRecord []byte

func (r *fixtureRecord) UnmarshalJSON(data []byte) error {
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

// inputs returns those of the first run, nil where it fails or takes quantized ones.
func (c *fixtureCase) inputs() []*tensor.Tensor {
	if len(c.Runs) == 0 || c.Runs[0].Err != "" {
		return nil
	}
	var in []*tensor.Tensor
	for _, x := range c.Runs[0].In {
		if x.Q != nil {
			return nil
		}
		raw := tensor.AlignedBytes(len(x.Bytes))
		copy(raw, x.Bytes)
		in = append(in, must(tensor.FromBytes(must(tensor.ParseDType(x.DType)), raw, x.Shape...)))
	}
	return in
}

// concrete returns the model's graph for the inputs, nil where the loader makes none.
func (c *fixtureCase) concrete(in []*tensor.Tensor) *graph.Graph {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range c.Files {
		w := must(z.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: zip.Store}))
		must(w.Write(data))
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	g, err := loader.LoadFrom(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		return nil
	}
	types := make([]ops.Type, len(in))
	for i, x := range in {
		types[i] = ops.TypeOf(x)
		types[i].Known = nil
	}
	if g, err = g.Specialize(types...); err != nil {
		return nil
	}
	return g
}

// runs returns the outputs of a graph, or why it gives none.
func runs(t *testing.T, g *graph.Graph, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Run(t.Context(), in...)
}

// TestFixtures exports every graph that the loader's fixtures give: it is read back and gives the same bits, or is refused by an error
// that names the operator.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "loader", "testdata", "script", "*.json.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	list, families := newExportList(), 0
	for _, path := range files {
		family := strings.TrimSuffix(filepath.Base(path), ".json.gz")
		t.Run(family, func(t *testing.T) {
			families++
			written, quantized, refused := 0, 0, map[string]int{}
			for _, c := range fixture.Read[fixtureCase](t, path) {
				in := c.inputs()
				if len(in) == 0 {
					continue
				}
				g := c.concrete(in)
				if g == nil {
					continue
				}
				want, err := runs(t, g, in)
				if err != nil {
					continue
				}
				list.add(t, c.What, g)
				if op := checkExport(t, c.What, g, in, want); op != "" {
					refused[op]++
					continue
				}
				written++
				if q := int8Form(t, g, in); q != nil {
					list.add(t, c.What+" in int8", q)
					checkExport(t, c.What+" in int8", q, in, must(runs(t, q, in)))
					quantized++
				}
			}
			t.Logf("%d are written, %d also in int8; refused: %v", written, quantized, refused)
		})
	}
	if families == len(files) { // else a part was asked for
		for i, c := range int8Cases() {
			g, _ := c.build(t)
			list.add(t, fmt.Sprint("int8 case ", i), g)
		}
		list.check(t)
	}
}

// int8Form returns the int8 form of a graph whose inputs are floats, nil where nothing in it is int8.
func int8Form(t *testing.T, g *graph.Graph, in []*tensor.Tensor) *graph.Graph {
	if slices.ContainsFunc(in, func(x *tensor.Tensor) bool { return x.DType() != tensor.Float32 || x.Numel() == 0 }) {
		return nil
	}
	q := quantize.New(quantize.Options{Backend: quantize.Native, Session: graph.Options{CPU: "generic", Threads: 1}})
	calib, err := q.Calib(g)
	if err != nil {
		return nil
	}
	defer calib.Close()
	if _, err := calib.Run(t.Context(), in...); err != nil {
		return nil
	}
	form, err := q.Quantize(g)
	if err != nil || !slices.ContainsFunc(form.Nodes, func(n *graph.Node) bool { return strings.HasPrefix(n.Op.Name(), "int8.") }) {
		return nil
	}
	return form
}

// checkExport exports a graph and compares what is read back with its outputs. It returns the operator that is refused, "" for none.
func checkExport(t *testing.T, what string, g *graph.Graph, in, want []*tensor.Tensor) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteTo(&b, g); err != nil {
		var unsupported *ops.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Op == "" {
			t.Errorf("%s: %v, which names no operator", what, err)
			return "?"
		}
		return unsupported.Op
	}
	back, err := loader.LoadFrom(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return ""
	}
	got, err := runs(t, back, in)
	if err != nil {
		t.Errorf("%s: %v\n%v", what, err, g)
		return ""
	}
	same := len(got) == len(want)
	for i := range want {
		same = same && got[i].DType() == want[i].DType() && got[i].Shape().Equal(want[i].Shape()) &&
			slices.Equal(got[i].Contiguous().Bytes(), want[i].Contiguous().Bytes())
	}
	if !same {
		t.Errorf("%s: %s is read back as %s\n%v", what, text(want), text(got), g)
	}
	return ""
}

// text shows outputs.
func text(list []*tensor.Tensor) string {
	var b strings.Builder
	for _, x := range list {
		fmt.Fprint(&b, x, " ")
	}
	return b.String()
}

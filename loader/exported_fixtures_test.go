//go:build !nopytorch

package loader

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// exportedCase is what stands beside a program that PyTorch exported.
type exportedCase struct {
	Expect    string
	Refuse    string
	Tolerance float64
	Cases     []struct {
		File    string
		Inputs  []exportedValue
		Outputs []exportedValue
	}
}

type exportedValue struct{ Name, Kind, DType string }

// refusedPrograms are those of the programs that octet does not run, with what it says.
var refusedPrograms = map[string]string{
	"custom_op_26":   "mylib::double",
	"two_models_214": "several models, ",
}

// TestExported runs all programs that PyTorch exported on the inputs recorded with them. The
// runs of a program are those of one session.
func TestExported(t *testing.T) {
	for _, file := range exportedFiles(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".pt2")
		t.Run(name, func(t *testing.T) {
			c := readExported(t, file)
			g, err := Load(file)
			if reason, ok := refusedPrograms[name]; ok {
				refuseExported(t, g, err, reason)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(c.Expect, "ok") && name != "nonzero_214" && name != "dropout_train_26" { // recorded before their kinds ran, and without outputs
				t.Fatal("it should be refused")
			}
			runExported(t, g, filepath.Dir(file), c)
		})
	}
}

// TestExportedRandom runs a program that draws random numbers: each run draws others, and after Seed and Reset the same again, for any
// number of threads.
func TestExportedRandom(t *testing.T) {
	g, err := Load(filepath.Join(filepath.Dir(exportedFiles(t)[0]), "dropout_train_26.pt2"))
	if err != nil {
		t.Fatal(err)
	}
	var first [][]byte
	for _, threads := range []int{1, 3} {
		s, err := g.Compile(graph.Options{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		in := make([]*tensor.Tensor, len(g.Inputs))
		for i, v := range g.Inputs {
			if in[i], err = tensor.New(v.Type.DType, v.Type.Shape...); err != nil {
				t.Fatal(err)
			}
			for k := range in[i].Float32s() {
				in[i].Float32s()[k] = float32(k%7) - 2.5
			}
		}
		var got [][]byte
		run := func() {
			out, err := s.Run(context.Background(), in...)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, out[0].Bytes())
		}
		s.Seed(3)
		run()
		run()
		s.Seed(3)
		run()
		run()
		s.Reset()
		run()
		if slices.Equal(got[0], got[1]) || !slices.Equal(got[0], got[2]) || !slices.Equal(got[1], got[3]) || !slices.Equal(got[0], got[4]) {
			t.Errorf("%d threads: the runs give %v", threads, got)
		}
		if first == nil {
			first = got
		} else if !slices.Equal(first[1], got[1]) {
			t.Errorf("%d threads give other numbers", threads)
		}
	}
}

// exportedFiles lists the programs.
func exportedFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(shareddata.Path(t, "pt2", "mlp_26.pt2")), "*.pt2"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	return files
}

// readExported reads what stands beside a program.
func readExported(t *testing.T, file string) *exportedCase {
	t.Helper()
	text, err := os.ReadFile(strings.TrimSuffix(file, ".pt2") + ".json")
	if err != nil {
		t.Fatal(err)
	}
	c := &exportedCase{}
	if err := json.Unmarshal(text, c); err != nil {
		t.Fatal(err)
	}
	return c
}

// exportedInputs reads what was recorded with a program: its inputs, and all arrays.
func exportedInputs(t *testing.T, g *graph.Graph, path string) (in []*tensor.Tensor, arrays tensor.Arrays) {
	t.Helper()
	arrays, err := tensor.ReadNPZ(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range g.Inputs {
		x := arrays.Get(v.Name)
		if x == nil {
			t.Fatalf("%s: no array %s", path, v.Name)
		}
		in = append(in, x)
	}
	return in, arrays
}

// refuseExported checks that a program is refused, when it is loaded or specialized.
func refuseExported(t *testing.T, g *graph.Graph, err error, reason string) {
	t.Helper()
	if err == nil {
		_, err = g.Concrete()
	}
	var unsupported *UnsupportedError
	var choice *ChoiceError
	if !errors.As(err, &unsupported) && !errors.As(err, &choice) || !strings.Contains(err.Error(), reason) {
		t.Errorf("got %v, want a refusal with %q", err, reason)
	}
}

func runExported(t *testing.T, g *graph.Graph, dir string, c *exportedCase) {
	t.Helper()
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, k := range c.Cases {
		in, arrays := exportedInputs(t, g, filepath.Join(dir, k.File))
		before := make([]*tensor.Tensor, len(in))
		for i, x := range in {
			before[i] = x.Clone()
		}
		out, err := s.Run(context.Background(), in...)
		if err != nil {
			t.Errorf("%s: %v", k.File, err)
			continue
		}
		for i, x := range in {
			if !slices.Equal(x.Contiguous().Bytes(), before[i].Bytes()) {
				t.Errorf("%s: the run writes to its input %s", k.File, g.Inputs[i].Name)
			}
		}
		var want []string
		for i, o := range k.Outputs {
			if o.Kind != "none" {
				want = append(want, fmt.Sprintf("output%d", i))
			}
		}
		for _, v := range g.Inputs {
			if arrays.Get("after_"+v.Name) != nil {
				want = append(want, "after_"+v.Name)
			}
		}
		if len(out) != len(want) {
			t.Errorf("%s: %d outputs, want %v", k.File, len(out), want)
			continue
		}
		for i, name := range want {
			closeTo(t, k.File+" "+name, out[i], arrays.Get(name), c.Tolerance)
		}
	}
}

// closeTo compares a tensor with what PyTorch has, by the largest of its elements.
func closeTo(t *testing.T, what string, got, want *tensor.Tensor, tolerance float64) {
	t.Helper()
	if want == nil {
		t.Errorf("%s: nothing was recorded", what)
		return
	}
	if !got.Shape().Equal(want.Shape()) {
		t.Errorf("%s: shape %v, want %v", what, got.Shape(), want.Shape())
		return
	}
	g, w := floatsOf(t, got), floatsOf(t, want)
	largest := 0.0
	for _, x := range w {
		if !math.IsInf(x, 0) && !math.IsNaN(x) {
			largest = max(largest, math.Abs(x))
		}
	}
	if !got.DType().IsFloat() {
		tolerance = 0
	}
	if d := got.DType(); d == tensor.BFloat16 || d == tensor.Float16 {
		tolerance = max(tolerance, 1.0/128)
	}
	worst := 0.0
	for i := range w {
		if w[i] != g[i] && !(math.IsNaN(w[i]) && math.IsNaN(g[i])) {
			worst = max(worst, math.Abs(g[i]-w[i]))
			if math.IsNaN(g[i]) || math.IsNaN(w[i]) {
				worst = math.Inf(1)
			}
		}
	}
	if worst > tolerance*largest {
		t.Errorf("%s: differs by %g where the largest is %g", what, worst, largest)
	}
}

func floatsOf(t *testing.T, x *tensor.Tensor) []float64 {
	t.Helper()
	wide, err := x.Contiguous().To(tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Data[float64](wide.Contiguous())
}

// TestExportedContract gives programs inputs that they do not take, at first and after
// a graph was made that would serve them: both are refused with the condition.
func TestExportedContract(t *testing.T) {
	float := func(shape ...int) *tensor.Tensor { return zeros(t, tensor.Float32, shape...) }
	ids := func(shape ...int) *tensor.Tensor { return zeros(t, tensor.Int64, shape...) }
	for _, c := range []struct {
		name    string
		good    []*tensor.Tensor
		bad     [][]*tensor.Tensor
		reasons []string
	}{
		{
			"assertion_214", []*tensor.Tensor{float(4, 3)}, [][]*tensor.Tensor{{float(1, 3)}, {float(2, 3)}, {float(3, 3)}, {float(5, 3)}, {float(7, 3)}},
			[]string{"guard failed: (L['x'].size()[0] % 2) == 0", "guard failed: (L['x'].size()[0] // 2) != 1", "guard failed", "guard failed", "guard failed"},
		},
		{
			"assertion_26", []*tensor.Tensor{float(4, 3)}, [][]*tensor.Tensor{{float(3, 3)}, {float(5, 3)}, {float(7, 3)}, {float(4, 2)}, {float(1, 3)}},
			[]string{"guard failed: (s0 % 2) == 0 (s0 is 3)", "guard failed", "guard failed", "its extent 1 is 2", "guard failed"},
		},
		{
			"hf_bert_214", []*tensor.Tensor{ids(2, 7), ids(2, 7)}, [][]*tensor.Tensor{{ids(2, 7), ids(2, 6)}, {ids(2, 33), ids(2, 33)}},
			[]string{"its extent 1 is 6 where the model takes the same as input_ids's", "is 33 where the model takes 2 to 32"},
		},
		{
			"kvcache_core_214", []*tensor.Tensor{float(1, 2, 8), ids(2)}, [][]*tensor.Tensor{{float(1, 4, 8), ids(3)}, {float(1, 9, 8), ids(9)}, {float(2, 2, 8), ids(2)}},
			[]string{"its extent 0 is 3 where the model takes the same as x's extent 1, which is 4", "is 9 where the model takes 0 to 8", "its extent 0 is 2 where the model takes 1"},
		},
		{
			"kvcache_26", []*tensor.Tensor{float(2, 2, 8), ids(2)}, nil, nil,
		},
		{
			"cnn_214", []*tensor.Tensor{float(2, 1, 28, 28)}, [][]*tensor.Tensor{{float(17, 1, 28, 28)}}, []string{"is 17 where the model takes 1 to 16"},
		},
	} {
		g, err := Load(shareddata.Path(t, "pt2", c.name+".pt2"))
		if err != nil {
			t.Fatal(err)
		}
		example, err := g.Concrete()
		if err != nil {
			t.Fatal(err)
		}
		if c.name == "cnn_214" || c.name == "kvcache_26" { // shapes of the file, but for one extent
			c.good, c.bad = nil, [][]*tensor.Tensor{nil}
			for i, v := range example.Inputs[:len(g.Inputs)] {
				c.good = append(c.good, zeros(t, v.Type.DType, v.Type.Shape...))
				shape := v.Type.Shape.Clone()
				if shape[0] = 17; c.name == "kvcache_26" {
					if shape = v.Type.Shape.Clone(); i == 0 {
						shape[1]++
					}
				}
				c.bad[0] = append(c.bad[0], zeros(t, v.Type.DType, shape...))
			}
			if c.name == "kvcache_26" {
				c.reasons = []string{"where the model takes the same as"}
			}
		}
		for _, first := range []bool{true, false} {
			s, err := g.Compile(graph.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if !first {
				if _, err := s.Run(context.Background(), c.good...); err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
			}
			for i, in := range c.bad {
				_, err := s.Run(context.Background(), in...)
				var ie *graph.InputError
				if !errors.As(err, &ie) || !strings.Contains(err.Error(), c.reasons[i]) {
					t.Errorf("%s, case %d, first %v: got %v, want %q", c.name, i, first, err, c.reasons[i])
				}
			}
		}
	}
}

// TestExportedModels chooses one of several programs.
func TestExportedModels(t *testing.T) {
	file := shareddata.Path(t, "pt2", "two_models_214.pt2")
	arrays, err := tensor.ReadNPZ(strings.TrimSuffix(file, "pt2")+"npz", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mlp", "cnn"} {
		g, err := Load(file, Model(name))
		if err != nil {
			t.Fatal(err)
		}
		s, err := g.Compile(graph.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		out, err := s.Run(context.Background(), arrays.Get("x_"+name))
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, name, out[0], arrays.Get("out_"+name), 1e-4)
	}
	var choice *ChoiceError
	if _, err := Load(file, Model("rnn")); !errors.As(err, &choice) || !strings.Contains(err.Error(), `no model "rnn": it has`) {
		t.Errorf("a model that is not there: %v", err)
	}
}

// TestExportedOwn runs the programs that testdata/gen/exported.py made: control flow, state, nested
// inputs, extents that are expressions. The runs of a program are those of one session.
func TestExportedOwn(t *testing.T) {
	files, err := filepath.Glob("testdata/exported/*.pt2")
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	for _, file := range files {
		runRecorded(t, file, 1e-4)
	}
}

// runRecorded runs a program on the inputs recorded beside it, one after the other in one
// session, and compares what it returns. It returns the graph for the first of them.
func runRecorded(t *testing.T, file string, tolerance float64) *graph.Graph {
	t.Helper()
	g, err := Load(file)
	if err != nil {
		t.Error(err)
		return nil
	}
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Error(err)
		return nil
	}
	defer s.Close()
	runs, err := filepath.Glob(strings.TrimSuffix(file, "pt2") + "*.npz")
	if err != nil || len(runs) == 0 {
		t.Fatal(err, len(runs))
	}
	var first *graph.Graph
	for _, run := range runs {
		arrays, err := tensor.ReadNPZ(run, 0)
		if err != nil {
			t.Fatal(err)
		}
		var in []*tensor.Tensor
		var types []ops.Type
		for _, v := range g.Inputs {
			x := arrays.Get(v.Name)
			in = append(in, x)
			known := x
			if x.Numel() > 1 {
				known = nil
			}
			types = append(types, ops.Type{DType: x.DType(), Shape: x.Shape(), Known: known})
		}
		out, err := s.Run(context.Background(), in...)
		if err != nil {
			t.Errorf("%s: %v", run, err)
			continue
		}
		if want := len(arrays) - len(in); len(out) != want {
			t.Errorf("%s: %d outputs, want %d", run, len(out), want)
			continue
		}
		for i, x := range out {
			closeTo(t, fmt.Sprintf("%s output%d", run, i), x, arrays.Get(fmt.Sprintf("output%d", i)), tolerance)
		}
		if first == nil {
			if first, err = g.Specialize(types...); err != nil {
				t.Errorf("%s: %v", run, err)
			}
		}
	}
	return first
}

// TestOtherRuntimes refuses what was made of models for other runtimes.
func TestOtherRuntimes(t *testing.T) {
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	if _, err := z.Create("m/bytecode.pkl"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for content, what := range map[string]string{
		archive.String():           "PyTorch Mobile (.ptl)",
		"\x10\x00\x00\x00ET12abcd": "ExecuTorch",
		"\x10\x00\x00\x00PTMFabcd": "PyTorch Mobile (flatbuffers)",
	} {
		_, err := LoadFrom(strings.NewReader(content), int64(len(content)))
		var unsupported *UnsupportedFileError
		if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "torch.export.save") {
			t.Errorf("%s: got %v", what, err)
		}
	}
}

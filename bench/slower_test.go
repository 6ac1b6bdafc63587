package bench

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
)

// TestCompareLayers compares profiles whose times are made up.
func TestCompareLayers(t *testing.T) {
	step := func(name, op string, median, least int, int8 bool) LayerProfile {
		d := time.Duration(median) * time.Microsecond
		return LayerProfile{Name: name, Op: op, Time: d, Ms: milliseconds(d), least: time.Duration(least) * time.Microsecond, int8: int8}
	}
	result := func(precision string, threads int, layers ...LayerProfile) Result {
		return Result{Model: "net", Precision: precision, Threads: threads, Batch: 1, Layers: layers, profile: layers}
	}
	r := Measurements{Results: []Result{
		result(Int8, 1,
			step("a", "int8.conv2d", 300, 300, true), step("b", "int8.conv2d", 104, 104, true), step("c", "int8.linear", 50, 50, true),
			step("c", "int8.quantize", 30, 30, false), step("d", "relu", 900, 900, false), step("", "int8.linear", 10, 10, true), step("e", "int8.linear", 7, 7, true), step("f", "int8.linear", 90, 40, true)),
		result(Float32, 1, step("a", "conv2d", 200, 200, false), step("b", "conv2d", 100, 100, false), step("c", "linear", 40, 40, false),
			step("c", "gelu", 20, 20, false), step("d", "relu", 1, 1, false), step("", "linear", 1, 1, false), step("f", "linear", 50, 45, false)),
		result(Int8, 2, step("a", "int8.conv2d", 150, 150, true)),
		result(Float32, 2, step("a", "conv2d", 160, 160, false)),
		result(Int8Dynamic, 4, step("a", "int8.conv2d", 150, 150, true)),
	}}
	r.CompareLayers()
	want := []SlowerLayer{{"a", 0.3, 0.2}, {"c", 0.08, 0.06}}
	if got := r.Results[0].Slower; !slices.Equal(got, want) {
		t.Errorf("slower are %v, want %v", got, want)
	}
	for i, want := range []float64{0.2, 0.1, 0.06, 0, 0, 0, 0, 0.05} {
		if l := r.Results[0].Layers[i]; l.Float32Ms != want {
			t.Errorf("%s %s takes %v ms in float32, want %v", l.Name, l.Op, l.Float32Ms, want)
		}
	}
	for _, x := range r.Results[1:] {
		if len(x.Slower) > 0 {
			t.Errorf("%s with %d threads: slower are %v", x.Precision, x.Threads, x.Slower)
		}
	}
	var table strings.Builder
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"net, int8, 1 threads, batch 1: slower here than in float32 (octet tune leaves such modules in float32)\n" +
			"layer  ms     float32 ms\na      0.300  0.200\nc      0.080  0.060\n",
		"\na      int8.conv2d    0.300  0.200 (faster)  ", "\nb      int8.conv2d    0.104  0.100           ", "\nd      relu           0.900                  ",
	} {
		if !strings.Contains(table.String(), line) {
			t.Errorf("no %q in\n%s", line, table.String())
		}
	}
	if n := strings.Count(table.String(), "slower here"); n != 1 {
		t.Errorf("%d results have slower layers, want 1", n)
	}
}

// TestSweepProfilesBothPrecisions checks that layers are compared though they are not shown.
func TestSweepProfilesBothPrecisions(t *testing.T) {
	var r Measurements
	s := Sweep{Precisions: []string{Int8, Float32}, Threads: []int{1}, Inputs: []ops.Type{{Shape: []int{1, 3, 16, 16}}}, Runs: 1}
	m := Model{"net", func() (*graph.Graph, error) { return nn.BuildRandom(nn.ResNet20CIFAR(), 1) }}
	if err := s.Run(context.Background(), m, fixedLimits, func(x Result) { r.Results = append(r.Results, x) }); err != nil {
		t.Fatal(err)
	}
	r.CompareLayers()
	compared := 0
	for _, l := range r.Results[0].profile {
		if l.int8 != (l.Float32Ms > 0) {
			t.Errorf("%s %s takes %v ms in float32", l.Name, l.Op, l.Float32Ms)
		}
		if l.int8 {
			compared++
		}
	}
	if compared != 20 || r.Results[0].Layers != nil {
		t.Errorf("%d layers are compared and %d shown, want 20 and none", compared, len(r.Results[0].Layers))
	}
}

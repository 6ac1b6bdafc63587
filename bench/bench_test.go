package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
)

func TestClasses(t *testing.T) {
	nan := float32(math.NaN())
	logits := of([]float32{1, 3, 2, 5, 5, 1, 1, nan, 9, -3, -1, -2, nan, 7, nan}, 5, 3)
	want := []int{1, 0, 1, 1, 0}
	got := must(Classes(logits))
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("row %d: class %d, want %d", i, got[i], want[i])
		}
	}
	if _, err := Classes(of([]float32{1}, 1)); err == nil {
		t.Error("a row of values has no classes")
	}
}

func TestCompare(t *testing.T) {
	a := of([]float32{1, 2, 3, 4}, 2, 2)
	got := must(Compare(a, of([]float32{1, 2.5, 5, 4}, 2, 2)))
	if want := (Agreement{N: 2, SameClass: 1, MaxAbsDiff: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := must(Compare(a, of([]float32{1, float32(math.NaN()), 3, 9}, 2, 2))); !math.IsNaN(got.MaxAbsDiff) {
		t.Errorf("a NaN on one side: got %+v", got)
	} else if text, err := json.Marshal(got); err != nil || string(text) != `{"n":2,"same_class":2,"max_abs_diff":null}` {
		t.Errorf("in JSON it is %s, %v", text, err)
	}
	if _, err := Compare(a, of([]float32{1, 2}, 1, 2)); err == nil {
		t.Error("other shapes cannot be compared")
	}
}

func TestQuantile(t *testing.T) {
	ms := []time.Duration{10, 20, 30, 40}
	for q, want := range map[float64]time.Duration{0: 10, 0.5: 25, 0.9: 37, 1: 40} {
		if got := quantile(ms, q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

func resnet20(t testing.TB) *graph.Graph {
	t.Helper()
	return must(nn.BuildRandom(nn.ResNet20CIFAR(), 1))
}

// resNet20MACs is what the layers' shapes give: per output pixel, kernel x channels in x channels out.
const resNet20MACs = 32*32*(9*3*16+6*9*16*16) + 16*16*(9*16*32+5*9*32*32) + 8*8*(9*32*64+5*9*64*64) + 64*10

func TestGraphWork(t *testing.T) {
	g := resnet20(t)
	for _, batch := range []int{1, 3} {
		w := must(graphWork(g, must(InputTypes(g, nil, batch))))
		if w.MACs != int64(batch*resNet20MACs) || w.Int8MACs != 0 {
			t.Errorf("batch %d: %d MACs and %d in int8, want %d", batch, w.MACs, w.Int8MACs, batch*resNet20MACs)
		}
	}
	wide := must(graphWork(g, must(InputTypes(g, []ops.Type{ops.F32(1, 3, 64, 64)}, 0))))
	if want := int64(4*(resNet20MACs-640) + 640); wide.MACs != want {
		t.Errorf("64x64: %d MACs, want %d", wide.MACs, want)
	}
}

func TestSummarize(t *testing.T) {
	s := must(Summarize(resnet20(t), nil))
	if s.MACs != resNet20MACs || s.Precision != Float32 || s.Operators[0] != (Operator{"conv2d", 19, resNet20MACs - 640}) {
		t.Errorf("got %d MACs, %s, most work in %+v", s.MACs, s.Precision, s.Operators[0])
	}
	found := false
	for _, c := range s.Modules {
		found = found || c == Class{"torch.nn.modules.conv.Conv2d", 19}
	}
	if !found {
		t.Errorf("no 19 convolutions among %v", s.Modules)
	}
}

func fixedLimits(int) Limits { return Limits{Threads: 1, F32Gops: 1e6, Int8Gops: 1e6, ReadGBs: 1e6} }

func TestSweep(t *testing.T) {
	opened := 0
	m := Model{"net", func() (*graph.Graph, error) { opened++; return must(nn.BuildRandom(nn.ResNet20CIFAR(), 1)), nil }}
	s := Sweep{Precisions: []string{Float32, Int8}, Threads: []int{1, 2}, Batches: []int{1, 2}, Inputs: []ops.Type{{Shape: []int{1, 3, 16, 16}}}, Runs: 2, Profile: true}
	var report Measurements
	if err := s.Run(context.Background(), m, fixedLimits, func(r Result) { report.Results = append(report.Results, r) }); err != nil {
		t.Fatal(err)
	}
	if opened != 1 || len(report.Results) != 8 {
		t.Fatalf("opened %d times, %d results, want 1 and 8", opened, len(report.Results))
	}
	for i, r := range report.Results {
		want := Result{Precision: []string{Float32, Int8}[i/4], Threads: 1 + i/2%2, Batch: 1 + i%2}
		if r.Model != "net" || r.Precision != want.Precision || r.Threads != want.Threads || r.Batch != want.Batch {
			t.Errorf("result %d is of %s %s, %d threads, batch %d", i, r.Model, r.Precision, r.Threads, r.Batch)
		}
		if r.Runs != 2 || len(r.Times) != 2 || r.MinMs <= 0 || r.MedianMs < r.MinMs || r.P90Ms < r.MedianMs || r.LoadMs <= 0 || r.Gops <= 0 || r.PercentOfPeak <= 0 {
			t.Errorf("result %d: %+v", i, r)
		}
		if r.AllocsPerRun != 0 {
			t.Errorf("result %d: %d allocations per run", i, r.AllocsPerRun)
		}
		random := false
		for _, n := range r.Notes {
			random = random || strings.Contains(n, "random inputs")
		}
		if random != (r.Precision == Int8) {
			t.Errorf("result %d: notes %q", i, r.Notes)
		}
		checkLayers(t, r)
	}
	var table, lines bytes.Buffer
	if err := report.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(table.String(), "slowest layers first") || !strings.Contains(table.String(), "layer3.2.conv2") {
		t.Errorf("table:\n%s", table.String())
	}
	if err := report.WriteGo(&lines); err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^BenchmarkModel/model=net/precision=int8/batch=2-2\t1\t\d+ ns/op\t[\d.]+ Gop/s\t0 allocs/op$`)
	if n := len(line.FindAllString(lines.String(), -1)); n != 2 {
		t.Errorf("%d lines of 2 threads and batch 2, want one for each of 2 runs:\n%s", n, lines.String())
	}
}

func checkLayers(t *testing.T, r Result) {
	t.Helper()
	share := 0.0
	for i, l := range r.Layers {
		share += l.Share
		if i > 0 && l.Time > r.Layers[i-1].Time {
			t.Errorf("layer %s is slower than the one before it", l.Name)
		}
		if weights := 64 * 64 * 9; l.Name == "layer3.2.conv2" && l.Op == "int8.conv2d" && l.PackedBytes != weights {
			t.Errorf("the int8 weights of %s take %d bytes, want %d", l.Name, l.PackedBytes, weights)
		}
	}
	if len(r.Layers) < 20 || math.Abs(share-1) > 1e-6 {
		t.Errorf("%d layers with shares that add up to %v", len(r.Layers), share)
	}
}

func TestSweepRefuses(t *testing.T) {
	m := Model{"net", func() (*graph.Graph, error) { return must(nn.BuildRandom(nn.ResNet20CIFAR(), 1)), nil }}
	var pe *PrecisionError
	err := Sweep{Precisions: []string{"int4"}, Runs: 1}.Run(context.Background(), m, fixedLimits, func(Result) {})
	if !errors.As(err, &pe) {
		t.Errorf("int4: got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := (Sweep{Runs: 1}).Run(ctx, m, fixedLimits, func(Result) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestMeasureLimits(t *testing.T) {
	l := MeasureLimits(asm.Best(), 1)
	if l.F32Gops <= 0 || l.Int8Gops <= 0 || l.ReadGBs <= 0 {
		t.Errorf("got %+v", l)
	}
	w := ops.Work{MACs: 5e8, Int8MACs: 1e9}
	if got, want := (Limits{F32Gops: 1, Int8Gops: 4}).Ideal(w), 1.5; math.Abs(got-want) > 1e-9 {
		t.Errorf("ideal time %v s, want %v", got, want)
	}
}

// TestSweepClients measures several runs of a session at a time, by their number and for a duration.
func TestSweepClients(t *testing.T) {
	m := Model{"net", func() (*graph.Graph, error) { return nn.BuildRandom(nn.ResNet20CIFAR(), 1) }}
	for _, s := range []Sweep{
		{Clients: 3, Runs: 7, Warmup: 1},
		{Clients: 3, Duration: 20 * time.Millisecond, Warmup: 1},
		{Duration: 20 * time.Millisecond, Warmup: 2},
	} {
		s.Threads, s.Batches, s.Inputs = []int{1}, []int{2}, []ops.Type{{Shape: []int{1, 3, 16, 16}}}
		if err := s.Run(context.Background(), m, fixedLimits, func(r Result) {
			least := max(s.Runs, s.Clients, 1)
			if s.Runs > 0 && r.Runs != s.Runs || r.Runs < least || len(r.Times) != r.Runs || r.Clients != max(s.Clients, 1) {
				t.Errorf("%+v: %d runs of %d clients, %d times", s, r.Runs, r.Clients, len(r.Times))
			}
			if !(r.PerSecond > 0) || r.P99Ms < r.P90Ms || r.MaxMs < r.P99Ms || !(r.Gops > 0) {
				t.Errorf("%+v: %+v", s, r)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []Sweep{{Runs: 1, Duration: time.Second}, {Duration: -1}, {Warmup: -1}, {Clients: -1}, {Clients: maxClients + 1}} {
		if s.Validate() == nil {
			t.Errorf("%+v is taken", s)
		}
	}
}

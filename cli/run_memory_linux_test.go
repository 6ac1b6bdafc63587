package cli

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

const (
	stackedLayers = 12
	stackedWidth  = 1024
)

// stacked is a model of many linear layers.
type stacked struct{}

func (stacked) Class() string { return "stacked" }

func (stacked) Forward(c *nn.Context, x ...*graph.Value) *graph.Value {
	for i := range stackedLayers {
		x[0] = c.Call(strconv.Itoa(i), nn.Linear{In: stackedWidth, Out: stackedWidth}, x[0])
	}
	return x[0]
}

// peak runs a command as a process and returns the most memory it had.
func peak(t *testing.T, args ...string) int64 {
	t.Helper()
	cmd := process(t, args...)
	cmd.Env = append(cmd.Env, "GOGC=")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	most, err := runPeak(t, cmd)
	if err != nil {
		t.Fatalf("octet %s: %v\n%s", strings.Join(args, " "), err, said.String())
	}
	return most
}

// TestPeaks runs, measures and serves a float32 and an int8 model whose weights are far more than anything else: beyond what the process takes
// by itself, they are in memory once.
func TestPeaks(t *testing.T) {
	float, err := nn.BuildRandom(nn.Architecture{Name: "stacked", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, stackedWidth}}}, Root: stacked{}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	int8, err := quantize.New(quantize.Options{Dynamic: true}).Quantize(float)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	x, err := tensor.New(tensor.Float32, 1, stackedWidth)
	if err != nil {
		t.Fatal(err)
	}
	input, output := filepath.Join(dir, "x.npz"), filepath.Join(dir, "y.npz")
	if err := tensor.WriteNPZ(input, []tensor.Named{{Name: "x", Tensor: x}}); err != nil {
		t.Fatal(err)
	}
	idle := peak(t, "--help")
	const margin = 6 << 20 // the layer at hand, and pages of the program that only runs touch
	for name, g := range map[string]*graph.Graph{"float32": float, "int8": int8} {
		path := filepath.Join(dir, name)
		if err := loader.Save(path, g); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		most := idle + info.Size()*115/100 + margin
		for _, args := range [][]string{{"run", path, "--input", input, "--output", output}, {"bench", path, "--runs", "1", "--warmup", "1"}, {"serve", path, "--check", "--batch", "off"}} { // joined samples take arenas of their own, and how many are tried depends on time
			if got := peak(t, append(args, "--threads", "1")...); got > most {
				t.Errorf("%s, %s: %d KB in memory with %d KB of weights, %d KB of its own, at most %d KB", args[0], name, got>>10, info.Size()>>10, idle>>10, most>>10)
			}
		}
	}
}

// TestMemoryLimitKept runs a command that makes 96 MB of garbage, and that nothing but GOMEMLIMIT makes collect it.
func TestMemoryLimitKept(t *testing.T) {
	dir := t.TempDir()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 1024, 1024))); err != nil {
		t.Fatal(err)
	}
	for i := range 24 {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)+".png"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	with := func(limit string) int64 {
		cmd := process(t, "run", "../bench/testdata/resnet20-int8.safetensors", dir, "--size", "32", "--crop", "32", "--top", "1", "--threads", "1")
		cmd.Env = append(cmd.Env, "GOGC=off", "GOMEMLIMIT="+limit)
		most, err := runPeak(t, cmd)
		if err != nil {
			t.Fatal(err)
		}
		return most
	}
	if free, limited := with("off"), with("32MiB"); free < 96<<20 || limited > 64<<20 { // with the pages of the program, which are not Go's
		t.Errorf("%d MB without a limit, %d MB with one of 32", free>>20, limited>>20)
	}
}

// TestMemoryLimit leaves the bound of GOMEMLIMIT where --max-memory allows more.
func TestMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(1 << 40)
	defer debug.SetMemoryLimit(before)
	for _, c := range []struct{ allowed, want int64 }{{2 << 40, 1 << 40}, {0, 1 << 40}, {1 << 39, 1 << 39}} {
		debug.SetMemoryLimit(1 << 40)
		(&limits{maxMemory: c.allowed}).limitCollector()
		if got := debug.SetMemoryLimit(-1); got != c.want {
			t.Errorf("--max-memory %d: the collector has %d", c.allowed, got)
		}
	}
}

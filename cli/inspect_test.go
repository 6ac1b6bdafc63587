package cli

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// conv3x3 is a layer that float32 computes by Winograd's algorithm.
var conv3x3 = nn.Architecture{
	Name: "conv", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 64, 28, 28}}},
	Root: nn.Sequential{nn.Conv2d{In: 64, Out: 64, Kernel: 3, Padding: 1}, nn.ReLU{}},
}

// TestInspectWarns checks that the plan of a file names the layers that are slower in int8 than in float32: weights with
// zero points keep a 3x3 convolution from Winograd's algorithm, which float32 has; symmetric ones do not.
func TestInspectWarns(t *testing.T) {
	if !slices.Contains(asm.Supported(), asm.AVX2) {
		t.Skip("the warning is of x86 without dot products of bytes")
	}
	x, err := tensor.New(tensor.Float32, 1, 64, 28, 28)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i % 7)
	}
	for backend, want := range map[*quantize.Backend]int{quantize.Native: 0, quantize.Reference: 1} {
		g, err := nn.BuildRandom(conv3x3, 1)
		if err != nil {
			t.Fatal(err)
		}
		q := quantize.New(quantize.Options{Backend: backend})
		if err := q.Calibrate(t.Context(), g, func(yield func([]*tensor.Tensor, error) bool) { yield([]*tensor.Tensor{x}, nil) }); err != nil {
			t.Fatal(err)
		}
		if g, err = q.Quantize(g); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "conv.safetensors")
		if err := loader.Save(path, g); err != nil {
			t.Fatal(err)
		}
		const warning = "0 (int8.conv2d): slower than in float32"
		r := octetJSON[inspectResult](t, "inspect", path, "--plan", "--cpu", "avx2")
		if len(r.Warnings) != want || want > 0 && !strings.HasPrefix(r.Warnings[0], warning) {
			t.Errorf("%v: warnings %q, want %d", backend, r.Warnings, want)
		}
		if out, _ := octet(t, exitOK, "inspect", path, "--plan", "--cpu", "avx2"); strings.Count(out, "\n"+warning) != want {
			t.Errorf("%v: inspect prints\n%s", backend, out)
		}
	}
}

// TestMaxPackedFlag checks that the bound of packed weights reaches the plan, and that one below 1 is refused.
func TestMaxPackedFlag(t *testing.T) {
	g, err := nn.BuildRandom(conv3x3, 1)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "conv.safetensors")
	if err := loader.Save(path, g); err != nil {
		t.Fatal(err)
	}
	bytes := func(args ...string) int {
		return octetJSON[inspectResult](t, append([]string{"inspect", path, "--plan", "--cpu", "generic"}, args...)...).PackedBytes
	}
	if free, bound := bytes(), bytes("--max-packed", "1"); bound <= 0 || free != 4*bound {
		t.Errorf("%d bytes of packed weights, %d with a bound: want four times as many", free, bound)
	}
	octet(t, exitUsage, "inspect", path, "--max-packed", "0.5")
}

// TestInspectReadsWhatItShows lists the tensors of a file of 1 GiB of which only the header is there, without memory for the rest.
func TestInspectReadsWhatItShows(t *testing.T) {
	const size int64 = 1 << 30
	header := fmt.Sprintf(`{"w":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}`, size/4, size)
	path := filepath.Join(t.TempDir(), "sparse.safetensors")
	if err := os.WriteFile(path, append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 8+int64(len(header))+size); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := octetJSON[inspectResult](t, "inspect", path)
	runtime.ReadMemStats(&after)
	if len(r.Tensors) != 1 || r.Tensors[0].Name != "w" {
		t.Errorf("inspect lists %v", r.Tensors)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
		t.Errorf("inspect allocates %d bytes", n)
	}
}

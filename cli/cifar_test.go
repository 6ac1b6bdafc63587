package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// cifar is a ResNet-20 as its author trained it, and images to measure it on.
type cifar struct {
	model, zip, test, calib, logits string
}

func openCIFAR(t testing.TB) cifar {
	t.Helper()
	path := func(name string) string { return shareddata.Path(t, "data", "cifar10", name) }
	return cifar{path("resnet20.th"), path("resnet20_zip.pth"), path("test.npz"), path("calib.npz"), path("resnet20_logits.npz")}
}

// quantize writes the int8 model and returns its path.
func (c cifar) quantize(t testing.TB) (string, quantizeResult) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "resnet20.safetensors")
	return path, octetJSON[quantizeResult](t, "quantize", c.model, "--arch", "resnet20-cifar", "--calib", c.calib, "-o", path)
}

func TestCIFARFloat(t *testing.T) {
	c := openCIFAR(t)
	for _, model := range []string{c.model, c.zip} {
		r := octetJSON[evalResult](t, "eval", model, "--arch", "resnet20-cifar", "--data", c.test, "--against", c.logits)
		if r.N != 1017 || *r.Right != 932 || r.Precision != "float32" {
			t.Errorf("%s: %d of %d right in %s, want 932 of 1017 in float32", model, *r.Right, r.N, r.Precision)
		}
		if r.Agreement.SameClass != 1017 || *r.Agreement.MaxAbsDiff > 1e-4 {
			t.Errorf("%s: PyTorch's class on %d, logits differ by up to %g", model, r.Agreement.SameClass, *r.Agreement.MaxAbsDiff)
		}
	}
}

func TestCIFARInt8(t *testing.T) {
	c := openCIFAR(t)
	path, q := c.quantize(t)
	if ratio := float64(q.OutputBytes) / float64(q.InputBytes); ratio > 0.35 {
		t.Errorf("the file takes %.3f of the float one, want at most 0.35", ratio)
	}
	for _, l := range q.Layers {
		if l.Precision != "int8" {
			t.Errorf("%s (%s) is %s: %s", l.Name, l.Op, l.Precision, l.Reason)
		}
	}
	r := octetJSON[evalResult](t, "eval", path, "--data", c.test, "--against", c.logits)
	if *r.Right < 927 || r.Precision != "int8" {
		t.Errorf("%d of %d right in %s, want at least 927 in int8", *r.Right, r.N, r.Precision)
	}
	if r.Agreement.Share() < 0.985 {
		t.Errorf("the class of float on %d of %d, want 98.5 %%", r.Agreement.SameClass, r.N)
	}
}

// TestCIFARSameBits checks that int8 logits do not depend on the CPU tier, the
// number of threads or the batch.
func TestCIFARSameBits(t *testing.T) {
	c := openCIFAR(t)
	path, _ := c.quantize(t)
	dir := t.TempDir()
	few := filepath.Join(dir, "few.npz")
	firstSamples(t, c.test, few, 40)
	var want []byte
	for _, tier := range asm.Supported() {
		for _, threads := range []int{1, 2} {
			for _, batch := range []int{1, 64} {
				out := filepath.Join(dir, "y.npz")
				octet(t, exitOK, "eval", path, "--data", few, "--output", out, "--cpu", tier.String(),
					"--threads", fmt.Sprint(threads), "--batch", fmt.Sprint(batch))
				got, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = got
				}
				if !bytes.Equal(got, want) {
					t.Errorf("tier %s, %d threads, batches of %d give other bits", tier, threads, batch)
				}
			}
		}
	}
}

// firstSamples writes a data set of the first n samples of another.
func firstSamples(t testing.TB, from, to string, n int) {
	t.Helper()
	arrays, err := tensor.ReadNPZ(from, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range arrays {
		if a.Name == "x" || a.Name == "y" {
			if arrays[i].Tensor, err = a.Tensor.Slice(0, 0, n, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := tensor.WriteNPZ(to, arrays); err != nil {
		t.Fatal(err)
	}
}

package bench

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

var update = flag.Bool("update", false, "write the int8 ResNet-20, its images and the recorded sums anew")

// The int8 ResNet-20, its images and the recorded sums, in sha256sum's form.
const (
	sameBitsModel  = "testdata/resnet20-int8.safetensors"
	sameBitsImages = "testdata/resnet20-images.npz"
	sameBitsSums   = "testdata/resnet20.sha256"
)

// sameBitsSpec is how activations are quantized here.
var sameBitsSpec = quantize.Spec{DType: tensor.Uint8, Scheme: tensor.PerTensorAffine}

// sameBitsConfigs are the ways of observing activations of which the file that comes out is recorded; nil: as the backend does.
var sameBitsConfigs = map[string]*quantize.ObserverConfig{
	"default":   nil,
	"minmax":    {Kind: quantize.MinMax, Spec: sameBitsSpec},
	"histogram": {Kind: quantize.Histogram, Spec: sameBitsSpec},
	"entropy":   {Kind: quantize.Entropy, Spec: sameBitsSpec},
}

// TestSameLogits checks the bits of an int8 model's logits on every tier of this CPU against those recorded for all architectures.
func TestSameLogits(t *testing.T) {
	if *update {
		recordModel(t)
	}
	g, err := loader.Load(sameBitsModel)
	if err != nil {
		t.Fatal(err)
	}
	images, err := data.OpenDataset(sameBitsImages)
	if err != nil {
		t.Fatal(err)
	}
	x, err := images.Batch(g, 0, images.Len())
	if err != nil {
		t.Fatal(err)
	}
	for _, tier := range asm.Supported() {
		s, err := g.Compile(graph.Options{Threads: 2, CPU: tier.String()})
		if err != nil {
			t.Fatal(err)
		}
		y, err := s.Run(context.Background(), x...)
		s.Close()
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{16, 10}; !y[0].Shape().Equal(want) {
			t.Fatalf("logits are %v, want %v", y[0].Shape(), want)
		}
		var logits []byte
		if logits, err = binary.Append(logits, binary.LittleEndian, y[0].Float32s()); err != nil {
			t.Fatal(err)
		}
		checkSum(t, "logits", tier.String(), logits)
	}
}

// TestSameQuantizedFile checks the bytes of quantized models, as octet quantize --cpu generic writes them, against those recorded for all
// architectures: no result that reaches a parameter may depend on whether the compiler contracts products and sums.
func TestSameQuantizedFile(t *testing.T) {
	weights := shareddata.Path(t, "data", "cifar10", "resnet20.th")
	for name, config := range sameBitsConfigs {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "histogram" {
				t.Skip("with -short one way of observing")
			}
			path := filepath.Join(t.TempDir(), "int8.safetensors")
			if err := quantizeCIFAR(path, weights, sameBitsImages, 4, config); err != nil {
				t.Fatal(err)
			}
			// The graph and its constants: what a file says besides has the version in it.
			tensors, metadata, err := loader.ReadSafetensors(path)
			if err != nil {
				t.Fatal(err)
			}
			compressed, err := base64.RawStdEncoding.DecodeString(metadata["octet"])
			if err != nil {
				t.Fatal(err)
			}
			graph, err := io.ReadAll(flate.NewReader(bytes.NewReader(compressed)))
			if err != nil {
				t.Fatal(err)
			}
			if err := loader.WriteSafetensors(path, map[string]string{"octet": string(graph)}, tensors); err != nil {
				t.Fatal(err)
			}
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			checkSum(t, "file-"+name, name, file)
		})
	}
}

// quantizeCIFAR quantizes a ResNet-20 on the tier generic, calibrated with the first images of a data set.
func quantizeCIFAR(path, weights, images string, n int, config *quantize.ObserverConfig) error {
	g, err := loader.Build(weights, nn.ResNet20CIFAR())
	if err != nil {
		return err
	}
	set, err := data.OpenDataset(images)
	if err != nil {
		return err
	}
	q := quantize.New(quantize.Options{
		Backend: quantize.Native, Activation: config, Session: graph.Options{Threads: 2, CPU: asm.Generic.String()},
	})
	if err := q.Calibrate(context.Background(), g, set.First(g, 2, n)); err != nil {
		return err
	}
	int8, err := q.Quantize(g)
	if err != nil {
		return err
	}
	return loader.Save(path, int8)
}

// recordModel writes the int8 model and its images from the shared data.
func recordModel(t *testing.T) {
	t.Helper()
	arrays, err := tensor.ReadNPZ(shareddata.Path(t, "data", "cifar10", "test.npz"), 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range arrays {
		if a.Name == "x" || a.Name == "y" {
			if arrays[i].Tensor, err = a.Tensor.Slice(0, 0, 16, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := tensor.WriteNPZ(sameBitsImages, arrays); err != nil {
		t.Fatal(err)
	}
	weights, calib := shareddata.Path(t, "data", "cifar10", "resnet20.th"), shareddata.Path(t, "data", "cifar10", "calib.npz")
	if err := quantizeCIFAR(sameBitsModel, weights, calib, 64, nil); err != nil {
		t.Fatal(err)
	}
}

// checkSum compares the SHA-256 of content with the one recorded under a name, or records it with -update.
func checkSum(t *testing.T, name, where string, content []byte) {
	t.Helper()
	sum := sha256.Sum256(content)
	line := hex.EncodeToString(sum[:]) + "  " + name + "\n"
	recorded, err := os.ReadFile(sameBitsSums)
	if err != nil && !*update {
		t.Fatal(err)
	}
	if strings.Contains(string(recorded), line) {
		return
	}
	if !*update {
		t.Errorf("%s: the sum is %s, none that is recorded: the bits are others", where, strings.TrimSpace(line))
		return
	}
	var kept strings.Builder
	for l := range strings.Lines(string(recorded)) {
		if !strings.HasSuffix(l, "  "+name+"\n") {
			kept.WriteString(l)
		}
	}
	if err := os.WriteFile(sameBitsSums, []byte(kept.String()+line), 0o644); err != nil {
		t.Fatal(err)
	}
}

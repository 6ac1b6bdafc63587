package quantize

import (
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// TestSearchRange compares the range chosen for activations of a trained model
// with PyTorch's choice, bit for bit (testdata/gen/histograms.py).
func TestSearchRange(t *testing.T) {
	data, err := tensor.ReadNPZ("testdata/histograms.npz", 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	get := func(name string) []float32 { return data.Get(name).Contiguous().Float32s() }
	counts, ranges, chosen := get("counts"), get("range"), get("chosen")
	narrowed := 0
	for i := 0; 2*i < len(ranges); i++ {
		lo, hi := searchRange(counts[i*histogramBins:(i+1)*histogramBins], ranges[2*i], ranges[2*i+1], 256)
		sameBits(t, "range", []float32{lo, hi}, chosen[2*i:2*i+2])
		if lo > ranges[2*i] && hi < ranges[2*i+1] {
			narrowed++
		}
	}
	if narrowed < 10 {
		t.Errorf("%d ranges are narrower than the data at both ends: the cases are too easy", narrowed)
	}
}

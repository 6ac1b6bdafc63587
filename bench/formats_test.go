package bench_test

import (
	"bytes"
	"errors"
	"flag"
	"strings"
	"testing"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

var updatePart = flag.Bool("update-part", false, "write testdata/part-v1.npz anew, which no change of the format may do")

// TestPartOfAllVersions reads a part of an evaluation of each version that was ever written, and says of a newer one what to do.
func TestPartOfAllVersions(t *testing.T) {
	const golden = "testdata/part-v1.npz"
	if *updatePart {
		y, err := tensor.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
		if err != nil {
			t.Fatal(err)
		}
		labels, err := tensor.FromSlice([]int64{0, 1}, 2)
		if err != nil {
			t.Fatal(err)
		}
		p := &bench.EvaluationPart{
			Shard: quantize.Shard{Index: 1, Count: 2}, Samples: 4, Batch: 1, Model: "m", Data: "d", Precision: "int8", Outputs: []*tensor.Tensor{y}, Labels: labels,
		}
		if err := p.Save(golden); err != nil {
			t.Fatal(err)
		}
	}
	arrays, err := tensor.ReadNPZ(golden, 0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := bench.NewEvaluationPart(golden, arrays)
	if err != nil {
		t.Fatal(err)
	}
	if p.Samples != 4 || p.Precision != "int8" || len(p.Outputs) != 1 || p.Outputs[0].Float32s()[3] != 4 || p.Labels.Int64s()[1] != 1 {
		t.Errorf("%+v", p)
	}
	text := bytes.Replace(arrays[0].Tensor.Uint8s(), []byte(`"version":1`), []byte(`"version":2,"shard":"2/4"`), 1)
	if arrays[0].Tensor, err = tensor.FromSlice(text, len(text)); err != nil {
		t.Fatal(err)
	}
	_, err = bench.NewEvaluationPart("new.npz", arrays)
	if file, ok := errors.AsType[*tensor.FileError](err); !ok || file.File != "new.npz" || !strings.Contains(err.Error(), "version 2 of the format, this is for version 1: use a newer octet") {
		t.Errorf("a newer version: %v", err)
	}
}

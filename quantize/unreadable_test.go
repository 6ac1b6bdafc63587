package quantize

import (
	"context"
	"errors"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestUnreadableWeights converts a model whose weights can no longer be read after it was calibrated, which must not make them zeros.
func TestUnreadableWeights(t *testing.T) {
	gone, unreadable := false, errors.New("the file was cut")
	storage := tensor.NewStorage(4*8*16, func(dst []byte) error {
		if gone {
			return unreadable
		}
		for i := range dst {
			dst[i] = byte(0x3f &^ (i % 4)) // floats around 0.5
		}
		return nil
	})
	weight, err := storage.View(tensor.Float32, 0, []int{8, 16}, []int{16, 1})
	if err != nil {
		t.Fatal(err)
	}
	g := graph.New()
	x := g.Input("x", tensor.Float32, 2, 16)
	y, err := g.Add1(graph.Scope{}, ops.Linear{}, x, g.Const("weight", weight))
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(y)
	q := New(Options{})
	calib := (&dataset{batches: [][]*tensor.Tensor{{randomInput(t, 1, 2, 16)}}}).all()
	if err := q.Calibrate(context.Background(), g, calib); err != nil {
		t.Fatal(err)
	}
	weight.Evict()
	gone = true
	if _, err := q.Quantize(g); !errors.Is(err, unreadable) {
		t.Errorf("Quantize: error %v", err)
	}
	if _, err := q.QAT(g); !errors.Is(err, unreadable) {
		t.Errorf("QAT: error %v", err)
	}
}

//go:build !nopytorch

package loader

import (
	"bytes"
	"context"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestSameSizes compares sizes with what they are, or are not, whatever the batch is, as torch.nn.LSTM checks its state and group norm the number of its values: a
// graph that was made for one batch holds for others. Where a batch of 5 makes a difference, it does not hold for that.
func TestSameSizes(t *testing.T) {
	for name, body := range map[string]string{
		"lists":   "if torch.ne(torch.size(x), [torch.size(x, 0), 3]):\n  ops.prim.RaiseException(\"state\")\nreturn torch.relu(x)",
		"factors": "if torch.eq(torch.mul(torch.floordiv(torch.mul(torch.size(x, 0), 12), 4), torch.size(torch.relu(x), 1)), 1):\n  ops.prim.RaiseException(\"values\")\nreturn torch.relu(x)",
		"fails":   "if torch.eq(torch.floordiv(torch.mul(torch.size(x, 0), 12), 4), 15):\n  ops.prim.RaiseException(\"values\")\nreturn torch.relu(x)",
		"numbers": "if torch.lt(torch.size(x, 0), torch.size(torch.relu(x), 0)):\n  ops.prim.RaiseException(\"state\")\nreturn torch.relu(x)",
	} {
		data := moduleM(body).archive(t)
		open, err := LoadFrom(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		g, err := open.Specialize(ops.Type{DType: tensor.Float32, Shape: tensor.Shape{2, 3}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s, err := g.Compile(graph.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for _, batch := range []int{2, 5, 0} {
			if name == "fails" && batch == 0 {
				continue // of which the graph does not hold either
			}
			if _, err := s.Run(context.Background(), zeros(t, tensor.Float32, batch, 3)); (err != nil) != (name == "fails" && batch == 5) {
				t.Errorf("%s: a batch of %d: %v", name, batch, err)
			}
		}
	}
}

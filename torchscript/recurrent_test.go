package torchscript

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// TestInt8Recurrent refuses an LSTM in int8, and says what to do: what is quantized so is written.
func TestInt8Recurrent(t *testing.T) {
	for _, exclude := range []bool{false, true} {
		m, err := loader.Load("../quantize/testdata/forms/recurrent_lstm.pt")
		if err != nil {
			t.Fatal(err)
		}
		arrays, err := tensor.ReadNPZ("../quantize/testdata/forms/recurrent_lstm.npz", 1<<24)
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Compile(graph.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.Run(t.Context(), arrays.Get("test."+m.Inputs[0].Name)); err != nil { // for its graph
			t.Fatal(err)
		}
		opts := quantize.Options{Dynamic: true}
		if exclude {
			opts.Filter.ExcludeOpTypes = []string{"lstm"}
		}
		g, err := quantize.New(opts).Quantize(m)
		if err != nil {
			t.Fatal(err)
		}
		var unsupported *ops.UnsupportedError
		switch err := WriteTo(&bytes.Buffer{}, g); {
		case exclude && err != nil:
			t.Error(err)
		case !exclude && (!errors.As(err, &unsupported) || !strings.Contains(err.Error(), "exclude operators of type lstm")):
			t.Errorf("%v", err)
		}
	}
}

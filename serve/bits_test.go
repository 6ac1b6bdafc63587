package serve

import (
	"bytes"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// int8ResNet20 returns the network as its author trained it, quantized, and test images.
func int8ResNet20(t *testing.T) (*graph.Graph, *data.Dataset) {
	t.Helper()
	weights, err := loader.StateDict(shareddata.Path(t, "data", "cifar10", "resnet20.th"))
	if err != nil {
		t.Fatal(err)
	}
	model, err := nn.Build(nn.ResNet20CIFAR(), weights)
	if err != nil {
		t.Fatal(err)
	}
	q := quantize.New(quantize.Options{Backend: quantize.Native})
	images, err := data.OpenDataset(shareddata.Path(t, "data", "cifar10", "calib.npz"))
	if err != nil {
		t.Fatal(err)
	}
	calib, err := q.Calib(model)
	if err != nil {
		t.Fatal(err)
	}
	defer calib.Close()
	x, err := images.Batch(model, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := calib.Run(t.Context(), x...); err != nil {
		t.Fatal(err)
	}
	g, err := q.Quantize(model)
	if err != nil {
		t.Fatal(err)
	}
	test, err := data.OpenDataset(shareddata.Path(t, "data", "cifar10", "test.npz"))
	if err != nil {
		t.Fatal(err)
	}
	return g, test
}

// TestBits answers all test images in JSON, in binary and in process, joined and not: always with the bits of a session.
func TestBits(t *testing.T) {
	g, images := int8ResNet20(t)
	session, err := g.Compile(graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	all, err := images.Batch(g, 0, images.Len())
	if err != nil {
		t.Fatal(err)
	}
	want, err := session.Run(t.Context(), all...)
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []Batching{BatchOff, 8} {
		s := newServer(t, Options{Threads: 2, Batch: batch})
		load(t, s, "m", g)
		web := httptest.NewServer(s.Handler())
		defer web.Close()
		client := &oip.Client{URL: web.URL, HTTP: web.Client()}
		const clients = 8
		var wg sync.WaitGroup
		for k := range clients {
			wg.Go(func() {
				for i := k; i < images.Len(); i += clients {
					x, err := all[0].Slice(0, i, i+1, 1)
					if err != nil {
						t.Error(err)
						return
					}
					row, err := want[0].Slice(0, i, i+1, 1)
					if err != nil {
						t.Error(err)
						return
					}
					for _, form := range []string{"json", "binary", "inprocess"} {
						y, err := askAs(t, s, client, form, x.Contiguous())
						if err != nil || !bytes.Equal(y.Contiguous().Bytes(), row.Contiguous().Bytes()) {
							t.Errorf("image %d, %s: error %v, or other bits", i, form, err)
							return
						}
					}
				}
			})
		}
		wg.Wait()
		stats, err := s.Stats("m", "")
		if err != nil {
			t.Fatal(err)
		}
		if n := stats.ModelStats[0].InferenceCount; int(n) != 3*images.Len() {
			t.Errorf("batching %v: %d requests counted, want %d", batch, n, 3*images.Len())
		}
		joined := slices.ContainsFunc(stats.ModelStats[0].BatchStats, func(b oip.BatchStats) bool { return b.BatchSize > 1 })
		if joined != (batch > 1) {
			t.Errorf("batching %v: joined %v: %+v", batch, joined, stats.ModelStats[0].BatchStats)
		}
	}
}

func askAs(t *testing.T, s *Server, client *oip.Client, form string, x *tensor.Tensor) (*tensor.Tensor, error) {
	if form == "inprocess" {
		y, err := s.Infer(t.Context(), "m", x)
		if err != nil {
			return nil, err
		}
		return y[0], nil
	}
	input := oip.NewTensor("input", x)
	input.Binary = form == "binary"
	answer, err := client.Infer(t.Context(), "m", "", &oip.InferRequest{Inputs: []*oip.Tensor{input}, Parameters: oip.Parameters{oip.BinaryDataOutput: input.Binary}})
	if err != nil {
		return nil, err
	}
	return answer.Outputs[0].Value, nil
}

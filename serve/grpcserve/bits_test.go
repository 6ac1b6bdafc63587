package grpcserve

import (
	"bytes"
	"context"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve/pb"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// int8ResNet20 returns the network as its author trained it, quantized, and its test images: with -short the first 64.
func int8ResNet20(t *testing.T) (g *graph.Graph, images []*tensor.Tensor, n int) {
	t.Helper()
	weights, err := loader.StateDict(shareddata.Path(t, "data", "cifar10", "resnet20.th"))
	if err != nil {
		t.Fatal(err)
	}
	model, err := nn.Build(nn.ResNet20CIFAR(), weights)
	if err != nil {
		t.Fatal(err)
	}
	batch := func(name string, n int) ([]*tensor.Tensor, int) {
		images, err := data.OpenDataset(shareddata.Path(t, "data", "cifar10", name))
		if err != nil {
			t.Fatal(err)
		}
		n = min(n, images.Len())
		x, err := images.Batch(model, 0, n)
		if err != nil {
			t.Fatal(err)
		}
		return x, n
	}
	q := quantize.New(quantize.Options{Backend: quantize.Native})
	calib, err := q.Calib(model)
	if err != nil {
		t.Fatal(err)
	}
	defer calib.Close()
	x, _ := batch("calib.npz", 64)
	if _, err := calib.Run(t.Context(), x...); err != nil {
		t.Fatal(err)
	}
	if g, err = q.Quantize(model); err != nil {
		t.Fatal(err)
	}
	n = 1 << 30
	if testing.Short() {
		n = 64
	}
	images, n = batch("test.npz", n)
	return g, images, n
}

// TestBits answers all test images over gRPC, raw and in contents, and over HTTP in JSON and binary, joined and not: always with the
// bits of a session.
func TestBits(t *testing.T) {
	g, all, n := int8ResNet20(t)
	session, err := g.Compile(graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	want, err := session.Run(t.Context(), all...)
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []serve.Batching{serve.BatchOff, 8} {
		s, _, conn := start(t, serve.Options{Threads: 1, Batch: batch, BatchDelay: 2 * time.Millisecond}, map[string]*graph.Graph{"m": g})
		web := httptest.NewServer(s.Handler())
		defer web.Close()
		clients := clients{pb.NewGRPCInferenceServiceClient(conn), &oip.Client{URL: web.URL, HTTP: web.Client()}}
		row := func(of *tensor.Tensor, i int) *tensor.Tensor {
			x, err := of.Slice(0, i, i+1, 1)
			if err != nil {
				t.Error(err)
				return of
			}
			return x.Contiguous()
		}
		const workers = 8
		var wg sync.WaitGroup
		for k := range workers {
			wg.Go(func() {
				for i := k; i < n; i += workers {
					for _, form := range []string{"raw", "contents", "json", "binary"} {
						got, err := clients.ask(t.Context(), form, row(all[0], i))
						if err != nil || !bytes.Equal(got, row(want[0], i).Bytes()) {
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
		until(func() bool { return admitted(s) == 0 })
		joined := slices.ContainsFunc(stats.ModelStats[0].BatchStats, func(b oip.BatchStats) bool { return b.BatchSize > 1 })
		if joined != (batch > 1) {
			t.Errorf("batching %v: joined %v: %+v", batch, joined, stats.ModelStats[0].BatchStats)
		}
	}
}

// clients ask a server over both protocols.
type clients struct {
	grpc pb.GRPCInferenceServiceClient
	http *oip.Client
}

// ask returns the bytes of the output.
func (c clients) ask(ctx context.Context, form string, x *tensor.Tensor) ([]byte, error) {
	if form == "json" || form == "binary" {
		input := oip.NewTensor("input", x)
		input.Binary = form == "binary"
		answer, err := c.http.Infer(ctx, "m", "", &oip.InferRequest{Inputs: []*oip.Tensor{input}, Parameters: oip.Parameters{oip.BinaryDataOutput: input.Binary}})
		if err != nil {
			return nil, err
		}
		return answer.Outputs[0].Value.Bytes(), nil
	}
	input := &pb.ModelInferRequest_InferInputTensor{Name: "input", Datatype: "FP32", Shape: []int64{1, 3, 32, 32}}
	r := &pb.ModelInferRequest{ModelName: "m", Inputs: []*pb.ModelInferRequest_InferInputTensor{input}}
	if form == "raw" {
		r.RawInputContents = [][]byte{x.Bytes()}
	} else {
		input.Contents = &pb.InferTensorContents{Fp32Contents: x.Float32s()}
	}
	answer, err := c.grpc.ModelInfer(ctx, r)
	if err != nil {
		return nil, err
	}
	if form == "raw" {
		return answer.RawOutputContents[0], nil
	}
	y, err := tensor.FromSlice(answer.Outputs[0].Contents.Fp32Contents, 1, 10)
	if err != nil {
		return nil, err
	}
	return y.Bytes(), nil
}

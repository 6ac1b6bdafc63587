package grpcserve

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve/pb"
	"github.com/octet-ml/octet/tensor"
)

// TestRawBytes sends raw elements of BYTES whose lengths do not fit.
func TestRawBytes(t *testing.T) {
	_, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff}, map[string]*graph.Graph{"m": newGate().model(t, tensor.Float32)})
	client := pb.NewGRPCInferenceServiceClient(conn)
	for _, c := range []struct{ raw, text string }{
		{"\x01\x00\x00\x00a\x00\x00\x00\x00", `input "x": it is BYTES, which this model does not take`},
		{"", `inputs[0]: tensor "x": its bytes end in element 0 of 2`},
		{"\x01\x00\x00\x00a", `inputs[0]: tensor "x": its bytes end in element 1 of 2`},
		{"\x01\x00\x00\x00a\x00\x00\x00", `inputs[0]: tensor "x": its bytes end in element 1 of 2`},
		{"\x01\x00\x00\x00a\x01\x00\x00\x00", `inputs[0]: tensor "x": its bytes end in element 1 of 2`},
		{"\x05\x00\x00\x00a\x00\x00\x00\x00", `inputs[0]: tensor "x": its bytes end in element 1 of 2`},
		{"\xff\xff\xff\xffa\x00\x00\x00\x00", `inputs[0]: tensor "x": its bytes end in element 0 of 2`},
		{"\x00\x00\x00\x80a\x00\x00\x00\x00", `inputs[0]: tensor "x": its bytes end in element 0 of 2`},
		{"\x01\x00\x00\x00a\x00\x00\x00\x00\x00", `inputs[0]: tensor "x": 1 bytes behind its last element`},
		{"\x01\x00\x00\x00a\x00\x00\x00\x00\x00\x00\x00\x00", `inputs[0]: tensor "x": 4 bytes behind its last element`},
	} {
		r := floats(1, 2)
		r.Inputs[0].Datatype, r.Inputs[0].Contents, r.RawInputContents = "BYTES", nil, [][]byte{[]byte(c.raw)}
		_, err := client.ModelInfer(t.Context(), r)
		if got := status.Convert(err); got.Code() != codes.InvalidArgument || got.Message() != c.text {
			t.Errorf("%q\ngot  %v %s\nwant %s", c.raw, got.Code(), got.Message(), c.text)
		}
	}
}

package grpcserve

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve/pb"
	"github.com/octet-ml/octet/tensor"
)

// TestMessages holds statuses to their codes and whole texts.
func TestMessages(t *testing.T) {
	s, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff}, map[string]*graph.Graph{"m": newGate().model(t, tensor.Float32), "half": newGate().model(t, tensor.Float16), "small": newGate().model(t, tensor.Int8)})
	if err := s.Configure(serve.Configured{Name: "later", Source: serve.File("missing")}); err != nil {
		t.Fatal(err)
	}
	client := pb.NewGRPCInferenceServiceClient(conn)
	with := func(change func(r *pb.ModelInferRequest)) *pb.ModelInferRequest {
		r := floats(1, 2)
		change(r)
		return r
	}
	raw := func(contents ...[]byte) *pb.ModelInferRequest {
		return with(func(r *pb.ModelInferRequest) { r.RawInputContents, r.Inputs[0].Contents = contents, nil })
	}
	parameter := func(key string, p *pb.InferParameter) *pb.ModelInferRequest {
		return with(func(r *pb.ModelInferRequest) { r.Parameters = map[string]*pb.InferParameter{key: p} })
	}
	for _, c := range []struct {
		r    *pb.ModelInferRequest
		code codes.Code
		text string
	}{
		{floats(1, 2), codes.OK, ""},
		{raw(make([]byte, 8)), codes.OK, ""},
		{with(func(r *pb.ModelInferRequest) { r.ModelName = "none" }), codes.NotFound, `there is no model "none"`},
		{with(func(r *pb.ModelInferRequest) { r.ModelVersion = "7" }), codes.NotFound, `model m has no version "7"`},
		{with(func(r *pb.ModelInferRequest) { r.ModelName = "later" }), codes.Unavailable, `model later is not ready: UNAVAILABLE: it was not loaded yet`},
		{with(func(r *pb.ModelInferRequest) { r.Inputs = nil }), codes.InvalidArgument, `input "x" is missing: the model takes x FP32[-1,-1]`},
		{with(func(r *pb.ModelInferRequest) { r.Inputs = append(r.Inputs, r.Inputs[0]) }), codes.InvalidArgument, `inputs[1]: a second tensor "x"`},
		{with(func(r *pb.ModelInferRequest) { r.Inputs[0].Name = "y" }), codes.InvalidArgument, `there is no input "y": the model takes x FP32[-1,-1]`},
		{with(func(r *pb.ModelInferRequest) { r.Inputs[0].Name = "" }), codes.InvalidArgument, `inputs[0].name: missing`},
		{with(func(r *pb.ModelInferRequest) { r.Inputs[0].Datatype = "FP31" }), codes.InvalidArgument, `inputs[0].datatype: "FP31" is no datatype of the protocol, such as FP32 or INT64`},
		{with(func(r *pb.ModelInferRequest) { r.Inputs[0].Shape = []int64{1, -2} }), codes.InvalidArgument, `inputs[0].shape: extent -2`},
		{with(func(r *pb.ModelInferRequest) { r.Inputs[0].Shape = []int64{2} }), codes.InvalidArgument, `input "x": its shape is [2] where the model takes x FP32[-1,-1]`},
		{with(func(r *pb.ModelInferRequest) { r.Inputs[0].Shape = []int64{1 << 32, 1 << 32} }), codes.InvalidArgument,
			`inputs[0].shape: tensor: shape [4294967296, 4294967296] has too many elements: at most 17592186044415 can be addressed`},
		{with(func(r *pb.ModelInferRequest) { r.Inputs[0].Shape = []int64{1, 1 << 40} }), codes.InvalidArgument,
			`inputs[0].contents: 2 elements in fp32_contents where shape [1, 1099511627776] needs 1099511627776`},
		{with(func(r *pb.ModelInferRequest) { r.Inputs[0].Contents.Int64Contents = []int64{1} }), codes.InvalidArgument,
			`inputs[0].contents: int64_contents where the elements of FP32 are in fp32_contents`},
		{with(func(r *pb.ModelInferRequest) { r.RawInputContents = [][]byte{make([]byte, 8)} }), codes.InvalidArgument,
			`inputs[0].contents: fp32_contents beside raw_input_contents: a request has one of the two`},
		{raw(make([]byte, 7)), codes.InvalidArgument, `inputs[0]: tensor "x": 7 bytes where FP32[1, 2] has 8`},
		{raw(make([]byte, 8), nil), codes.InvalidArgument, `raw_input_contents: 2 tensors where there are 1 inputs`},
		{with(func(r *pb.ModelInferRequest) { r.ModelName, r.Inputs[0].Datatype = "half", "FP16" }), codes.InvalidArgument,
			`inputs[0].contents: FP16 has no contents: give it in raw_input_contents`},
		{with(func(r *pb.ModelInferRequest) {
			r.ModelName, r.Inputs[0].Datatype, r.Inputs[0].Contents = "small", "INT8", &pb.InferTensorContents{IntContents: []int32{1, 128}}
		}), codes.InvalidArgument, `inputs[0].contents: element 1 is 128, which does not fit INT8`},
		{with(func(r *pb.ModelInferRequest) {
			r.Inputs[0].Datatype, r.Inputs[0].Contents = "BYTES", &pb.InferTensorContents{BytesContents: [][]byte{{1}, {2}}}
		}), codes.InvalidArgument, `input "x": it is BYTES, which this model does not take`},
		{with(func(r *pb.ModelInferRequest) {
			r.Outputs = []*pb.ModelInferRequest_InferRequestedOutputTensor{{Name: "z"}}
		}), codes.InvalidArgument, `there is no output "z": the model gives output0 FP32[-1,-1]`},
		{with(func(r *pb.ModelInferRequest) {
			r.Outputs = []*pb.ModelInferRequest_InferRequestedOutputTensor{{Name: "output0"}, {Name: "output0"}}
		}), codes.InvalidArgument, `outputs[1]: a second output "output0"`},
		{parameter("timeout", &pb.InferParameter{ParameterChoice: &pb.InferParameter_StringParam{StringParam: "x"}}), codes.InvalidArgument, `parameter timeout: it is "x" where microseconds are needed`},
		{parameter("timeout", &pb.InferParameter{ParameterChoice: &pb.InferParameter_Uint64Param{Uint64Param: 1e7}}), codes.OK, ``},
		{parameter("priority", &pb.InferParameter{ParameterChoice: &pb.InferParameter_Int64Param{Int64Param: -1}}), codes.InvalidArgument, `parameter priority: it is -1 where a number is needed`},
		{parameter("sequence_id", &pb.InferParameter{ParameterChoice: &pb.InferParameter_DoubleParam{DoubleParam: 1.5}}), codes.InvalidArgument, `parameter sequence_id: it is 1.5 where a number or a text is needed`},
		{parameter("sequence_id", &pb.InferParameter{ParameterChoice: &pb.InferParameter_Uint64Param{Uint64Param: math.MaxUint64}}), codes.OK, ``},
		{parameter("a", &pb.InferParameter{}), codes.InvalidArgument, `parameters: "a" has no value`},
	} {
		_, err := client.ModelInfer(t.Context(), c.r)
		if got := status.Convert(err); got.Code() != c.code || got.Message() != c.text {
			t.Errorf("%.200v\ngot  %v %s\nwant %v %s", c.r, got.Code(), got.Message(), c.code, c.text)
		}
	}
}

// TestTypes sends each element type as raw and in contents: the answer has the form of the request and the same elements.
func TestTypes(t *testing.T) {
	for _, c := range []struct {
		datatype string
		dtype    tensor.DType
		raw      string
		contents *pb.InferTensorContents // nil: raw only
	}{
		{"BOOL", tensor.Bool, "\x01\x00", &pb.InferTensorContents{BoolContents: []bool{true, false}}},
		{"UINT8", tensor.Uint8, "\x01\xff", &pb.InferTensorContents{UintContents: []uint32{1, 255}}},
		{"INT8", tensor.Int8, "\x7f\x80", &pb.InferTensorContents{IntContents: []int32{127, -128}}},
		{"INT32", tensor.Int32, "\xff\xff\xff\xff\x01\x02\x00\x00", &pb.InferTensorContents{IntContents: []int32{-1, 513}}},
		{"INT64", tensor.Int64, "\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x40", &pb.InferTensorContents{Int64Contents: []int64{-1, 1<<62 + 1}}},
		{"FP32", tensor.Float32, "\x00\x00\x80\x3f\x00\x00\x80\xff", &pb.InferTensorContents{Fp32Contents: []float32{1, float32(math.Inf(-1))}}},
		{"FP64", tensor.Float64, "\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\x80", &pb.InferTensorContents{Fp64Contents: []float64{1, math.Copysign(0, -1)}}},
		{"FP16", tensor.Float16, "\x00\x3c\x00\x7c", nil},
		{"BF16", tensor.BFloat16, "\x80\x3f\x80\x7f", nil},
	} {
		_, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff}, map[string]*graph.Graph{"m": newGate().model(t, c.dtype)})
		client := pb.NewGRPCInferenceServiceClient(conn)
		r := &pb.ModelInferRequest{ModelName: "m", Id: "7", RawInputContents: [][]byte{[]byte(c.raw)}, Inputs: []*pb.ModelInferRequest_InferInputTensor{{Name: "x", Datatype: c.datatype, Shape: []int64{1, 2}}}}
		answer, err := client.ModelInfer(t.Context(), r)
		if err != nil {
			t.Errorf("%s: %v", c.datatype, err)
			continue
		}
		want := &pb.ModelInferResponse{ModelName: "m", Id: "7", RawOutputContents: [][]byte{[]byte(c.raw)}, Outputs: []*pb.ModelInferResponse_InferOutputTensor{{Name: "output0", Datatype: c.datatype, Shape: []int64{1, 2}}}}
		if !proto.Equal(answer, want) {
			t.Errorf("%s raw: got %v, want %v", c.datatype, answer, want)
		}
		if c.contents == nil {
			continue
		}
		r.RawInputContents, r.Inputs[0].Contents = nil, c.contents
		want.RawOutputContents, want.Outputs[0].Contents = nil, c.contents
		if answer, err = client.ModelInfer(t.Context(), r); err != nil || !proto.Equal(answer, want) {
			t.Errorf("%s contents: got %v, error %v, want %v", c.datatype, answer, err, want)
		}
	}
}

// TestDocuments asks for what is known of server and models.
func TestDocuments(t *testing.T) {
	s, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff, Version: "v1"}, map[string]*graph.Graph{"m": newGate().model(t, tensor.Float32)})
	client := pb.NewGRPCInferenceServiceClient(conn)
	live, err := client.ServerLive(t.Context(), &pb.ServerLiveRequest{})
	if err != nil || !live.Live {
		t.Errorf("live: %v, error %v", live, err)
	}
	ready := func(model string) string {
		var r interface{ GetReady() bool }
		var err error
		if model == "" {
			r, err = client.ServerReady(t.Context(), &pb.ServerReadyRequest{})
		} else {
			r, err = client.ModelReady(t.Context(), &pb.ModelReadyRequest{Name: model})
		}
		if err != nil {
			return status.Code(err).String()
		}
		return fmt.Sprint(r.GetReady())
	}
	if a, b, c := ready(""), ready("m"), ready("none"); a != "true" || b != "true" || c != "NotFound" {
		t.Errorf("ready: server %s, model %s, no model %s", a, b, c)
	}
	server, err := client.ServerMetadata(t.Context(), &pb.ServerMetadataRequest{})
	if err != nil || server.Name != "octet" || server.Version != "v1" {
		t.Errorf("server: %v, error %v", server, err)
	}
	m, err := client.ModelMetadata(t.Context(), &pb.ModelMetadataRequest{Name: "m"})
	want := &pb.ModelMetadataResponse{
		Name: "m", Platform: "octet", Properties: map[string]string{"batching": "off", "stateful": "false"},
		Inputs:  []*pb.ModelMetadataResponse_TensorMetadata{{Name: "x", Datatype: "FP32", Shape: []int64{-1, -1}}},
		Outputs: []*pb.ModelMetadataResponse_TensorMetadata{{Name: "output0", Datatype: "FP32", Shape: []int64{-1, -1}}},
	}
	if err != nil || !proto.Equal(m, want) {
		t.Errorf("model: got %v, error %v, want %v", m, err, want)
	}
	if err := s.Configure(serve.Configured{Name: "later", Source: serve.File("missing")}); err != nil {
		t.Fatal(err)
	}
	if a, b, c := ready(""), ready("m"), ready("later"); a != "false" || b != "true" || c != "false" {
		t.Errorf("with a model that is not loaded: server %s, model %s, that model %s", a, b, c)
	}
}

// TestMeasure holds what a message is said to take to what it takes, and refuses messages whose few bytes become many.
func TestMeasure(t *testing.T) {
	part := protowire.AppendTag(nil, fieldInputs, protowire.BytesType)
	part = protowire.AppendVarint(part, 0)
	many := bytes.Repeat(part, 1<<19) // 1 MB of tensors without anything
	m, err := measure(many)
	if err != nil || m.bytes < 100<<19 {
		t.Errorf("%d bytes for %d tensors, error %v", m.bytes, 1<<19, err)
	}
	ones := &pb.ModelInferRequest{ModelName: "m", ModelVersion: "3", Inputs: []*pb.ModelInferRequest_InferInputTensor{{Contents: &pb.InferTensorContents{Int64Contents: make([]int64, 1000)}}}}
	encoded, err := proto.Marshal(ones)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = measure(encoded); err != nil || m.model != "m" || m.version != "3" || m.bytes < 16000 {
		t.Errorf("%+v, error %v", m, err)
	}
	for i := range encoded {
		if _, err := measure(encoded[:i]); err != nil && serve.CodeOf(err) != serve.InvalidArgument {
			t.Errorf("cut after %d: error %v", i, err)
		}
	}
	_, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff, MaxBody: 2 << 20, MaxInflightBytes: 64 << 20}, map[string]*graph.Graph{"m": newGate().model(t, tensor.Float32)})
	client := pb.NewGRPCInferenceServiceClient(conn)
	r := floats(1, 2)
	for range 1 << 18 {
		r.Inputs = append(r.Inputs, &pb.ModelInferRequest_InferInputTensor{})
	}
	if _, err := client.ModelInfer(t.Context(), r); status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), "bytes of memory, at most 67108864 are possible") {
		t.Errorf("many empty tensors: error %v", err)
	}
	if _, err := client.ModelInfer(t.Context(), floats(make([]float32, 1<<20)...)); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a body above the limit: error %v", err)
	}
	// What is no message of the protocol.
	err = conn.Invoke(t.Context(), pb.GRPCInferenceService_ModelInfer_FullMethodName, &pb.ModelReadyRequest{Name: "m\n"}, &pb.ModelInferResponse{})
	if status.Code(err) != codes.NotFound {
		t.Errorf("another message: error %v", err)
	}
}

// FuzzMeasure looks for messages that are decoded though measuring them fails, or the other way round.
func FuzzMeasure(f *testing.F) {
	encoded, err := proto.Marshal(floats(1, 2))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded)
	f.Add([]byte("00"))       // a number where the protocol has a message
	f.Add([]byte("\x08\x01")) // a number where it has a name
	f.Fuzz(func(t *testing.T, message []byte) {
		m, err := measure(message)
		r := &pb.ModelInferRequest{}
		if decoded := proto.Unmarshal(message, r); decoded == nil && (err != nil || m.model != r.ModelName || m.version != r.ModelVersion) {
			t.Errorf("measured %+v, error %v; decoded %v", m, err, r)
		} else if decoded != nil {
			return
		}
		if request, _, err := readRequest(r, func(int64) error { return nil }); err == nil {
			for _, in := range request.Inputs {
				n, err := in.Shape.Numel()
				if err != nil || int64(n*in.Datatype.DType().Size()) > m.bytes {
					t.Errorf("input %v of a message that takes %d bytes, error %v", in.Shape, m.bytes, err)
				}
			}
		}
	})
}

// deadline ends the context of a test's request soon.
func deadline(t *testing.T, after time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), after)
	t.Cleanup(cancel)
	return ctx
}

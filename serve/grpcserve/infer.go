package grpcserve

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve/pb"
	"github.com/octet-ml/octet/serve/oip"
)

// handleInfer is the method ModelInfer. Its message is here but not decoded.
func (g *Server) handleInfer(_ any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
	c := ctx.Value(callKey{}).(*call) // of admitHeaders
	var message encoded
	if err := decode(&message); err != nil {
		return nil, err
	}
	info := &grpc.UnaryServerInfo{Server: g, FullMethod: pb.GRPCInferenceService_ModelInfer_FullMethodName}
	return interceptor(ctx, message, info, func(ctx context.Context, _ any) (any, error) {
		c.err = &serve.Error{Code: serve.Internal, Reason: "internal error"} // unless what follows returns
		var response *pb.ModelInferResponse
		response, c.err = g.infer(ctx, c, message)
		if c.err != nil {
			return nil, statusOf(ctx, c.err, c.id)
		}
		return &answer{response, c}, nil
	})
}

// infer admits a request, decodes it and answers it.
func (g *Server) infer(ctx context.Context, c *call, message encoded) (*pb.ModelInferResponse, error) {
	defer message.Free()
	data := message.ReadOnlyData()
	m, err := measure(data)
	if err != nil {
		return nil, err
	}
	if most := max(g.opts.MaxInflightBytes, copyFactor*g.opts.MaxBody); m.bytes > most {
		return nil, &serve.Error{Code: serve.TooLarge, Reason: fmt.Sprintf("the request takes %d bytes of memory, at most %d are possible: give tensors in raw_input_contents", m.bytes, most)}
	}
	c.ticket, err = g.server.Admit(ctx, serve.Admission{
		Model: m.model, Version: m.version, Bytes: m.bytes, Body: int64(len(data)), Protocol: "grpc", ID: c.id,
	})
	if err != nil {
		return nil, err
	}
	r := &pb.ModelInferRequest{}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, r); err != nil {
		return nil, &oip.InvalidError{Reason: "the message is no ModelInferRequest", Err: err}
	}
	request, raw, err := readRequest(r, c.ticket.Grow)
	if err != nil {
		return nil, err
	}
	response, err := c.ticket.Infer(ctx, request)
	if err != nil {
		return nil, err
	}
	answer := writeResponse(response, raw)
	c.bytes = int64(proto.Size(answer))
	c.ticket.Hold(c.bytes) // gRPC makes a copy
	return answer, nil
}

// readRequest makes a request of a message. It reports whether its tensors are in raw_input_contents, as those of the answer shall be. grow
// is asked for what its elements of BYTES take there.
func readRequest(r *pb.ModelInferRequest, grow func(bytes int64) error) (request *oip.InferRequest, raw bool, err error) {
	request = &oip.InferRequest{ID: r.GetId(), Inputs: make([]*oip.Tensor, len(r.GetInputs()))}
	if request.Parameters, err = readParameters(r.GetParameters()); err != nil {
		return nil, false, err
	}
	raw = len(r.GetRawInputContents()) > 0
	if n := len(r.GetRawInputContents()); raw && n != len(r.GetInputs()) {
		return nil, false, invalid("raw_input_contents", "%d tensors where there are %d inputs", n, len(r.GetInputs()))
	}
	names := make(map[string]bool, len(request.Inputs))
	for i, in := range r.GetInputs() {
		place := fmt.Sprintf("inputs[%d]", i)
		t, err := readInput(in, r.GetRawInputContents(), i, grow)
		if err != nil {
			return nil, false, at(place, err)
		}
		if names[t.Name] {
			return nil, false, invalid(place, "a second tensor %q", t.Name)
		}
		names[t.Name] = true
		request.Inputs[i] = t
	}
	request.Outputs, err = readOutputs(r.GetOutputs())
	if all, ok := request.Parameters[oip.BinaryDataOutput].(bool); ok {
		raw = raw || all
	}
	return request, raw, err
}

// readInput reads input i, of raw contents where there are any.
func readInput(in *pb.ModelInferRequest_InferInputTensor, raw [][]byte, i int, grow func(bytes int64) error) (*oip.Tensor, error) {
	t, err := oip.Declare(in.GetName(), oip.Datatype(in.GetDatatype()), in.GetShape())
	if err != nil {
		return nil, err
	}
	if t.Parameters, err = readParameters(in.GetParameters()); err != nil {
		return nil, err
	}
	if len(raw) == 0 {
		return t, readContents(t, in.GetContents())
	}
	if fields := filled(in.GetContents()); len(fields) > 0 {
		return nil, invalid("contents", "%s beside raw_input_contents: a request has one of the two", fields[0].name)
	}
	if t.Datatype == oip.Bytes {
		n, _ := t.Shape.Numel() // Declare has checked it
		if err := grow(elementBytes*int64(min(n, len(raw[i])/4)) + int64(len(raw[i]))); err != nil {
			return nil, err
		}
	}
	return t, t.SetRaw(raw[i])
}

// readOutputs reads which outputs are asked for.
func readOutputs(list []*pb.ModelInferRequest_InferRequestedOutputTensor) ([]oip.RequestedOutput, error) {
	outputs := make([]oip.RequestedOutput, len(list))
	names := make(map[string]bool, len(list))
	for i, o := range list {
		place := fmt.Sprintf("outputs[%d]", i)
		parameters, err := readParameters(o.GetParameters())
		switch {
		case err != nil:
			return nil, at(place, err)
		case o.GetName() == "":
			return nil, invalid(place+".name", "missing")
		case names[o.GetName()]:
			return nil, invalid(place, "a second output %q", o.GetName())
		}
		names[o.GetName()] = true
		outputs[i] = oip.RequestedOutput{Name: o.GetName(), Parameters: parameters}
	}
	return outputs, nil
}

// readParameters reads parameters. A number above those of int64 becomes its text, as a sequence's name may be.
func readParameters(list map[string]*pb.InferParameter) (oip.Parameters, error) {
	if len(list) == 0 {
		return nil, nil
	}
	parameters := make(oip.Parameters, len(list))
	for key, p := range list {
		switch value := p.GetParameterChoice().(type) {
		case *pb.InferParameter_BoolParam:
			parameters[key] = value.BoolParam
		case *pb.InferParameter_Int64Param:
			parameters[key] = value.Int64Param
		case *pb.InferParameter_StringParam:
			parameters[key] = value.StringParam
		case *pb.InferParameter_DoubleParam:
			parameters[key] = value.DoubleParam
		case *pb.InferParameter_Uint64Param:
			if n := int64(value.Uint64Param); n >= 0 {
				parameters[key] = n
			} else {
				parameters[key] = fmt.Sprint(value.Uint64Param)
			}
		default:
			return nil, invalid("parameters", "%.100q has no value", key)
		}
	}
	return parameters, nil
}

// invalid is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func invalid(place, format string, args ...any) error {
	return &oip.InvalidError{Place: place, Reason: fmt.Sprintf(format, args...)}
}

// at puts a place in front of that of an error.
func at(place string, err error) error {
	e, ok := err.(*oip.InvalidError)
	if !ok {
		return err
	}
	if e.Place != "" {
		place += "." + e.Place
	}
	return &oip.InvalidError{Place: place, Reason: e.Reason, Err: e.Err}
}

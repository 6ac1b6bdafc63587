package grpcserve

import (
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that the one here is made of
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/octet-ml/octet/serve/grpcserve/pb"
)

// codec is protobuf's, but that a message may be left as it came, so that decoding can wait for admission, and that an answer tells when
// it has left.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2("proto")} }

// encoded is a message that is not decoded.
type encoded struct{ mem.Buffer }

// Unmarshal decodes data, or keeps it.
func (c codec) Unmarshal(data mem.BufferSlice, to any) error {
	if e, ok := to.(*encoded); ok {
		e.Buffer = data.MaterializeToBuffer(mem.DefaultBufferPool())
		return nil
	}
	return c.CodecV2.Unmarshal(data, to)
}

// answer is that of a call. gRPC takes it and ends the method, and sends it as the client reads.
type answer struct {
	*pb.ModelInferResponse
	call *call
}

// Marshal encodes a message.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	a, ok := v.(*answer)
	if !ok {
		return c.CodecV2.Marshal(v)
	}
	k := a.call
	if mem.IsBelowBufferPoolingThreshold(int(k.bytes)) {
		return c.CodecV2.Marshal(a.ModelInferResponse)
	}
	if k.parts.Add(1); !k.conn.send(k) {
		k.end()
	}
	buffer := mem.DefaultBufferPool().Get(int(k.bytes))
	data, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend((*buffer)[:0], a.ModelInferResponse)
	*buffer = data
	sent := mem.NewBuffer(buffer, sentBuffers{mem.DefaultBufferPool(), k})
	if err != nil {
		sent.Free()
		return nil, err
	}
	return mem.BufferSlice{sent}, nil
}

// sentBuffers takes the buffer of an answer back once it was written, or dropped.
type sentBuffers struct {
	mem.BufferPool
	call *call
}

// Put ends the answer.
func (s sentBuffers) Put(buffer *[]byte) {
	s.BufferPool.Put(buffer)
	if s.call.conn.forget(s.call) {
		s.call.end()
	}
}

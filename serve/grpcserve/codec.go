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
	response *pb.ModelInferResponse
	call     *call
}

// Marshal encodes a message.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	a, ok := v.(*answer)
	if !ok {
		return c.CodecV2.Marshal(v)
	}
	k := a.call
	if mem.IsBelowBufferPoolingThreshold(int(k.bytes)) {
		return c.CodecV2.Marshal(a.response)
	}
	if k.parts.Add(1); !k.conn.send(k) {
		k.end()
	}
	buffer := k.Get(int(k.bytes))
	data, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend((*buffer)[:0], a.response)
	*buffer = data
	sent := mem.NewBuffer(buffer, k)
	if err != nil {
		sent.Free()
		return nil, err
	}
	return mem.BufferSlice{sent}, nil
}

// Get returns a buffer for the answer.
func (c *call) Get(bytes int) *[]byte { return mem.DefaultBufferPool().Get(bytes) }

// Put takes the buffer of the answer back, which was written or dropped.
func (c *call) Put(buffer *[]byte) {
	mem.DefaultBufferPool().Put(buffer)
	if c.conn.forget(c) {
		c.end()
	}
}

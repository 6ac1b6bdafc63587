package grpcserve

import (
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that the one here is made of
	"google.golang.org/grpc/mem"
)

// codec is protobuf's, but that a message may be left as it came, so that decoding can wait for admission.
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

package grpcserve

import (
	"context"
	"errors"
	"runtime/debug"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/octet-ml/octet/serve"
)

// retryPushback is the trailer that tells a client when to try again, in milliseconds (gRFC A6).
const retryPushback = "grpc-retry-pushback-ms"

// statusOf makes a status of an error.
func statusOf(ctx context.Context, err error, id string) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*serve.Error](err); ok && e.RetryAfter > 0 {
		_ = grpc.SetTrailer(ctx, metadata.Pairs(retryPushback, strconv.FormatInt(e.RetryAfter.Milliseconds(), 10))) // fails outside a request only
	}
	return status.Error(codes.Code(serve.CodeOf(err).GRPC()), serve.ErrorText(err, id))
}

// protectUnary answers a request whose handler panicked.
func (g *Server) protectUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (answer any, err error) {
	defer g.recover(info.FullMethod, &err)
	return handler(ctx, request)
}

// protectStream is protectUnary for streams.
func (g *Server) protectStream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer g.recover(info.FullMethod, &err)
	return handler(server, stream)
}

func (g *Server) recover(method string, err *error) {
	v := recover()
	if v == nil {
		return
	}
	if g.opts.Logger != nil {
		g.opts.Logger.Error("panic", "method", method, "value", v, "stack", string(debug.Stack()))
	}
	*err = status.Error(codes.Internal, "internal error")
}

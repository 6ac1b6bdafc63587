package grpcserve

import (
	"context"
	"crypto/subtle"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve/pb"
)

// call is a request for an inference, and its context: from its headers to the last byte of its answer.
type call struct {
	context.Context
	cancel context.CancelFunc
	timer  *time.Timer // ends the request where it is not read, or its answer is not, in time
	late   atomic.Bool // the timer did

	id     string
	ticket *serve.Ticket // nil: it is not admitted
	err    error         // what is answered
	bytes  int64         // of the answer
}

// callKey is the key of the call in its context.
type callKey struct{}

// Value returns the call itself for its key.
func (c *call) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// Err says that a request that was too slow is over its time: it is not the client that gave up.
func (c *call) Err() error {
	if err := c.Context.Err(); err == nil || !c.late.Load() {
		return err
	}
	return context.DeadlineExceeded
}

// openMethods need no token, as over HTTP.
var openMethods = map[string]bool{
	pb.GRPCInferenceService_ServerLive_FullMethodName:  true,
	pb.GRPCInferenceService_ServerReady_FullMethodName: true,
	healthpb.Health_Check_FullMethodName:               true,
	healthpb.Health_Watch_FullMethodName:               true,
	healthpb.Health_List_FullMethodName:                true,
}

// admitHeaders looks at a request before its message is read.
func (g *Server) admitHeaders(ctx context.Context, info *tap.Info) (context.Context, error) {
	if g.opts.Token != "" && !openMethods[info.FullMethodName] && !g.authorized(info.Header) {
		return ctx, status.Error(codes.Unauthenticated, "the request bears no token, or not that of the server")
	}
	if info.FullMethodName != pb.GRPCInferenceService_ModelInfer_FullMethodName {
		return ctx, nil
	}
	if parent := info.Header.Get("traceparent"); len(parent) > 0 {
		ctx = serve.WithTraceParent(ctx, parent[0])
	}
	c := &call{id: "g" + strconv.FormatUint(g.requests.Add(1), 36)}
	c.Context, c.cancel = context.WithCancel(ctx)
	c.timer = time.AfterFunc(g.opts.BodyTimeout, func() {
		c.late.Store(true)
		c.cancel()
	})
	return c, nil
}

// authorized reports whether the metadata of a request bears the token.
func (g *Server) authorized(md metadata.MD) bool {
	values := md.Get("authorization")
	if len(values) != 1 {
		return false
	}
	scheme, given, _ := strings.Cut(values[0], " ")
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(given), []byte(g.opts.Token)) == 1
}

// callStats learns when the answer to a request is written.
type callStats struct{}

// TagRPC does nothing.
func (callStats) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn does nothing.
func (callStats) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn does nothing.
func (callStats) HandleConn(context.Context, stats.ConnStats) {}

// HandleRPC ends a request.
func (callStats) HandleRPC(ctx context.Context, event stats.RPCStats) {
	end, ok := event.(*stats.End)
	if !ok {
		return
	}
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return
	}
	c.timer.Stop()
	if c.ticket != nil {
		if c.err == nil && end.Error != nil {
			c.err = &serve.Error{Code: serve.Canceled, Reason: "the client did not read the answer", Err: end.Error}
		}
		if c.err != nil {
			c.bytes = 0
		}
		c.ticket.Done(c.err, c.bytes)
	}
	c.cancel()
}

package grpcserve

import (
	"context"
	"crypto/subtle"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve/pb"
)

// call is a request and its context: from its headers to the last byte of its answer.
type call struct {
	context.Context
	cancel context.CancelFunc
	timer  *time.Timer // ends the request where it is not read, or its answer is not, in time
	late   atomic.Bool // it did not come in time, or with too many others
	conn   *connection
	read   int64 // bytes of the connection that came before the message, or are of others

	// What follows is of inferences.
	id     string
	ticket *serve.Ticket // nil: it is not admitted
	err    error         // what is answered
	bytes  int64         // of the answer
	parts  atomic.Int32  // that have not ended: the method, the answer on its way
	lost   atomic.Bool   // the client did not read the answer
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
	if parent := info.Header.Get("traceparent"); len(parent) > 0 {
		ctx = serve.WithTraceParent(ctx, parent[0])
	}
	if !g.methods[info.FullMethodName] || ctx.Err() != nil {
		return ctx, nil // ends before its message is read
	}
	c := &call{conn: connectionOf(ctx)}
	c.parts.Store(1)
	if info.FullMethodName == pb.GRPCInferenceService_ModelInfer_FullMethodName {
		c.id = "g" + strconv.FormatUint(g.requests.Add(1), 36)
	}
	c.Context, c.cancel = context.WithCancel(ctx)
	c.conn.begin(c)
	c.timer = time.AfterFunc(g.opts.BodyTimeout, func() {
		c.late.Store(true)
		c.cancel()
		c.conn.end(c, 0)
		if c.conn.forget(c) {
			c.lost.Store(true)
			c.conn.Close() // gRPC has no other way to forget an answer
			c.end()
		}
	})
	return c, nil
}

// arrive ends the time that the message of a call has to come, which has so many bytes.
func (c *call) arrive(bytes int64) {
	c.timer.Stop()
	c.conn.end(c, bytes)
}

// register adds a service, and bounds the time in which the message of a unary call comes and its answer is read.
func (g *Server) register(service *grpc.ServiceDesc, implementation any) {
	desc := *service
	desc.Methods = append([]grpc.MethodDesc(nil), desc.Methods...)
	for i := range desc.Methods {
		m := &desc.Methods[i]
		g.methods["/"+desc.ServiceName+"/"+m.MethodName] = true
		handle := m.Handler
		m.Handler = func(server any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			c := ctx.Value(callKey{}).(*call) // of admitHeaders
			defer c.timer.Reset(g.writeTime)
			return handle(server, ctx, func(message any) error {
				err := decode(message)
				var bytes int64
				if e, ok := message.(*encoded); ok && err == nil {
					bytes = int64(e.Len())
				}
				c.arrive(bytes)
				return err
			}, interceptor)
		}
	}
	for _, stream := range desc.Streams {
		g.methods["/"+desc.ServiceName+"/"+stream.StreamName] = true
	}
	g.grpc.RegisterService(&desc, implementation)
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
	c.conn.end(c, 0)
	if c.err == nil && end.Error != nil {
		c.lost.Store(true)
	}
	c.end()
}

// end ends a part of the call, and with the last one the call.
func (c *call) end() {
	if c.parts.Add(-1) > 0 {
		return
	}
	c.timer.Stop()
	if c.ticket != nil {
		if c.err == nil && c.lost.Load() {
			c.err = &serve.Error{Code: serve.Canceled, Reason: "the client did not read the answer"}
		}
		if c.err != nil {
			c.bytes = 0
		}
		c.ticket.Done(c.err, c.bytes)
	}
	c.cancel()
}

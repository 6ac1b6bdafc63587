package grpcserve

import (
	"context"
	"crypto/tls"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve/pb"
)

// Bounds of a connection. Those of requests are the options of the serve.Server.
const (
	maxStreams    = 250 // requests in progress
	maxWatches    = 4   // of them, that watch the health
	maxHeaders    = 64 << 10
	handshakeTime = 5 * time.Second
	writeTime     = 30 * time.Second // in which a client has to read its answer
	idleTime      = 5 * time.Minute  // after which a connection without requests ends; clients open another
	pingTime      = time.Minute      // of silence, after which a client is asked whether it lives
	leastPingTime = 10 * time.Second // between a client's own such questions
)

// Server answers over gRPC.
type Server struct {
	pb.UnimplementedGRPCInferenceServiceServer
	server   *serve.Server
	opts     serve.Options
	grpc     *grpc.Server
	methods  map[string]bool // by their full names
	arrivals arrivals
	// writeTime is what a client has to read its answer.
	writeTime time.Duration
	requests  atomic.Uint64
	stopping  chan struct{} // closed by Stop
	stop      sync.Once
}

// New returns a server of the models of s, with TLS unless the configuration is nil.
func New(s *serve.Server, config *tls.Config) *Server {
	g := &Server{server: s, opts: s.Options(), methods: make(map[string]bool), writeTime: writeTime, stopping: make(chan struct{})}
	g.arrivals.most, g.arrivals.message = g.opts.MaxInflightBytes, g.opts.MaxBody
	creds := insecure.NewCredentials()
	if config != nil {
		creds = credentials.NewTLS(config)
	}
	g.grpc = grpc.NewServer(
		grpc.InTapHandle(g.admitHeaders),
		grpc.StatsHandler(callStats{}),
		grpc.ForceServerCodecV2(newCodec()),
		grpc.UnaryInterceptor(g.protectUnary),
		grpc.StreamInterceptor(g.protectStream),
		grpc.MaxRecvMsgSize(int(min(g.opts.MaxBody, math.MaxInt32))),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.ConnectionTimeout(handshakeTime),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: leastPingTime, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idleTime, Time: pingTime}),
		grpc.Creds(countedCredentials{creds, &g.arrivals}),
	)
	g.register(g.service(), g)
	g.register(&healthpb.Health_ServiceDesc, &health{server: s, stopping: g.stopping})
	return g
}

// service is the generated service, but for ModelInfer, which is admitted before it is decoded.
func (g *Server) service() *grpc.ServiceDesc {
	desc := pb.GRPCInferenceService_ServiceDesc
	desc.Methods = append([]grpc.MethodDesc(nil), desc.Methods...)
	for i := range desc.Methods {
		if desc.Methods[i].MethodName == "ModelInfer" {
			desc.Methods[i].Handler = g.handleInfer
		}
	}
	return &desc
}

// Serve answers requests of the connections of a listener until Stop.
func (g *Server) Serve(l net.Listener) error { return g.grpc.Serve(l) }

// Stop takes no more requests and waits for those in progress; those that are left when ctx ends are ended.
func (g *Server) Stop(ctx context.Context) error {
	g.stop.Do(func() { close(g.stopping) })
	done := make(chan struct{})
	go func() {
		g.grpc.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		g.grpc.Stop()
		<-done
		return ctx.Err()
	}
}

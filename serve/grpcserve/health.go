package grpcserve

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve/pb"
)

// lookTime is how often the state is looked at for those who watch it.
const lookTime = time.Second

// health is grpc.health.v1: the server, as "" or by the name of its service, is SERVING while it is ready.
type health struct {
	healthpb.UnimplementedHealthServer
	server   *serve.Server
	stopping <-chan struct{}
}

func (h *health) status(service string) healthpb.HealthCheckResponse_ServingStatus {
	if service != "" && service != pb.GRPCInferenceService_ServiceDesc.ServiceName {
		return healthpb.HealthCheckResponse_SERVICE_UNKNOWN
	}
	if ready, _ := h.server.Ready(); ready {
		return healthpb.HealthCheckResponse_SERVING
	}
	return healthpb.HealthCheckResponse_NOT_SERVING
}

// Check returns the state.
func (h *health) Check(_ context.Context, r *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	s := h.status(r.GetService())
	if s == healthpb.HealthCheckResponse_SERVICE_UNKNOWN {
		return nil, status.Errorf(codes.NotFound, "there is no service %q", r.GetService())
	}
	return &healthpb.HealthCheckResponse{Status: s}, nil
}

// List returns the state of all services.
func (h *health) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	list := make(map[string]*healthpb.HealthCheckResponse)
	for _, name := range []string{"", pb.GRPCInferenceService_ServiceDesc.ServiceName} {
		list[name] = &healthpb.HealthCheckResponse{Status: h.status(name)}
	}
	return &healthpb.HealthListResponse{Statuses: list}, nil
}

// Watch sends the state, and then each other one.
func (h *health) Watch(r *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	c := stream.Context().Value(callKey{}).(*call) // of admitHeaders
	c.arrive(0)
	if !c.conn.watch(1) {
		return status.Errorf(codes.ResourceExhausted, "a connection watches the health %d times at most", maxWatches)
	}
	defer c.conn.watch(-1)
	ticker := time.NewTicker(lookTime)
	defer ticker.Stop()
	sent := healthpb.HealthCheckResponse_ServingStatus(-1)
	for {
		if s := h.status(r.GetService()); s != sent {
			if err := stream.Send(&healthpb.HealthCheckResponse{Status: s}); err != nil {
				return err
			}
			sent = s
		}
		select {
		case <-ticker.C:
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		case <-h.stopping:
			return status.Error(codes.Unavailable, "the server is shutting down")
		}
	}
}

package grpcserve

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve/pb"
	"github.com/octet-ml/octet/tensor"
)

// admitted returns the requests that are admitted.
func admitted(s *serve.Server) int { return s.Gauges().Models[0].Admitted }

// TestLimits fills the queue: what is above is refused, with a time to try again, and told to observers; the rest is answered.
func TestLimits(t *testing.T) {
	g, events := newGate(), &recorder{}
	s, _, conn := start(t, serve.Options{Threads: 1, MaxQueue: 2, Batch: serve.BatchOff, Observer: events}, map[string]*graph.Graph{"m": g.model(t, tensor.Float32)})
	client := pb.NewGRPCInferenceServiceClient(conn)
	g.set(true, false)
	answers := make(chan error, 3)
	for range cap(answers) {
		go func() {
			_, err := client.ModelInfer(t.Context(), floats(1, 2))
			answers <- err
		}()
	}
	until(func() bool { return admitted(s) == 3 })
	if bytes := s.Gauges().InflightBytes; bytes < 3*16 {
		t.Errorf("%d bytes of 3 requests in progress", bytes)
	}
	var trailer metadata.MD
	_, err := client.ModelInfer(t.Context(), floats(1, 2), grpc.Trailer(&trailer))
	if got := status.Convert(err); got.Code() != codes.ResourceExhausted || got.Message() != "model m: its queue of 3 requests is full" {
		t.Errorf("above the queue: error %v", err)
	}
	if after := trailer.Get(retryPushback); len(after) != 1 || after[0] == "0" {
		t.Errorf("time to try again: %v", after)
	}
	g.set(false, false)
	for range cap(answers) {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	until(func() bool { return admitted(s) == 0 })
	until(func() bool {
		return events.count(func(e serve.RequestEvent) bool {
			return e.Code == serve.OK && e.Protocol == "grpc" && e.BytesOut > 0 && e.BytesIn > 0
		}) == 3
	})
	if n := events.count(func(e serve.RequestEvent) bool { return e.Rejected == "queue" }); n != 1 {
		t.Errorf("%d requests counted that the queue refused", n)
	}
	if bytes := s.Gauges().InflightBytes; bytes != 0 {
		t.Errorf("%d bytes in progress after the last request", bytes)
	}
}

// TestDeadline ends requests by their own time, in the queue and in the run, and by the client that gives up.
func TestDeadline(t *testing.T) {
	g, events := newGate(), &recorder{}
	s, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff, Observer: events}, map[string]*graph.Graph{"m": g.model(t, tensor.Float32)})
	client := pb.NewGRPCInferenceServiceClient(conn)
	g.set(true, false)
	if _, err := client.ModelInfer(deadline(t, 50*time.Millisecond), floats(1, 2)); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("deadline in the run: error %v", err)
	}
	<-g.entered
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := client.ModelInfer(ctx, floats(1, 2))
		first <- err
	}()
	<-g.entered
	r := floats(1, 2)
	r.Parameters = map[string]*pb.InferParameter{"timeout": {ParameterChoice: &pb.InferParameter_Int64Param{Int64Param: 1000}}}
	if _, err := client.ModelInfer(t.Context(), r); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("timeout in the queue: error %v", err)
	}
	cancel()
	if err := <-first; status.Code(err) != codes.Canceled {
		t.Errorf("a client that gave up: error %v", err)
	}
	until(func() bool { return admitted(s) == 0 })
	for where, want := range map[string]int{"run": 2, "queue": 1} {
		if n := events.count(func(e serve.RequestEvent) bool { return e.Cancelled == where }); n != want {
			t.Errorf("%d requests ended in %s, want %d", n, where, want)
		}
	}
	g.set(false, false)
	if _, err := client.ModelInfer(t.Context(), floats(1, 2)); err != nil {
		t.Error(err)
	}
}

// TestSlowMessage opens a request and does not send its message.
func TestSlowMessage(t *testing.T) {
	_, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff, BodyTimeout: 50 * time.Millisecond}, map[string]*graph.Graph{"m": newGate().model(t, tensor.Float32)})
	stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, pb.GRPCInferenceService_ModelInfer_FullMethodName)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.RecvMsg(&pb.ModelInferResponse{}); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("error %v", err)
	}
}

// TestPanic lets a run panic: the client learns the server's name of the request only, and the server goes on.
func TestPanic(t *testing.T) {
	g := newGate()
	_, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff}, map[string]*graph.Graph{"m": g.model(t, tensor.Float32)})
	client := pb.NewGRPCInferenceServiceClient(conn)
	g.set(false, true)
	if _, err := client.ModelInfer(t.Context(), floats(1, 2)); status.Convert(err).Message() != "internal error in request g1" || status.Code(err) != codes.Internal {
		t.Errorf("error %v", err)
	}
	g.set(false, false)
	if _, err := client.ModelInfer(t.Context(), floats(1, 2)); err != nil {
		t.Errorf("after a panic: %v", err)
	}
}

// TestToken looks at which methods need the token.
func TestToken(t *testing.T) {
	_, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff, Token: "secret"}, map[string]*graph.Graph{"m": newGate().model(t, tensor.Float32)})
	client, health := pb.NewGRPCInferenceServiceClient(conn), healthpb.NewHealthClient(conn)
	for token, want := range map[string]codes.Code{"": codes.Unauthenticated, "Bearer secre": codes.Unauthenticated, "secret": codes.Unauthenticated, "Bearer secret": codes.OK} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", token)
		if _, err := client.ModelInfer(ctx, floats(1, 2)); status.Code(err) != want {
			t.Errorf("infer with %q: error %v, want %v", token, err, want)
		}
		if _, err := client.ModelMetadata(ctx, &pb.ModelMetadataRequest{Name: "m"}); status.Code(err) != want {
			t.Errorf("metadata with %q: error %v, want %v", token, err, want)
		}
		_, err := client.ServerReady(ctx, &pb.ServerReadyRequest{})
		_, checkErr := health.Check(ctx, &healthpb.HealthCheckRequest{})
		if err := errors.Join(err, checkErr); err != nil {
			t.Errorf("health with %q: error %v", token, err)
		}
	}
}

// TestDrain watches the health of a server that ends while a request runs: that is answered, others are not taken.
func TestDrain(t *testing.T) {
	g := newGate()
	s, server, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff}, map[string]*graph.Graph{"m": g.model(t, tensor.Float32)})
	client, health := pb.NewGRPCInferenceServiceClient(conn), healthpb.NewHealthClient(conn)
	watch, err := health.Watch(t.Context(), &healthpb.HealthCheckRequest{Service: "inference.GRPCInferenceService"})
	if err != nil {
		t.Fatal(err)
	}
	expect := func(want healthpb.HealthCheckResponse_ServingStatus) {
		t.Helper()
		if r, err := watch.Recv(); err != nil || r.Status != want {
			t.Errorf("got %v, error %v, want %v", r, err, want)
		}
	}
	expect(healthpb.HealthCheckResponse_SERVING)
	g.set(true, false)
	last := make(chan error)
	go func() {
		_, err := client.ModelInfer(t.Context(), floats(1, 2))
		last <- err
	}()
	<-g.entered
	s.Drain()
	expect(healthpb.HealthCheckResponse_NOT_SERVING)
	if _, err := health.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "none"}); status.Code(err) != codes.NotFound {
		t.Errorf("a service that is not there: error %v", err)
	}
	stopped := make(chan error)
	go func() { stopped <- server.Stop(t.Context()) }()
	if _, err := watch.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("watching a server that ends: error %v", err)
	}
	for { // what comes before the connection learns that it ends still waits for the run
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := client.ModelInfer(ctx, floats(1, 2))
		cancel()
		if status.Code(err) == codes.Unavailable {
			break
		}
		if status.Code(err) != codes.DeadlineExceeded {
			t.Fatalf("a request of a server that ends: error %v", err)
		}
	}
	g.set(false, false)
	if err := errors.Join(<-last, <-stopped); err != nil {
		t.Error(err)
	}
}

// TestStopEnds ends a request that does not end by itself.
func TestStopEnds(t *testing.T) {
	g := newGate()
	_, server, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff}, map[string]*graph.Graph{"m": g.model(t, tensor.Float32)})
	client := pb.NewGRPCInferenceServiceClient(conn)
	g.set(true, false)
	last := make(chan error)
	go func() {
		_, err := client.ModelInfer(t.Context(), floats(1, 2))
		last <- err
	}()
	<-g.entered
	if err := server.Stop(deadline(t, 10*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop: error %v", err)
	}
	if err := <-last; status.Code(err) != codes.Unavailable && status.Code(err) != codes.Canceled {
		t.Errorf("the request: error %v", err)
	}
}

// TestOtherProtocol speaks HTTP/1.1: the connection ends.
func TestOtherProtocol(t *testing.T) {
	_, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff}, map[string]*graph.Graph{"m": newGate().model(t, tensor.Float32)})
	c, err := net.Dial("tcp", conn.Target())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("POST / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 1<<10)
	for {
		if _, err := c.Read(buffer); err != nil {
			if strings.Contains(err.Error(), "timeout") {
				t.Error("the connection is kept")
			}
			break
		}
	}
}

package grpcserve

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve/pb"
	"github.com/octet-ml/octet/tensor"
)

// send opens requests, each with a message of so many bytes, and sends all but the last byte of each, as the server lets it. It returns
// how many requests the server ended before.
func (f *frames) send(requests, size int) (ended int) {
	f.t.Helper()
	left, window := make(map[uint32]int), make(map[uint32]int)
	const first = 1<<16 - 1
	window[0] = first
	for range requests {
		f.open(false)
		f.must(f.framer.WriteData(f.last, false, binary.BigEndian.AppendUint32([]byte{0}, uint32(size))))
		left[f.last], window[f.last] = size-1, first-5
		window[0] -= 5
	}
	zeros := make([]byte, 16<<10)
	for len(left) > 0 {
		progress := false
		for stream := uint32(1); stream <= f.last; stream += 2 {
			n := min(len(zeros), left[stream], window[stream], window[0])
			if n <= 0 {
				continue
			}
			progress = true
			f.must(f.framer.WriteData(stream, false, zeros[:n]))
			window[0] -= n
			window[stream] -= n
			if left[stream] -= n; left[stream] == 0 {
				delete(left, stream)
			}
		}
		if progress {
			continue
		}
		f.must(f.conn.SetReadDeadline(time.Now().Add(5 * time.Minute)))
		frame, err := f.framer.ReadFrame()
		f.must(err)
		stream := frame.Header().StreamID
		switch frame := frame.(type) {
		case *http2.WindowUpdateFrame:
			window[stream] += int(frame.Increment)
		case *http2.HeadersFrame: // of the answer, which is an error
			ended++
			delete(left, stream)
		}
	}
	return ended
}

// TestArrivingMessages sends more of messages than may be on their way, over one connection and over many: some are ended, the others
// are waited for, what they take is bounded, and requests with small messages are answered beside them.
func TestArrivingMessages(t *testing.T) {
	const size, fit, requests = 4 << 20, 2, 8
	for _, connections := range []int{1, requests} {
		_, g, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff, MaxBody: size, MaxInflightBytes: fit * size, BodyTimeout: time.Hour},
			map[string]*graph.Graph{"m": newGate().model(t, tensor.Float32)})
		client := pb.NewGRPCInferenceServiceClient(conn)
		if _, err := client.ModelInfer(t.Context(), floats(1, 2)); err != nil {
			t.Fatal(err)
		}
		before, ended := liveBytes(), 0
		var clients []*frames
		for range connections {
			f := dialFrames(t, conn.Target())
			clients = append(clients, f)
			ended += f.send(requests/connections, size)
		}
		if ended != requests-fit {
			t.Errorf("%d connections: %d of %d messages ended, want %d", connections, ended, requests, requests-fit)
		}
		if most := before + (fit+1)*size; liveBytes() > most {
			t.Errorf("%d connections: %d bytes are in use, want at most %d", connections, liveBytes(), most)
		}
		for range 10 {
			if _, err := client.ModelInfer(t.Context(), floats(1, 2)); err != nil {
				t.Errorf("%d connections: a small message: %v", connections, err)
			}
		}
		for _, f := range clients {
			f.conn.Close()
		}
		until(func() bool {
			g.arrivals.mu.Lock()
			defer g.arrivals.mu.Unlock()
			return g.arrivals.calls == 0 && g.arrivals.bytes == 0
		})
	}
}

// TestLargeMessage sends one message of the most bytes, more than may be on their way: alone it may.
func TestLargeMessage(t *testing.T) {
	_, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff, MaxBody: 2 << 20, MaxInflightBytes: 1 << 20}, map[string]*graph.Graph{"m": newGate().model(t, tensor.Float32)})
	r := floats(make([]float32, 3<<17)...)
	r.RawInputContents, r.Inputs[0].Contents = [][]byte{make([]byte, 3<<19)}, nil
	r.Outputs = []*pb.ModelInferRequest_InferRequestedOutputTensor{{Name: "none"}}
	if _, err := pb.NewGRPCInferenceServiceClient(conn).ModelInfer(t.Context(), r); status.Code(err) != codes.InvalidArgument {
		t.Errorf("error %v", err)
	}
}

// TestSlowDocuments opens requests of other methods, which need no token, and does not send their messages.
func TestSlowDocuments(t *testing.T) {
	_, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff, Token: "secret", BodyTimeout: 50 * time.Millisecond}, map[string]*graph.Graph{"m": newGate().model(t, tensor.Float32)})
	for method := range openMethods {
		stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, method)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(&healthpb.HealthCheckResponse{}); status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("%s: error %v", method, err)
		}
	}
}

// TestWatches watches the health more often than a connection may, and again when one has ended.
func TestWatches(t *testing.T) {
	_, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff, BodyTimeout: 50 * time.Millisecond}, map[string]*graph.Graph{"m": newGate().model(t, tensor.Float32)})
	watch := func() (func() error, error) {
		w, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Recv()
		return func() error { _, err := w.Recv(); return err }, err
	}
	var open []func() error
	for range maxWatches {
		next, err := watch()
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, next)
	}
	if _, err := watch(); status.Convert(err).Message() != "a connection watches the health 4 times at most" || status.Code(err) != codes.ResourceExhausted {
		t.Errorf("error %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- open[0]() }()
	select {
	case err := <-ended:
		t.Errorf("watching ended by itself: %v", err)
	case <-time.After(150 * time.Millisecond): // three times what a message has
	}
}

// TestUnreadAnswer does not read an answer: it counts twice, as the tensor and as the message made of it, until the client gives the
// request up, or its connection, or has had the time that it has.
func TestUnreadAnswer(t *testing.T) {
	const size = 1 << 20
	for _, how := range []string{"request", "connection", "time"} {
		events := &recorder{}
		s, g, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff, Observer: events}, map[string]*graph.Graph{"m": newGate().model(t, tensor.Float32)})
		if how == "time" {
			g.writeTime = 100 * time.Millisecond
		}
		r := floats(1, 2)
		r.Inputs[0].Shape, r.Inputs[0].Contents, r.RawInputContents = []int64{size / 8, 2}, nil, [][]byte{make([]byte, size)}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, pb.GRPCInferenceService_ModelInfer_FullMethodName)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(stream.SendMsg(r), stream.CloseSend()); err != nil {
			t.Fatal(err)
		}
		most := int64(0)
		within := func(condition func() bool) {
			ended, stop := context.WithTimeout(t.Context(), time.Minute)
			defer stop()
			until(func() bool { most = max(most, s.Gauges().InflightBytes); return condition() || ended.Err() != nil })
		}
		within(func() bool { return most >= 4*size })
		if most < 4*size || most > 5*size {
			t.Errorf("%s: %d bytes in progress, want those of request and answer, each twice: %d", how, most, 4*size)
		}
		switch how {
		case "request":
			cancel()
		case "connection":
			conn.Close()
		}
		lost := func(e serve.RequestEvent) bool { return e.Code == serve.Canceled || how == "request" } // gRPC does not tell of that
		within(func() bool { return s.Gauges().InflightBytes == 0 && events.count(lost) == 1 })
		if n := s.Gauges().InflightBytes; n != 0 || events.count(lost) != 1 {
			t.Errorf("%s: %d bytes in progress afterwards, events %+v", how, n, events.events)
		}
	}
}

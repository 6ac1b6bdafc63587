package grpcserve

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve/pb"
	"github.com/octet-ml/octet/tensor"
)

// frames is a client of HTTP/2 that opens and resets streams as it likes.
type frames struct {
	t       testing.TB
	conn    net.Conn
	framer  *http2.Framer
	headers []byte // of ModelInfer
	message []byte
	last    uint32 // stream
	acks    int    // of settings, which are still to come
	refused int    // streams that the server refused
}

// dialFrames connects to a server and agrees on settings.
func dialFrames(t testing.TB, addr string) *frames {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	f := &frames{t: t, conn: conn, framer: http2.NewFramer(conn, conn)}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encoder.SetMaxDynamicTableSize(0) // the same block again means the same
	for _, h := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", pb.GRPCInferenceService_ModelInfer_FullMethodName}, {":authority", "localhost"},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		f.must(encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1], Sensitive: true}))
	}
	f.headers = block.Bytes()
	m, err := proto.Marshal(floats(1, 2))
	f.must(err)
	f.message = append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))), m...)
	_, err = conn.Write([]byte(http2.ClientPreface))
	f.must(err)
	f.must(f.framer.WriteSettings())
	f.acks++
	f.must(f.framer.WriteSettingsAck())
	return f
}

func (f *frames) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// open begins a request: whole, or its headers only.
func (f *frames) open(whole bool) {
	f.t.Helper()
	f.last = max(f.last+2, 1) | 1
	f.must(f.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: f.last, BlockFragment: f.headers, EndHeaders: true}))
	if whole {
		f.must(f.framer.WriteData(f.last, true, f.message))
	}
}

func (f *frames) reset(stream uint32) {
	f.t.Helper()
	f.must(f.framer.WriteRSTStream(stream, http2.ErrCodeCancel))
}

// sync waits until the server has read all that was sent: it acknowledges settings in turn, as often as they come, unlike pings.
func (f *frames) sync() {
	f.t.Helper()
	f.must(f.framer.WriteSettings())
	f.acks++
	f.must(f.conn.SetReadDeadline(time.Now().Add(5 * time.Minute)))
	for f.acks > 0 {
		frame, err := f.framer.ReadFrame()
		f.must(err)
		switch frame := frame.(type) {
		case *http2.RSTStreamFrame:
			if frame.ErrCode == http2.ErrCodeRefusedStream {
				f.refused++
			}
		case *http2.GoAwayFrame:
			f.t.Fatalf("the server ends the connection: %v %s", frame.ErrCode, frame.DebugData())
		case *http2.SettingsFrame:
			if frame.IsAck() {
				f.acks--
			}
		}
	}
}

// liveBytes returns the bytes of objects that are in use.
func liveBytes() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what sync.Pool keeps
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestStreams opens more requests on a connection than may be in progress: so many are refused, and the others wait for their messages.
func TestStreams(t *testing.T) {
	_, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff}, map[string]*graph.Graph{"m": newGate().model(t, tensor.Float32)})
	f := dialFrames(t, conn.Target())
	f.sync()
	const above = 50
	for range maxStreams + above {
		f.open(false)
	}
	f.sync()
	if f.refused != above {
		t.Errorf("%d of %d requests are refused, want %d", f.refused, maxStreams+above, above)
	}
}

// TestRapidReset opens streams and resets each at once, of which a bound on streams in progress never sees many (CVE-2023-44487): whole
// requests, whose runs wait, and headers alone. Few are worked at a time, other connections get their answers after them, and nothing is
// left: no run, no goroutine, no bytes.
func TestRapidReset(t *testing.T) {
	// A request that is forgotten would stay for the time that its message has.
	g, events := newGate(), &recorder{}
	s, _, conn := start(t, serve.Options{Threads: 1, Batch: serve.BatchOff, Observer: events, BodyTimeout: time.Hour}, map[string]*graph.Graph{"m": g.model(t, tensor.Float32)})
	client := pb.NewGRPCInferenceServiceClient(conn)
	ask := func() {
		t.Helper()
		if _, err := client.ModelInfer(t.Context(), floats(1, 2)); err != nil {
			t.Error(err)
		}
	}
	ask()
	f := dialFrames(t, conn.Target())
	f.sync()
	goroutines, before := runtime.NumGoroutine(), liveBytes()
	g.set(true, false)
	const whole, rounds, each = 900, 10, 2000 // messages of the former fit into the window of a connection
	most := 0
	f.open(true)
	<-g.entered
	running := f.last
	for range whole - 1 {
		f.open(true)
		f.reset(f.last)
	}
	f.reset(running)
	for range rounds {
		f.sync()
		most = max(most, runtime.NumGoroutine())
		for range each {
			f.open(false)
			f.reset(f.last)
		}
	}
	f.sync()
	idle := func() bool {
		now := s.Gauges()
		return now.Running == 0 && now.InflightBytes == 0 && now.Models[0].Admitted == 0 && runtime.NumGoroutine() <= goroutines
	}
	ended, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	until(func() bool { return idle() || ended.Err() != nil })
	if !idle() {
		t.Errorf("after the last reset: %+v, %d goroutines, %d before", s.Gauges(), runtime.NumGoroutine(), goroutines)
	}
	runs := 1 + len(g.entered)
	if n := events.count(func(e serve.RequestEvent) bool { return e.Code == serve.OK }); n != 1 || runs > whole {
		t.Errorf("%d requests answered, want that before the resets only; %d runs of %d requests", n, runs, whole)
	}
	if after := liveBytes(); after > before+4<<20 {
		t.Errorf("%d bytes are in use, %d were before %d resets", after, before, whole+rounds*each)
	}
	if most > goroutines+maxStreams+50 {
		t.Errorf("%d goroutines at a time, %d before", most, goroutines)
	}
	g.set(false, false)
	ask()
	t.Logf("%d runs, at most %d goroutines, %d before; %d bytes more", runs, most, goroutines, int64(liveBytes())-int64(before))
}

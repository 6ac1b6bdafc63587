package serve

import (
	"context"
	"image/png"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// TestAnswersCount refuses what would be computed while answers that nobody has read yet take all bytes.
func TestAnswersCount(t *testing.T) {
	s := newServer(t, Options{Threads: 1, MaxInflightBytes: 1000, Batch: BatchOff})
	load(t, s, "m", newGate().model(t, 100))
	admit := func() *Ticket {
		ticket, err := s.Admit(t.Context(), Admission{Model: "m", Bytes: 100})
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	request := func(rows int) *oip.InferRequest {
		return &oip.InferRequest{Inputs: []*oip.Tensor{oip.NewTensor("x", fromSlice(t, make([]float32, rows*100), rows, 100))}}
	}
	first, second, third := admit(), admit(), admit()
	if _, err := first.Infer(t.Context(), request(3)); err != nil { // alone an answer may be larger than what is possible
		t.Error(err)
	}
	_, err := second.Infer(t.Context(), request(1))
	if CodeOf(err) != Exhausted {
		t.Errorf("beside an answer of 1200 bytes, with 1000 possible: error %v", err)
	}
	second.Done(err, 0)
	first.Done(nil, 0)
	if _, err = third.Infer(t.Context(), request(1)); err != nil {
		t.Errorf("once it is read: %v", err)
	}
	third.Done(err, 0)
	if n := s.Gauges().InflightBytes; n != 0 {
		t.Errorf("%d bytes are left", n)
	}
}

// slowDecoder counts the requests whose BYTES it decodes at a time.
type slowDecoder struct {
	Pictures
	now, most atomic.Int64
	goOn      chan struct{}
}

func (d *slowDecoder) Decode(ctx context.Context, model *graph.Signature, given []*oip.Tensor) ([]*tensor.Tensor, error) {
	n := d.now.Add(1)
	defer d.now.Add(-1)
	for most := d.most.Load(); n > most && !d.most.CompareAndSwap(most, n); most = d.most.Load() {
	}
	<-d.goOn
	return d.Pictures.Decode(ctx, model, given)
}

// TestDecodingIsBounded decodes pictures for as many requests at a time as may run, and counts what they become.
func TestDecodingIsBounded(t *testing.T) {
	d := &slowDecoder{goOn: make(chan struct{})}
	s := newServer(t, Options{Threads: 2, Decoder: d, Batch: BatchOff})
	load(t, s, "m", pictureModel(t, tensor.Float32))
	encoded := picture(t, 4, 2, png.Encode)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			ticket, err := s.Admit(t.Context(), Admission{Model: "m", Bytes: 10})
			if err != nil {
				t.Error(err)
				return
			}
			_, err = ticket.Infer(t.Context(), &oip.InferRequest{Inputs: []*oip.Tensor{oip.NewBytes("x", encoded)}})
			if want := int64(10 + 2*4*3*2*4); err != nil || ticket.bytes != want {
				t.Errorf("%d bytes count, want %d: those of the request, of the picture's tensor and of the answer; error %v", ticket.bytes, want, err)
			}
			ticket.Done(err, 0)
		})
	}
	until(t, func() bool { all, _ := admitted(s); return all == 6 && d.now.Load() == 2 })
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	ticket, err := s.Admit(t.Context(), Admission{Model: "m", Bytes: 10})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ticket.Infer(ended, &oip.InferRequest{Inputs: []*oip.Tensor{oip.NewBytes("x", encoded)}})
	ticket.Done(err, 0)
	if CodeOf(err) != Canceled {
		t.Errorf("a client that does not wait: error %v", err)
	}
	close(d.goOn)
	wg.Wait()
	if most := d.most.Load(); most != 2 {
		t.Errorf("%d requests were decoded at a time, want 2", most)
	}
}

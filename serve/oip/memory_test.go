package oip

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// TestMemory reads requests of many forms and sizes into one memory: each is what it is in memory of its own.
func TestMemory(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var memory Memory
	for round := range 200 {
		inputs := randomTensors(t, rng)
		for _, in := range inputs {
			in.Binary = rng.IntN(2) == 0
		}
		if rng.IntN(4) == 0 {
			large, err := tensor.New(tensor.Float32, 1<<(10+rng.IntN(10))) // up to what is not kept
			if err != nil {
				t.Fatal(err)
			}
			in := NewTensor("large", large)
			in.Binary = true
			inputs = append(inputs, in)
		}
		body, length, err := (&InferRequest{Inputs: inputs}).Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		form := Body{Size: int64(len(body)), HeaderLength: int64(length)}
		want, err := ReadInferRequest(bytes.NewReader(body), form, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := memory.ReadInferRequest(bytes.NewReader(body), form, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, in := range got.Inputs {
			if g, w := describe(in), describe(want.Inputs[i]); g != w {
				t.Fatalf("round %d: got %s, want %s", round, g, w)
			}
			if in.Value != nil && len(in.Value.Bytes()) > 0 && uintptr(unsafe.Pointer(&in.Value.Bytes()[0]))%tensor.Alignment != 0 {
				t.Errorf("round %d: tensor %d is not aligned", round, i)
			}
		}
	}
	if cap(memory.text) > maxKept || cap(memory.data) > maxKept+tensor.Alignment {
		t.Errorf("%d bytes of text and %d of tensors are kept", cap(memory.text), cap(memory.data))
	}
}

// TestMemoryIsUsedAgain holds the bytes that a request takes, once others of its kind were read, to what does not grow with it.
func TestMemoryIsUsedAgain(t *testing.T) {
	x, err := tensor.New(tensor.Float32, 50_000)
	if err != nil {
		t.Fatal(err)
	}
	raw := &TensorMetadata{Name: "x", Datatype: FP32, Shape: []int64{-1}}
	for _, form := range []string{"binary", "json", "raw"} {
		in := NewTensor("x", x)
		in.Binary = form == "binary"
		body, length, err := (&InferRequest{Inputs: []*Tensor{in}}).Append(nil)
		if form == "raw" {
			body, length = x.Bytes(), 0
		}
		if err != nil {
			t.Fatal(err)
		}
		var memory Memory
		read := func() {
			if _, err := memory.ReadInferRequest(bytes.NewReader(body), Body{Size: int64(len(body)), HeaderLength: int64(length)}, raw); err != nil {
				t.Fatal(err)
			}
		}
		read()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		const n = 20
		for range n {
			read()
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / n; each > 8<<10 {
			t.Errorf("%s: a request of %d bytes takes %d more", form, len(body), each)
		}
	}
	// A request that was cut off leaves nothing to see of the one before.
	var memory Memory
	full := fmt.Appendf(nil, "%032d", 1)
	if _, err := memory.ReadInferRequest(bytes.NewReader(full), Body{Size: 32}, raw); err != nil {
		t.Fatal(err)
	}
	if got, err := memory.ReadInferRequest(bytes.NewReader(full[:8]), Body{Size: 32}, raw); err == nil {
		t.Errorf("a body that ends early is read as %v", got.Inputs[0].Value)
	}
}

// TestElementsCount reads many short elements, which take more memory than their bytes: the caller is asked before, and may refuse.
func TestElementsCount(t *testing.T) {
	const n = 100
	for _, binary := range []bool{false, true} {
		in := NewBytes("x", make([][]byte, n)...)
		in.Binary = binary
		body, length, err := (&InferRequest{Inputs: []*Tensor{in}}).Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		form := Body{Size: int64(len(body)), HeaderLength: int64(length)}
		var asked int64
		refused := errors.New("refused")
		memory := Memory{Grow: func(bytes int64) error { asked += bytes; return nil }}
		if r, err := memory.ReadInferRequest(bytes.NewReader(body), form, nil); err != nil || len(r.Inputs[0].Elements) != n || asked != n*elementBytes {
			t.Errorf("binary %v: asked for %d bytes, error %v", binary, asked, err)
		}
		memory.Grow = func(int64) error { return refused }
		if _, err := memory.ReadInferRequest(bytes.NewReader(body), form, nil); err != refused {
			t.Errorf("binary %v, refused: error %v", binary, err)
		}
	}
}

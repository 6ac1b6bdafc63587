package ops

import (
	"math"
	"testing"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestScratchBytes takes what an int cannot count for the most that it can.
func TestScratchBytes(t *testing.T) {
	for _, c := range []struct {
		sizes []int
		want  int
	}{{nil, 1}, {[]int{4, 0, math.MaxInt}, 0}, {[]int{0, math.MaxInt, math.MaxInt}, 0}, {[]int{4, 5, 6}, 120}, {[]int{math.MaxInt, 1}, math.MaxInt}, {[]int{4, math.MaxInt/4 + 1}, math.MaxInt}, {[]int{1 << 20, 1 << 20, 1 << 24}, math.MaxInt}} {
		if got := scratchBytes(c.sizes...); got != c.want {
			t.Errorf("%v: %d, not %d", c.sizes, got, c.want)
		}
	}
}

// TestLargeScratch prepares kernels for values of up to 1 GB whose scratch memory, in bytes, 32 bits do not count: it does not wrap around to what a plan
// would allow, and RunKernel refuses it.
func TestLargeScratch(t *testing.T) {
	for _, c := range []struct {
		name string
		op   Op
		in   []Type
		want int64 // bytes
	}{
		{"softmax", Softmax{Axis: 0}, []Type{F32(1<<24, 2)}, 4 * softmaxBlock << 24},
		{"sort", Sort{Axis: 0}, []Type{F32(1 << 27)}, 32 << 27},
	} {
		out, err := c.op.Infer(c.in)
		if err != nil {
			t.Fatal(c.name, err)
		}
		k, err := c.op.Prepare(&Prepare{In: c.in, Out: out, Tier: asm.Generic, Threads: 1})
		if err != nil {
			t.Fatal(c.name, err)
		}
		if want := min(c.want, math.MaxInt); int64(k.WorkerScratch) != want {
			t.Errorf("%s: %d bytes of scratch memory, not %d", c.name, k.WorkerScratch, want)
		}
	}
	ran := false
	k := &Kernel{WorkerScratch: math.MaxInt, Run: func(*Call) error { ran = true; return nil }}
	if err := RunKernel(k, nil, []*tensor.Tensor{}, nil); err == nil || ran {
		t.Errorf("a kernel ran without its scratch memory: %v", err)
	}
}

package int8

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestSlowerThanFloat checks which convolutions warn that float32 would be quicker: on CPUs without dot products of bytes those that
// float32 computes by Winograd's algorithm and int8 does not.
func TestSlowerThanFloat(t *testing.T) {
	for name, tc := range map[string]struct {
		size, channels int
		zeroPoint      bool
		stride, batch  int
		want           bool
	}{
		"Winograd in both":          {28, 64, false, 1, 1, false},
		"weights with zero points":  {28, 64, true, 1, 1, true},
		"the same of three images":  {28, 64, true, 1, 3, true},
		"direct in both":            {28, 64, true, 2, 1, false},
		"too few channels for both": {28, 16, true, 1, 1, false},
	} {
		op, in := winogradCase{n: tc.batch, h: tc.size, w: tc.size, c: tc.channels, outs: tc.channels, padY: 1, padX: 1}.build(rand.New(rand.NewPCG(1, 1)))
		op.Stride = []int{tc.stride, tc.stride}
		if tc.zeroPoint {
			in[1].QParams().ZeroPoint[7] = 1
		}
		for _, tier := range asm.Supported() {
			k := prepareConv(t, op, in, tier)
			want := tc.want && (tier == asm.AVX2 || tier == asm.AVX512 || tier == asm.NEON)
			if got := strings.HasPrefix(k.Warning, "slower than in float32"); got != want {
				t.Errorf("%s, %v: %q", name, tier, k.Warning)
			}
		}
	}
}

func prepareConv(t *testing.T, op Conv, in []*tensor.Tensor, tier asm.Tier) *ops.Kernel {
	t.Helper()
	p := &ops.Prepare{Tier: tier, Threads: 1}
	for _, x := range in {
		p.In = append(p.In, ops.TypeOf(x))
	}
	p.In[0].Known = nil
	var err error
	if p.Out, err = op.Infer(p.In); err != nil {
		t.Fatal(err)
	}
	k, err := op.Prepare(p)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

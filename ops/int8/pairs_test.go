package int8

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestPairs checks layers of which some panels are summed by pairs, and that those are as many as the weights allow: convolutions of
// any kind, linear layers, and linear layers whose rows are quantized while they run.
func TestPairs(t *testing.T) {
	pair := func(v int) []int { return []int{v, v} }
	conv := func(c, kernel, stride, groups int) (ops.Op, []int, []int) {
		return Conv{ConvAttributes: ops.ConvAttributes{
			Stride: pair(stride), Padding: pair(kernel / 2), Dilation: pair(1), Groups: groups, Act: ops.ActReLU, NHWC: true,
		}, Out: tensor.PerTensor(tensor.Uint8, 0.4, 9)}, []int{2, 9, 8, c}, []int{groups * 50, c / groups, kernel, kernel}
	}
	for name, build := range map[string]func() (ops.Op, []int, []int){
		"1x1":       func() (ops.Op, []int, []int) { return conv(32, 1, 1, 1) },
		"1x1 of 21": func() (ops.Op, []int, []int) { return conv(21, 1, 1, 1) },
		"3x3 by 2":  func() (ops.Op, []int, []int) { return conv(20, 3, 2, 1) },
		"first":     func() (ops.Op, []int, []int) { return conv(3, 7, 2, 1) },
		"grouped":   func() (ops.Op, []int, []int) { return conv(32, 3, 1, 2) },
		"linear": func() (ops.Op, []int, []int) {
			return Linear{Out: tensor.PerTensor(tensor.Uint8, 0.4, 9)}, []int{7, 75}, []int{50, 75}
		},
		"dynamic": func() (ops.Op, []int, []int) { return DynamicLinear{}, []int{7, 64}, []int{50, 64} },
	} {
		for _, most := range []int32{127, 255} {
			for _, every := range []int{1, 30, 1000} { // columns, of which one has a pair that could saturate
				t.Run(fmt.Sprintf("%s, values to %d, one column of %d", name, most, every), func(t *testing.T) {
					op, x, w := build()
					testPairs(t, op, x, w, most, every)
				})
			}
		}
	}
}

func testPairs(t *testing.T, op ops.Op, x, w []int, most int32, every int) {
	rng := rand.New(rand.NewPCG(5, uint64(most)))
	q := tensor.PerTensor(tensor.Uint8, 0.02, 60)
	q.Max = most
	input, _ := tensor.New(tensor.Uint8, x...)
	for i := range input.Uint8s() {
		input.Uint8s()[i] = uint8(max(int(most)-rng.IntN(2)*rng.IntN(int(most)+1), 0))
	}
	input = input.WithQParams(q)
	if _, ok := op.(DynamicLinear); ok {
		input, _ = tensor.New(tensor.Float32, x...)
		for i := range input.Float32s() {
			input.Float32s()[i] = float32(rng.NormFloat64())
		}
		most = 255
	}
	weight, _ := tensor.New(tensor.Int8, w...)
	depth := weight.Numel() / w[0]
	for i := range weight.Int8s() {
		weight.Int8s()[i] = int8(rng.IntN(129) - 64)
		if column := i / depth; column%every == every-1 {
			weight.Int8s()[i] = 127
		}
	}
	in := []*tensor.Tensor{input, weight.WithQParams(tensor.PerTensor(tensor.Int8, 0.003, 0))}
	want, _ := runOn(t, op, in, asm.Generic)
	for _, tier := range asm.Supported() {
		got, choice := runOn(t, op, in, tier)
		if !bytes.Equal(got, want) {
			t.Errorf("%v, %s: differs from plain Go", tier, choice)
		}
		// A pair of 127s fits with values up to 127; with one column of 30, the first 16 have none.
		some := most == 127 || every > 1
		if tier != asm.AVX2 {
			if strings.Contains(choice, "panels are pair-safe") != some {
				t.Errorf("%s, want safe panels: %v", choice, some)
			}
			continue
		}
		if strings.Contains(choice, "panels summed by pairs") != some {
			t.Errorf("%s, want panels summed by pairs: %v", choice, some)
		}
		if all := most == 127 || every == 1000; all {
			groups := w[0] / 50
			if want := fmt.Sprintf("%d of %d panels", 4*groups, 4*groups); !strings.Contains(choice, want) {
				t.Errorf("%s, want %s", choice, want)
			}
		}
	}
}

// runOn returns the output on one thread of a tier, and what the kernel says of itself.
func runOn(t *testing.T, op ops.Op, in []*tensor.Tensor, tier asm.Tier) ([]byte, string) {
	t.Helper()
	types := make([]ops.Type, len(in))
	for i, x := range in {
		types[i] = ops.TypeOf(x)
	}
	types[0].Known = nil
	outTypes, err := op.Infer(types)
	if err != nil {
		t.Fatal(err)
	}
	k, err := op.Prepare(&ops.Prepare{In: types, Out: outTypes, Tier: tier, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	out, _ := tensor.New(outTypes[0].DType, outTypes[0].Shape...)
	pool := ops.NewPool(1)
	defer pool.Close()
	if err := ops.RunKernel(k, pool, in, []*tensor.Tensor{out}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), k.Choice
}

package int8

import (
	"fmt"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestWeightPairs compares the pairs with the order in which weights are packed, for windows, dilations, groups and channels of any kind.
func TestWeightPairs(t *testing.T) {
	for _, kernel := range [][]int{{1, 1}, {3, 3}, {1, 3}, {3, 1}, {2, 3}, {5}, {1}, {2, 1, 3}} {
		for _, channels := range []int{1, 2, 3, 4, 5, 8, 13, 15, 16, 17, 20, 21} {
			for _, dilation := range []int{1, 2} {
				for _, groups := range []int{1, 2} {
					ones, dilations := make([]int, len(kernel)), make([]int, len(kernel))
					for i := range kernel {
						ones[i], dilations[i] = 1, dilation
					}
					op := Conv{ConvAttributes: ops.ConvAttributes{
						Stride: ones, Padding: make([]int, len(kernel)), Dilation: dilations, Groups: groups, NHWC: true,
					}, Out: tensor.PerTensor(tensor.Uint8, 1, 0)}
					x, w := append([]int{1}, make([]int, len(kernel))...), append([]int{2 * groups, channels}, kernel...)
					for i := range kernel {
						x[i+1] = 11
					}
					t.Run(fmt.Sprintf("%v of %d, dilation %d, %d groups", kernel, channels, dilation, groups), func(t *testing.T) {
						testConvPairs(t, op, append(x, channels*groups), w)
					})
				}
			}
		}
	}
	if got := WeightPairs(ops.Conv{Groups: 5}, []int{5, 1, 3, 3}); got != nil {
		t.Errorf("a depthwise convolution has pairs: %v", got)
	}
	if got := fmt.Sprint(WeightPairs(ops.Linear{}, []int{7, 5})); got != "[0 1 2 3 4 -1]" {
		t.Errorf("a linear layer has pairs %v", got)
	}
}

// testConvPairs packs weights that are their own index, from 1 on, as far as bytes can tell them apart.
func testConvPairs(t *testing.T, op Conv, x, w []int) {
	in := []ops.Type{{DType: tensor.Uint8, Shape: x, Q: tensor.PerTensor(tensor.Uint8, 1, 0)},
		{DType: tensor.Int8, Shape: w, Q: tensor.PerTensor(tensor.Int8, 1, 0)}}
	out, err := op.Infer(in)
	if err != nil {
		t.Fatal(err)
	}
	window, err := op.float().Window(op, in)
	if err != nil {
		t.Fatal(err)
	}
	l := newConvGemm(op, *convLayer(op.float()), nil, &ops.Prepare{In: in, Out: out, Tier: asm.Generic, Threads: 1}, window, x[len(x)-1], nil).l
	pairs := WeightPairs(op.float(), w)
	for shift := 0; shift < 16; shift += 7 { // two bytes name an index below 2^14
		weights := make([]int8, l.depth)
		for i := range weights {
			weights[i] = int8((i + 1) >> shift & 127)
		}
		ordered := l.ordered(weights, 0, 1, new([]int8))
		stride := l.kc
		if l.join > 0 {
			stride = l.depth / l.taps
			// Between its own channels at a position, a column has zeros for those of other groups.
			own := make([]int8, 0, l.depth)
			for s := range l.ks {
				own = append(own, ordered[s*l.kc:][:l.depth/l.taps]...)
			}
			ordered = own
		}
		for i, at := range pairs {
			want := int8(0)
			if at >= 0 {
				want = weights[at]
			}
			// Behind a row that is filled up to a multiple of 4, the next one begins.
			row := len(pairs) / l.ks
			if l.ks*row != len(pairs) {
				t.Fatalf("%d pairs in %d rows", len(pairs), l.ks)
			}
			if got := ordered[i/row*stride+i%row]; got != want {
				t.Fatalf("depth %d has %d, want weight %d: %d", i, got, at, want)
			}
		}
	}
}

func TestPairLimits(t *testing.T) {
	for most := 1; most <= 255; most++ {
		least, largest := PairLimits(most)
		for _, w := range []int{least, least - 1, largest, largest + 1} {
			fits := w*most >= -1<<15 && w*most <= 1<<15-1
			if inside := w >= least && w <= largest; fits != inside {
				t.Errorf("values to %d: weights that add up to %d fit: %v", most, w, fits)
			}
		}
	}
}

// TestSafePanels counts panels of a grouped convolution of which some output channels have a pair that is not safe.
func TestSafePanels(t *testing.T) {
	w, _ := tensor.New(tensor.Int8, 2*20, 4, 3, 3) // two panels in each group, the second one of 4 channels
	op := ops.Conv{Groups: 2}
	count := func(most int) [2]int {
		safe, of := SafePanels(op, w, most)
		return [2]int{safe, of}
	}
	if got := count(255); got != [2]int{4, 4} {
		t.Errorf("weights of 0 have %v safe panels", got)
	}
	row := w.Int8s()[37*36:] // of the last panel
	row[2*9+4], row[3*9+4] = 65, 63
	row[0], row[1] = 127, 127 // neighbours in memory, but two taps of one channel
	if got := count(255); got != [2]int{4, 4} {
		t.Errorf("weights that add up to 128 have %v safe panels", got)
	}
	row[3*9+4] = 64
	if got := count(255); got != [2]int{3, 4} {
		t.Errorf("weights that add up to 129 have %v safe panels", got)
	}
	if got := count(127); got != [2]int{4, 4} {
		t.Errorf("inputs to 127 leave %v safe panels", got)
	}
	if _, of := SafePanels(ops.Conv{Groups: 40}, w, 255); of != 40 {
		t.Errorf("groups of one output have %d panels", of)
	}
	depthwise, _ := tensor.New(tensor.Int8, 5, 1, 3, 3)
	if _, of := SafePanels(ops.Conv{Groups: 5}, depthwise, 255); of != 0 {
		t.Errorf("a depthwise convolution has %d panels", of)
	}
}

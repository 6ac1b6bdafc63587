package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// recordedNets is how many random networks have a recorded sum.
const recordedNets = 40

var manyNets = flag.Int("nets", recordedNets, "random networks that TestSameNets runs; of more the sums are logged, to be compared between architectures")

// TestSameNets runs random int8 networks on every tier of this CPU: all have the bits of plain Go, and those recorded for all architectures.
func TestSameNets(t *testing.T) {
	sum := sha256.New()
	for seed := range *manyNets {
		var want []byte
		for _, tier := range asm.Supported() {
			got, err := runNet(uint64(seed), graph.Options{Threads: 1 + seed%2, CPU: tier.String()})
			if err != nil {
				t.Fatalf("seed %d on %v: %v", seed, tier, err)
			}
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("seed %d on %v has other bits than in plain Go", seed, tier)
			}
		}
		sum.Write(want)
		if n := seed + 1; n == recordedNets {
			checkSum(t, "nets", fmt.Sprint(n, " networks"), sum.Sum(nil))
		} else if n > recordedNets && n%50 == 0 {
			t.Logf("%d networks: %x", n, sum.Sum(nil))
		}
	}
}

// runNet returns the bytes of what a random network gives.
func runNet(seed uint64, opts graph.Options) ([]byte, error) {
	n := &randomNet{r: rand.New(rand.NewPCG(seed, 35)), g: graph.New()}
	x, in, err := n.build()
	if err != nil {
		return nil, err
	}
	n.g.SetOutputs(x...)
	s, err := n.g.Compile(opts)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	out, err := s.Run(context.Background(), in)
	if err != nil {
		return nil, err
	}
	var all []byte
	for _, t := range out {
		t = t.Contiguous()
		if t.DType() != tensor.Float32 {
			all = append(all, t.Bytes()...)
			continue
		}
		if all, err = binary.Append(all, binary.LittleEndian, t.Float32s()); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// randomNet is a graph of int8 operators under construction. Whatever it holds is whole numbers and powers of two, so that it is the same on every
// architecture.
type randomNet struct {
	r *rand.Rand
	g *graph.Graph
}

// oneIn is true once in n times.
func (n *randomNet) oneIn(k int) bool { return n.r.IntN(k) == 0 }

// zeroPoint is often at an end.
func (n *randomNet) zeroPoint() int32 { return []int32{0, 255, 128, n.r.Int32N(256)}[n.r.IntN(4)] }

// params have a scale that is about 2^exponent, and now and then a range of their own.
func (n *randomNet) params(exponent int) *tensor.QParams {
	q := tensor.PerTensor(tensor.Uint8, float32(math.Ldexp(float64(128+n.r.IntN(128)), exponent-7)), n.zeroPoint())
	if n.oneIn(5) {
		q.Min = n.r.Int32N(255)
		q.Max = q.Min + 1 + n.r.Int32N(255-q.Min)
		q.ZeroPoint[0] = min(max(q.ZeroPoint[0], q.Min), q.Max)
	}
	return q
}

// exponentOf returns the power of two of a value's scale.
func exponentOf(v *graph.Value) int {
	_, e := math.Frexp(float64(v.Type.Q.Scale[0]))
	return e - 1
}

func (n *randomNet) build() ([]*graph.Value, *tensor.Tensor, error) {
	shape := []int{1 + n.r.IntN(2), 1 + n.r.IntN(70), 1 + n.r.IntN(14), 1 + n.r.IntN(14)}
	x := n.g.Input("x", tensor.Uint8, shape...)
	q := n.params(-6)
	x.Type.Q = q
	in, err := tensor.New(tensor.Uint8, shape...)
	if err != nil {
		return nil, nil, err
	}
	n.fill(in.Uint8s(), q)
	for range 1 + n.r.IntN(4) {
		if x, err = n.layer(x); err != nil {
			return nil, nil, err
		}
	}
	heads, err := n.heads(x)
	return heads, in.WithQParams(q), err
}

// fill draws bytes of the range in use, sometimes only its ends, or one of them.
func (n *randomNet) fill(to []uint8, q *tensor.QParams) {
	kind := n.r.IntN(4)
	for i := range to {
		switch kind {
		case 0:
			to[i] = uint8([]int32{q.Min, q.Max}[n.r.IntN(2)])
		case 1:
			to[i] = uint8(q.Max)
		default:
			to[i] = uint8(q.Min + n.r.Int32N(q.Max-q.Min+1))
		}
	}
}

// layer adds a convolution, or something between convolutions.
func (n *randomNet) layer(x *graph.Value) (*graph.Value, error) {
	if n.oneIn(2) {
		return n.conv(x)
	}
	out := n.params(exponentOf(x) + n.r.IntN(3) - 1)
	kernel := []int{1 + n.r.IntN(min(3, x.Type.Shape[2])), 1 + n.r.IntN(min(3, x.Type.Shape[3]))}
	stride, padding := []int{1 + n.r.IntN(2), 1 + n.r.IntN(2)}, []int{kernel[0] / 2, kernel[1] / 2}
	switch n.r.IntN(5) {
	case 0:
		return n.g.Add1(graph.Scope{}, int8.AvgPool{AvgPoolAttributes: ops.AvgPoolAttributes{Kernel: kernel, Stride: stride, Padding: padding, CountIncludePad: n.oneIn(2)}, Out: out}, x)
	case 1:
		return n.g.Add1(graph.Scope{}, ops.MaxPool{Kernel: kernel, Stride: stride, Padding: padding, Dilation: []int{1, 1}}, x)
	case 2:
		table := int8.Table{Label: "random", Values: new([256]uint8), Out: out}
		for i := range table.Values {
			table.Values[i] = uint8(out.Min + n.r.Int32N(out.Max-out.Min+1))
		}
		return n.g.Add1(graph.Scope{}, table, x)
	case 3:
		y, err := n.conv(x)
		if err != nil {
			return nil, err
		}
		if !y.Type.Shape.Equal(x.Type.Shape) {
			return y, nil
		}
		act := n.act()
		op := []ops.Op{int8.Add{Act: act, Out: out}, int8.Sub{Act: act, Out: out}, int8.Mul{Act: act, Out: out}, int8.Min{Act: act, Out: out}, int8.Max{Act: act, Out: out}}[n.r.IntN(5)]
		return n.g.Add1(graph.Scope{}, op, x, y)
	}
	y, err := n.g.Add1(graph.Scope{}, int8.Softmax{SoftmaxAttributes: ops.SoftmaxAttributes{Axis: 1 + n.r.IntN(3)}, Out: n.params(-8)}, x)
	if err != nil {
		return nil, err
	}
	return n.g.Add1(graph.Scope{}, ops.Concat{Axis: 1}, y, y)
}

func (n *randomNet) act() ops.Activation {
	return []ops.Activation{ops.NoActivation, ops.ActReLU, ops.ActReLU6}[n.r.IntN(3)]
}

// conv adds a convolution of 1 to 70 channels that may add its input.
func (n *randomNet) conv(x *graph.Value) (*graph.Value, error) {
	c, h, w := x.Type.Shape[1], x.Type.Shape[2], x.Type.Shape[3]
	kernel := [][]int{{1, 1}, {3, 3}, {3, 3}, {1, 3}, {3, 1}, {5, 5}, {2, 4}}[n.r.IntN(7)]
	op := int8.Conv{ConvAttributes: ops.ConvAttributes{Stride: []int{1, 1}, Padding: []int{kernel[0] / 2, kernel[1] / 2}, Dilation: []int{1, 1}, Groups: 1, Act: n.act()}}
	if n.oneIn(3) {
		op.Stride = []int{1 + n.r.IntN(2), 1 + n.r.IntN(2)}
	}
	if n.oneIn(4) {
		op.Padding = []int{n.r.IntN(3), n.r.IntN(3)}
	}
	if n.oneIn(6) && h > 4 && w > 4 {
		op.Dilation = []int{2, 2}
	}
	for i, extent := range []int{h, w} { // the window has to fit
		for extent+2*op.Padding[i] < op.Dilation[i]*(kernel[i]-1)+1 {
			op.Padding[i]++
		}
	}
	outs := 1 + n.r.IntN(70)
	switch n.r.IntN(4) {
	case 0:
		op.Groups, outs = c, c
	case 1:
		outs = c
	case 2:
		if c%2 == 0 {
			op.Groups, outs = 2, outs+outs%2
		}
	}
	weight, reach, err := n.weight([]int{outs, c / op.Groups, kernel[0], kernel[1]})
	if err != nil {
		return nil, err
	}
	in := []*graph.Value{x, n.g.Const("", weight)}
	op.Out = n.params(exponentOf(x) - 7 + reach)
	if in, err = n.bias(in, outs); err != nil {
		return nil, err
	}
	op.HasBias = len(in) > 2
	types := []ops.Type{x.Type, in[1].Type}
	window, err := ops.Conv(op.ConvAttributes).Window(op, types)
	if err != nil {
		return nil, err
	}
	if ops.Conv(op.ConvAttributes).OutShape(window, types).Equal(x.Type.Shape) && op.HasBias && in[2].Type.DType == tensor.Int32 && n.oneIn(2) {
		op.HasResidual = true
		in = append(in, x)
	}
	return n.g.Add1(graph.Scope{}, op, in...)
}

// weight returns weights, per tensor or per channel, with scales of about 2^-7, and by how many powers of two what they are summed up to is greater than
// one product of an input with a scale.
func (n *randomNet) weight(shape []int) (*tensor.Tensor, int, error) {
	t, err := tensor.New(tensor.Int8, shape...)
	if err != nil {
		return nil, 0, err
	}
	data := t.Bytes()
	size := len(data) / shape[0]
	reach := bits.Len(uint(size))/2 + 6
	kind := n.r.IntN(6)
	for i := range data {
		v := -128 // the weight
		switch kind {
		case 0:
		case 1:
			v = []int{-128, -128, -128, 127}[n.r.IntN(4)]
		case 2:
			v = []int{-128, 127}[i/size%2]
		default:
			v = n.r.IntN(256) - 128
		}
		data[i] = byte(v)
	}
	if kind == 0 || kind == 2 {
		reach = bits.Len(uint(size)) + 6
	}
	scales := 1
	q := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerTensorSymmetric, Min: -128, Max: 127}
	switch n.r.IntN(5) {
	case 0:
	case 1:
		q.Scheme = tensor.PerTensorAffine
	default:
		q.Scheme, scales = tensor.PerChannelSymmetric, shape[0]
	}
	for range scales {
		q.Scale = append(q.Scale, float32(128+n.r.IntN(128))/(1<<14))
		zero := int32(0)
		if q.Scheme == tensor.PerTensorAffine {
			zero = n.r.Int32N(256) - 128
		}
		q.ZeroPoint = append(q.ZeroPoint, zero)
	}
	return t.WithQParams(q), reach, nil
}

// bias adds a bias to the inputs of a layer, or none.
func (n *randomNet) bias(in []*graph.Value, outs int) ([]*graph.Value, error) {
	dtype := []tensor.DType{tensor.Invalid, tensor.Int32, tensor.Int32, tensor.Float32}[n.r.IntN(4)]
	if dtype == tensor.Invalid {
		return in, nil
	}
	b, err := tensor.New(dtype, outs)
	if err != nil {
		return nil, err
	}
	for i := range outs {
		v := n.r.Int32N(1<<16) - 1<<15
		if dtype == tensor.Int32 {
			tensor.Data[int32](b)[i] = v
		} else {
			b.Float32s()[i] = float32(v) / (1 << 12)
		}
	}
	return append(in, n.g.Const("", b)), nil
}

// heads are the bytes of the last layer and logits, floats or bytes, of a linear layer behind an average.
func (n *randomNet) heads(x *graph.Value) ([]*graph.Value, error) {
	mean, err := n.g.Add1(graph.Scope{}, int8.AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes{Size: []int{1, 1}}, Out: n.params(exponentOf(x))}, x)
	if err != nil {
		return nil, err
	}
	flat, err := n.g.Add1(graph.Scope{}, ops.Flatten{Start: 1, End: -1}, mean)
	if err != nil {
		return nil, err
	}
	outs := 1 + n.r.IntN(70)
	weight, reach, err := n.weight([]int{outs, flat.Type.Shape[1]})
	if err != nil {
		return nil, err
	}
	in, err := n.bias([]*graph.Value{flat, n.g.Const("", weight)}, outs)
	if err != nil {
		return nil, err
	}
	op := int8.Linear{LinearAttributes: ops.LinearAttributes{HasBias: len(in) > 2}}
	if n.oneIn(3) {
		op.Out = n.params(exponentOf(flat) - 7 + reach)
	}
	logits, err := n.g.Add1(graph.Scope{}, op, in...)
	return []*graph.Value{x, logits}, err
}

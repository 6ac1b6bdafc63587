package int8_test

import (
	"bytes"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// TestFloatBias compares layers with a float32 bias with PyTorch's, bit for bit
// (testdata/gen/float_bias.py).
func TestFloatBias(t *testing.T) {
	data, err := tensor.ReadNPZ("testdata/float_bias.npz", 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"conv", "conv_signed", "linear"} {
		get := func(key string) *tensor.Tensor { return data.Get(name + "." + key).Contiguous() }
		q := get("q").Float32s()
		scale := get("w_scale").Float32s()
		weight := get("w").WithQParams(&tensor.QParams{
			DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Scale: scale, ZeroPoint: make([]int32, len(scale)), Min: -128, Max: 127,
		})
		x := get("x").WithQParams(tensor.PerTensor(tensor.Uint8, q[0], int32(q[1])))
		out := tensor.PerTensor(tensor.Uint8, q[2], int32(q[3]))
		var op ops.Op = int8.Linear{LinearAttributes: ops.LinearAttributes{HasBias: true}, Out: out}
		want := get("y")
		if name != "linear" {
			conv := ops.Conv{Stride: []int{1, 1}, Padding: []int{1, 1}, Dilation: []int{1, 1}, Groups: 1, HasBias: true, NHWC: true}
			op = int8.Conv{ConvAttributes: ops.ConvAttributes(conv), Out: out}
			x, want = channelsLast(t, x), channelsLast(t, want)
		}
		for _, tier := range asm.Supported() {
			got, err := ops.Eval(op, tier, nil, x, weight, get("bias"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got[0].Bytes(), want.Bytes()) {
				t.Errorf("%s on %v: the integers are not PyTorch's", name, tier)
			}
		}
	}
}

// channelsLast returns an image [N, C, H, W] as [N, H, W, C].
func channelsLast(t *testing.T, x *tensor.Tensor) *tensor.Tensor {
	t.Helper()
	p, err := x.Permute(0, 2, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	return p.Contiguous()
}

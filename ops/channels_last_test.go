package ops

import (
	"fmt"
	"testing"

	"github.com/octet-ml/octet/internal/fixture"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestChannelsLastParity runs every fixture of an operator that can compute
// channels-last in that layout too.
func TestChannelsLastParity(t *testing.T) {
	ran := map[string]int{}
	for family := range channelsLastFamilies {
		for _, f := range fixture.Read[recorded](t, "testdata/"+family+".json.gz") {
			if f.Err != "" {
				continue
			}
			op, err := fixtureOps[f.Op](f.Attr)
			if err != nil {
				t.Fatal(err)
			}
			if runChannelsLast(t, op, f) {
				ran[family]++
			}
		}
	}
	for family, least := range channelsLastFamilies {
		if ran[family] < least {
			t.Errorf("%s: %d fixtures ran channels-last, want at least %d", family, ran[family], least)
		}
	}
}

// channelsLastFamilies lists the families with such operators, and how many
// of their fixtures must run so.
var channelsLastFamilies = map[string]int{"binary": 100, "unary": 50, "softmax": 20, "norm": 15, "reduce": 20, "select": 3, "move": 4, "interpolate": 150, "conv_transpose": 30, "image": 20}

func runChannelsLast(t *testing.T, op Op, f recorded) bool {
	t.Helper()
	laster, ok := op.(ChannelsLaster)
	if !ok {
		return false
	}
	in := make([]*tensor.Tensor, len(f.In))
	types := make([]Type, len(f.In))
	for i, x := range f.In {
		in[i] = x.Tensor(t)
		types[i] = TypeOf(in[i])
	}
	last, inputs, ok := laster.ChannelsLast(types)
	if !ok {
		return false
	}
	describe := fmt.Sprintf("%s %s %v channels-last", op.Name(), f.Attr, types)
	for _, i := range inputs {
		in[i] = toChannelsLast(t, in[i])
	}
	out, err := Eval(last, asm.Generic, nil, in...)
	if err != nil {
		t.Errorf("%s: %v", describe, err)
		return true
	}
	for i, want := range f.Out {
		compare(t, describe, out[i], toChannelsLast(t, want.Tensor(t)), f.Tol)
	}
	return true
}

func toChannelsLast(t *testing.T, x *tensor.Tensor) *tensor.Tensor {
	t.Helper()
	order := make([]int, x.Rank())
	for i := range order {
		order[ChannelsLastAxis(i, x.Rank())] = i
	}
	v, err := x.Permute(order...)
	if err != nil {
		t.Fatal(err)
	}
	return v.Contiguous()
}

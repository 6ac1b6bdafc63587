package int8

import (
	"reflect"

	"github.com/octet-ml/octet/ops"
)

func init() {
	for _, row := range []struct {
		name string
		op   ops.Op
	}{
		{"int8.adaptive_avg_pool", AdaptiveAvgPool{}},
		{"int8.add", Add{}},
		{"int8.attention", Attention{}},
		{"int8.avg_pool", AvgPool{}},
		{"int8.concat", Concat{}},
		{"int8.conv", Conv{}},
		{"int8.dequantize", Dequantize{}},
		{"int8.dynamic_linear", DynamicLinear{}},
		{"int8.embedding", Embedding{}},
		{"int8.group_norm", GroupNorm{}},
		{"int8.instance_norm", InstanceNorm{}},
		{"int8.layer_norm", LayerNorm{}},
		{"int8.linear", Linear{}},
		{"int8.matmul", MatMul{}},
		{"int8.max", Max{}},
		{"int8.min", Min{}},
		{"int8.mul", Mul{}},
		{"int8.quantize", Quantize{}},
		{"int8.rnn", RNN{}},
		{"int8.softmax", Softmax{}},
		{"int8.sub", Sub{}},
		{"int8.table", Table{}},

		// What training runs, which is not saved.
		{"", TrainedLayer{}},
		{"", LSQ{}},
		{"", LSQGrad{}},
		{"", StraightThrough{}},
	} {
		ops.Register(ops.Operator{Name: row.name, Type: reflect.TypeOf(row.op), Int8: true})
	}
}

// MACs counts the products of the definition.
func (op Conv) MACs(in, out []ops.Type) int64 { return ops.ConvMACs(in[1], out[0]) }

// MACs counts the products of the definition.
func (op Linear) MACs(in, out []ops.Type) int64 { return ops.ConvMACs(in[1], out[0]) }

// MACs counts the products of the definition.
func (op DynamicLinear) MACs(in, out []ops.Type) int64 { return ops.ConvMACs(in[1], out[0]) }

// MACs counts the products of the definition.
func (op TrainedLayer) MACs(in, out []ops.Type) int64 {
	return ops.ConvMACs(in[op.Inputs().W], out[0])
}

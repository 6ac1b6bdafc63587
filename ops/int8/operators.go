package int8

import "github.com/octet-ml/octet/ops"

func init() {
	ops.Register(
		row[AdaptiveAvgPool]("int8.adaptive_avg_pool", nil),
		row[Add]("int8.add", nil),
		row[AvgPool]("int8.avg_pool", nil),
		row("int8.conv", Conv.macs),
		row[Dequantize]("int8.dequantize", nil),
		row("int8.dynamic_linear", DynamicLinear.macs),
		row("int8.linear", Linear.macs),
		row[Min]("int8.min", nil),
		row[Mul]("int8.mul", nil),
		row[Quantize]("int8.quantize", nil),
		row[Table]("int8.table", nil),

		// What training runs, which is not saved.
		row("", DeployedLayer.macs),
		row[LSQ]("", nil),
		row[LSQGrad]("", nil),
		row[StraightThrough]("", nil),
	)
}

// row makes the row of an operator whose products are of int8 values.
func row[T ops.Op](name string, macs func(op T, in, out []ops.Type) int64) ops.Operator {
	r := ops.Row(name, macs)
	r.Int8 = true
	return r
}

func (op Conv) macs(in, out []ops.Type) int64 { return ops.ConvMACs(in[1], out[0]) }

func (op Linear) macs(in, out []ops.Type) int64 { return ops.ConvMACs(in[1], out[0]) }

func (op DynamicLinear) macs(in, out []ops.Type) int64 { return ops.ConvMACs(in[1], out[0]) }

func (op DeployedLayer) macs(in, out []ops.Type) int64 {
	return ops.ConvMACs(in[op.Inputs().W], out[0])
}

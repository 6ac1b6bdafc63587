package ops

import "github.com/octet-ml/octet/tensor"

// PrefixScan is the running sum, or product, along one dimension, as
// torch.cumsum and torch.cumprod compute it. Integers and bool give int64.
type PrefixScan struct {
	Axis    int
	Product bool
}

// Name returns cumsum or cumprod.
func (op PrefixScan) Name() string {
	if op.Product {
		return "cumprod"
	}
	return "cumsum"
}

func (op PrefixScan) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if _, err := lineAxis(op, in, op.Axis); err != nil {
		return nil, err
	}
	if in[0].Q != nil {
		return nil, Errorf(op, in, "quantized values have no float arithmetic: dequantize first")
	}
	out := Type{DType: in[0].DType, Shape: in[0].Shape}
	if !out.DType.IsFloat() {
		out.DType = tensor.Int64
	}
	return fold(op, in, out)
}

func (op PrefixScan) Prepare(p *Prepare) (*Kernel, error) {
	axis, err := lineAxis(op, p.In, op.Axis)
	if err != nil {
		return nil, err
	}
	switch computeType(p.Out[0].DType) {
	case tensor.Float32:
		return lineKernel(p, axis, "rows", cumulativeRow[float32, float64](op.Product)), nil
	case tensor.Float64:
		return lineKernel(p, axis, "rows", cumulativeRow[float64, float64](op.Product)), nil
	}
	return lineKernel(p, axis, "rows", cumulativeRow[int64, int64](op.Product)), nil
}

// cumulativeRow accumulates in A.
func cumulativeRow[W, A compute](product bool) func(w *Worker, dst, src []W) {
	if product {
		return func(_ *Worker, dst, src []W) {
			acc := A(1)
			for i, x := range src {
				acc *= A(x)
				dst[i] = W(acc)
			}
		}
	}
	return func(_ *Worker, dst, src []W) {
		var acc A
		for i, x := range src {
			acc += A(x)
			dst[i] = W(acc)
		}
	}
}

// ChannelsLast moves the axis.
func (op PrefixScan) ChannelsLast(in []Type) (Op, []int, bool) {
	axis, err := in[0].Shape.Axis(op.Axis)
	if err != nil || len(in[0].Shape) < 3 {
		return nil, nil, false
	}
	op.Axis = ChannelsLastAxis(axis, len(in[0].Shape))
	return op, []int{0}, true
}

package exported

import (
	"fmt"

	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/tensor"
)

// integerProducts are the operators that have no form on integers here: they are
// computed in float64, in which sums of all products of int32 that fit it are exact.
var integerProducts = map[string]bool{
	"aten::conv1d": true, "aten::conv2d": true, "aten::conv3d": true, "aten::convolution": true,
	"aten::linear": true, "aten::mm": true, "aten::bmm": true, "aten::addmm": true, "aten::matmul": true,
}

// outDType is out_dtype(operator, dtype, args): the operator with a result of that type, into
// which its integers are converted first. The reference representation of PT2E is written so.
func outDType(c *higherCall) ([]aten.Value, error) {
	if len(c.plain) < 3 {
		return nil, fmt.Errorf("%d arguments", len(c.plain))
	}
	target, _ := c.plain[0].(Operator)
	name := operatorName(string(target))
	dtype, ok := c.plain[1].(ScalarType)
	if name == "" || !ok || dtype.DType() == tensor.Invalid {
		return nil, fmt.Errorf("operator %s, type %v", target, c.plain[1])
	}
	work := dtype.DType()
	if integerProducts[name] {
		work = tensor.Float64
	}
	var args []aten.Value
	for _, a := range c.plain[2:] {
		v, err := c.value(a)
		if err != nil {
			return nil, err
		}
		if t, isTensor := v.(*build.Tensor); isTensor && !t.DType().IsFloat() {
			if v, err = c.castTensor(t, work); err != nil {
				return nil, err
			}
		}
		args = append(args, v)
	}
	v, err := c.Operator(c.at, name, args, nil)
	if err != nil {
		return nil, err
	}
	if t, isTensor := v.(*build.Tensor); isTensor {
		if integerProducts[name] {
			if v, err = c.Dispatch("aten::round", []aten.Value{t}, nil); err != nil {
				return nil, err
			}
			t = v.(*build.Tensor)
		}
		if v, err = c.castTensor(t, dtype.DType()); err != nil {
			return nil, err
		}
	}
	return []aten.Value{v}, nil
}

// castTensor converts the elements of a tensor.
func (r *run) castTensor(t *build.Tensor, d tensor.DType) (aten.Value, error) {
	x, err := r.Read(t)
	if err != nil {
		return nil, err
	}
	if x, err = r.Cast(x, d); err != nil {
		return nil, err
	}
	return build.NewTensor(x), nil
}

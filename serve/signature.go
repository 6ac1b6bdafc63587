package serve

import (
	"fmt"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// describe returns the tensors of a model as the protocol has them.
func describe(ports []graph.Port) ([]oip.TensorMetadata, error) {
	list := make([]oip.TensorMetadata, len(ports))
	for i, p := range ports {
		datatype := oip.DatatypeOf(p.Type.DType)
		if datatype == "" {
			return nil, fmt.Errorf("tensor %q is of %v, which the protocol does not have", p.Name, p.Type.DType)
		}
		list[i] = oip.TensorMetadata{Name: p.Name, Datatype: datatype, Shape: p.Extents()}
	}
	return list, nil
}

// example describes inputs that the model takes, of one sample.
func (i *instance) example() []oip.TensorMetadata {
	list := make([]oip.TensorMetadata, len(i.inputs))
	for k, port := range i.signature.Inputs {
		list[k] = oip.TensorMetadata{Name: port.Name, Datatype: i.inputs[k].Datatype}
		for axis, n := range port.Type.Shape {
			if axis == 0 && i.signature.Batch {
				n = 1
			}
			list[k].Shape = append(list[k].Shape, int64(n))
		}
	}
	return list
}

// formatTensor writes a tensor of a model as "x FP32[-1,3,32,32]".
func formatTensor(t oip.TensorMetadata) string {
	extents := make([]string, len(t.Shape))
	for i, n := range t.Shape {
		extents[i] = fmt.Sprint(n)
	}
	return fmt.Sprintf("%s %s[%s]", t.Name, t.Datatype, strings.Join(extents, ","))
}

func formatTensors(list []oip.TensorMetadata) string {
	texts := make([]string, len(list))
	for i, t := range list {
		texts[i] = formatTensor(t)
	}
	return strings.Join(texts, ", ")
}

// bind returns the inputs of the model in its order, of tensors that a request has by name.
func (i *instance) bind(given []*oip.Tensor) ([]*tensor.Tensor, error) {
	inputs := make([]*tensor.Tensor, len(i.signature.Inputs))
	for _, t := range given {
		k := i.inputIndex(t.Name)
		if k < 0 {
			return nil, invalid("there is no input %s: the model takes %s", quote(t.Name), formatTensors(i.inputs))
		}
		if want := i.inputs[k]; t.Datatype != want.Datatype {
			return nil, invalid("input %s: it is %s where the model takes %s", quote(t.Name), t.Datatype, formatTensor(want))
		}
		inputs[k] = t.Value
	}
	for k, t := range inputs {
		if t == nil {
			return nil, invalid("input %s is missing: the model takes %s", quote(i.inputs[k].Name), formatTensors(i.inputs))
		}
	}
	return inputs, i.check(inputs)
}

// check compares inputs with the signature. Extents that are free are left to the run.
func (i *instance) check(inputs []*tensor.Tensor) error {
	for k, t := range inputs {
		want := i.signature.Inputs[k]
		fits := t.Rank() == len(want.Type.Shape)
		for axis := 0; fits && axis < t.Rank(); axis++ {
			fits = want.Free[axis] || t.Dim(axis) == want.Type.Shape[axis]
		}
		if !fits {
			return invalid("input %s: its shape is %v where the model takes %s", quote(want.Name), t.Shape(), formatTensor(i.inputs[k]))
		}
	}
	return nil
}

func (i *instance) inputIndex(name string) int {
	for k := range i.inputs {
		if i.inputs[k].Name == name {
			return k
		}
	}
	return -1
}

// samples returns how many samples inputs have, 1 for a model without samples.
func (i *instance) samples(inputs []*tensor.Tensor) int {
	if !i.signature.Batch || len(inputs) == 0 || inputs[0].Rank() == 0 {
		return 1
	}
	return inputs[0].Dim(0)
}

// answer makes an answer of outputs, those that the request asks for.
func (i *instance) answer(r *oip.InferRequest, outputs []*tensor.Tensor) ([]*oip.Tensor, error) {
	wanted, err := i.wanted(r)
	if err != nil {
		return nil, err
	}
	list := make([]*oip.Tensor, len(wanted))
	for k, index := range wanted {
		t := oip.NewTensor(i.outputs[index].Name, outputs[index])
		t.Binary = r.WantsBinary(t.Name)
		list[k] = t
	}
	return list, nil
}

// wanted returns the indices of the outputs that a request asks for.
func (i *instance) wanted(r *oip.InferRequest) ([]int, error) {
	if err := isFlag(r.Parameters, oip.BinaryDataOutput); err != nil {
		return nil, err
	}
	if len(r.Outputs) == 0 {
		return i.all, nil
	}
	wanted := make([]int, len(r.Outputs))
	for k, o := range r.Outputs {
		if err := isFlag(o.Parameters, oip.BinaryData); err != nil {
			return nil, err
		}
		if _, ok := o.Parameters["classification"]; ok {
			return nil, invalid("output %s: the parameter classification is not supported: this server has no such extension", quote(o.Name))
		}
		wanted[k] = -1
		for index := range i.outputs {
			if i.outputs[index].Name == o.Name {
				wanted[k] = index
			}
		}
		if wanted[k] < 0 {
			return nil, invalid("there is no output %s: the model gives %s", quote(o.Name), formatTensors(i.outputs))
		}
	}
	return wanted, nil
}

// shown returns the value of a parameter for an error, texts in quotes.
func shown(value any) any {
	if text, ok := value.(string); ok {
		return quote(text)
	}
	return value
}

// isFlag refuses a parameter that is there and neither true nor false.
func isFlag(p oip.Parameters, name string) error {
	if value, ok := p[name]; ok {
		if _, ok = value.(bool); !ok {
			return invalid("parameter %s: it is %v where true or false is needed", name, shown(value))
		}
	}
	return nil
}

// invalid is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func invalid(format string, args ...any) error {
	return &Error{Code: InvalidArgument, Reason: fmt.Sprintf(format, args...)}
}

// quote returns a name that a client gave on one line, and not longer than a name needs.
//
//go:noinline
func quote(name string) string {
	const limit = 100
	if len(name) > limit {
		name = name[:limit] + "..."
	}
	return fmt.Sprintf("%q", name)
}

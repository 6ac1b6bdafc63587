package ops

import (
	"fmt"
	"math"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

var inf = float32(math.Inf(1))

// ShapeError says that an operator does not accept inputs of these types.
type ShapeError struct {
	Op     string
	In     []Type
	Reason string
}

func (e *ShapeError) Error() string {
	types := make([]string, len(e.In))
	for i, t := range e.In {
		types[i] = t.String()
	}
	return fmt.Sprintf("%s does not accept (%s): %s", e.Op, strings.Join(types, ", "), e.Reason)
}

// Errorf returns a ShapeError of op for inputs in.
func Errorf(op Op, in []Type, format string, args ...any) error {
	return &ShapeError{Op: op.Name(), In: in, Reason: fmt.Sprintf(format, args...)}
}

// UnsupportedError says that an operator has no kernel for what is asked.
type UnsupportedError struct {
	Op     string
	Reason string
}

func (e *UnsupportedError) Error() string { return fmt.Sprintf("%s: unsupported: %s", e.Op, e.Reason) }

// arity checks the number of inputs: between lo and hi.
func arity(op Op, in []Type, lo, hi int) error {
	if len(in) < lo || len(in) > hi {
		return Errorf(op, in, "it takes %d to %d inputs, got %d", lo, hi, len(in))
	}
	return nil
}

// floatInputs checks that all inputs are float32.
func floatInputs(op Op, in []Type) error {
	for i, t := range in {
		if t.DType != tensor.Float32 {
			return Errorf(op, in, "input %d must be float32", i)
		}
	}
	return nil
}

// doubleInputs checks that all inputs are float64.
func doubleInputs(op Op, in []Type) error {
	for i, t := range in {
		if t.DType != tensor.Float64 {
			return Errorf(op, in, "input %d must be float64", i)
		}
	}
	return nil
}

// singleOrDouble checks that all inputs are float32, or all float64.
func singleOrDouble(op Op, in []Type) error {
	if in[0].DType == tensor.Float64 {
		return doubleInputs(op, in)
	}
	return floatInputs(op, in)
}

// ValueError says that an operator does not accept the values of an input: an
// index out of range, an integer divided by zero.
type ValueError struct {
	Op     string
	Reason string
}

func (e *ValueError) Error() string { return e.Op + ": " + e.Reason }

package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
)

// Activation is a function fused behind an operator.
type Activation uint8

// The activations. ActReLU and ActReLU6 are clamps, which every kernel that can fuse
// anything applies while it stores; the others follow a matrix multiplication
// while its rows are still in cache.
const (
	NoActivation Activation = iota
	ActReLU
	ActReLU6
	ActGELU
	ActGELUTanh
	ActSiLU
	ActTanh
	ActSigmoid
	ActHardSwish
	ActHardSigmoid
	numActivations
)

// activations describes each activation: its name and its function.
var activations = [numActivations]struct {
	name string
	fn   UnaryFn
}{
	NoActivation:   {name: ""},
	ActReLU:        {"relu", ReLU},
	ActReLU6:       {"relu6", ReLU6},
	ActGELU:        {"gelu", GELU},
	ActGELUTanh:    {"gelu_tanh", GELUTanh},
	ActSiLU:        {"silu", SiLU},
	ActTanh:        {"tanh", Tanh},
	ActSigmoid:     {"sigmoid", Sigmoid},
	ActHardSwish:   {"hardswish", HardSwish},
	ActHardSigmoid: {"hardsigmoid", HardSigmoid},
}

// String returns the name of the function, "" for none.
//
//go:noinline
func (a Activation) String() string {
	if a < numActivations {
		return activations[a].name
	}
	return fmt.Sprintf("Activation(%d)", uint8(a))
}

// MarshalText returns the name, and an error for an activation without one.
func (a Activation) MarshalText() ([]byte, error) {
	if a >= numActivations {
		return nil, fmt.Errorf("%v is not an activation", a)
	}
	return []byte(a.String()), nil
}

// UnmarshalText takes a name that String gives.
func (a *Activation) UnmarshalText(text []byte) error {
	for i := range activations {
		if activations[i].name == string(text) {
			*a = Activation(i)
			return nil
		}
	}
	return fmt.Errorf("unknown activation %q", text)
}

// IsClamp reports whether the activation is none or bounds its operand.
func (a Activation) IsClamp() bool { return a <= ActReLU6 }

// Bounds returns the interval a clamp clamps to; other activations have none.
func (a Activation) Bounds() (lo, hi float32) {
	switch a {
	case ActReLU:
		return 0, inf
	case ActReLU6:
		return 0, 6
	}
	return -inf, inf
}

// AsActivation returns the activation that an operator is, if it is one.
func AsActivation(op Op) (Activation, bool) {
	u, ok := op.(Unary)
	if !ok {
		return NoActivation, false
	}
	for a := ActReLU; a < numActivations; a++ {
		if activations[a].fn == u.Fn {
			return a, true
		}
	}
	return NoActivation, false
}

// checkActivation refuses what is no activation.
func checkActivation(op Op, in []Type, a Activation) error {
	if a >= numActivations {
		return Errorf(op, in, "%v is not an activation", a)
	}
	return nil
}

// CheckClamp refuses an activation that the operator's kernels do not apply.
//
//go:noinline
func CheckClamp(op Op, in []Type, a Activation) error {
	if !a.IsClamp() {
		return Errorf(op, in, "the activation %v is not one that it can be fused with", a)
	}
	return nil
}

// ActivationRows applies an activation to rows that a matrix kernel has just
// stored. The zero value does nothing.
type ActivationRows struct{ kernel *asm.UnaryF32 }

// ActivationAfterClamps returns what is left to do of an activation behind a kernel that clamps.
func ActivationAfterClamps(a Activation, tier asm.Tier) ActivationRows {
	if a.IsClamp() {
		return ActivationRows{}
	}
	fn, _, _, _ := unaryKernel(Unary{Fn: activations[a].fn})
	return ActivationRows{asm.UnaryF32For(fn, tier)}
}

// Run applies it to rows of cols values, stride bytes apart.
func (r ActivationRows) Run(y unsafe.Pointer, rows, cols, stride int) {
	if r.kernel == nil {
		return
	}
	for range rows {
		row := unsafe.Slice((*float32)(y), cols)
		r.kernel.Run(row, row, 0, 0)
		y = unsafe.Add(y, stride)
	}
}

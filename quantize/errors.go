package quantize

import (
	"errors"
	"fmt"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// The causes an ObserverError wraps.
var (
	// ErrNoData: quantization parameters were asked of an observer that saw no value.
	ErrNoData = errors.New("no data was observed")
	// ErrNotFinite: a batch held a NaN or an infinity, for which no range is meaningful.
	ErrNotFinite = errors.New("the data holds a NaN or an infinity")
	// ErrRange: the observed range, or the scale it gives, does not fit a float32.
	ErrRange = errors.New("the observed range does not fit a float32")
	// ErrMismatch: two observers, or an observer and a tensor or state, do not belong together.
	ErrMismatch = errors.New("mismatch")
)

// ObserverError says which observer refused something, and why.
type ObserverError struct {
	Observer string // the name given to the observer: the value it watches
	Kind     Kind
	Err      error
}

func (e *ObserverError) Error() string {
	return fmt.Sprintf("quantize: observer %q (%s): %v", e.Observer, e.Kind, e.Err)
}

// Unwrap returns the cause.
func (e *ObserverError) Unwrap() error { return e.Err }

// SpecError says what is wrong with a Spec.
type SpecError struct {
	Spec   Spec
	Reason string
}

func (e *SpecError) Error() string { return fmt.Sprintf("quantize: bad spec %v: %s", e.Spec, e.Reason) }

// OptionError says which field of Options, or which value a call gave instead of
// it, cannot be used, and why: often a SpecError or ConfigError.
type OptionError struct {
	Field string // of Options: "Activation", "Weight", "Bias", "Dynamic", "Fixed"
	Err   error
}

func (e *OptionError) Error() string { return fmt.Sprintf("quantize: option %s: %v", e.Field, e.Err) }

// Unwrap returns the cause.
func (e *OptionError) Unwrap() error { return e.Err }

// BackendError says that a backend or device is unknown.
type BackendError struct {
	What, Name string
	Known      []string
}

func (e *BackendError) Error() string {
	return fmt.Sprintf("quantize: unknown %s %q: one of %s", e.What, e.Name, strings.Join(e.Known, ", "))
}

// UnknownNameError says that an entry of a Filter matches nothing in the model.
type UnknownNameError struct {
	Field string   // of Filter: "ExcludeNames"
	Name  string   // the entry
	Near  []string // what it may have meant, best first
}

func (e *UnknownNameError) Error() string {
	s := fmt.Sprintf("quantize: %s: %q matches nothing in the model", e.Field, e.Name)
	if len(e.Near) > 0 {
		s += "; did you mean " + strings.Join(e.Near, ", ") + "?"
	}
	return s
}

// QuantizedError is returned for a model that computes in int8 already.
type QuantizedError struct {
	Node *graph.Node // the first operator that does
}

func (e *QuantizedError) Error() string {
	return fmt.Sprintf("the model is int8 already (%s computes %s): quantize the float32 model that it was made from", e.Node.Scope.Path, e.Node.Op.Name())
}

// checkFloat refuses a model of which operators with weights are int8.
func checkFloat(m *graph.Graph) error {
	for _, n := range m.Nodes {
		if ops.WorkOf(n.Op, typesOf(n.Inputs), typesOf(n.Outputs)).Int8MACs > 0 {
			return &QuantizedError{n}
		}
	}
	return nil
}

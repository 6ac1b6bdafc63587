package data

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/metric"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TypeError says that a model does not take arrays of an element type, but would take them in another one.
type TypeError struct {
	Arrays     []string
	Have, Want tensor.DType
	Err        error // what the model said
}

func (e *TypeError) Error() string {
	arrays := "array " + e.Arrays[0] + " is"
	if len(e.Arrays) > 1 {
		arrays = "arrays " + strings.Join(e.Arrays, ", ") + " are"
	}
	return fmt.Sprintf("%v; %s %v where the model takes %v: convert what the file holds", e.Err, arrays, e.Have, e.Want)
}

func (e *TypeError) Unwrap() error { return e.Err }

// Misfit returns the error of a run on samples as a *tensor.FileError of their file, where it says that
// they are not what the model takes, such as images of other channels, or bytes in place of floats; other errors as they are.
// Where another element type would fit, a *BytesError or a *TypeError in it names the array. part names the samples, and may be empty.
func (d *Dataset) Misfit(part string, err error) error {
	if err == nil || !ofInputs(err) {
		return err
	}
	d.mu.Lock()
	b := d.bound
	d.mu.Unlock()
	_, shape := errors.AsType[*ops.ShapeError](err)
	_, input := errors.AsType[*graph.InputError](err)
	if b != nil && b.graph.IsOpen() {
		hint, refused := b.mistyped(err)
		if !refused && !shape && !input {
			return err // it fails for values, or in the run
		}
		err = hint
	} else if !shape && !input {
		return err
	}
	if d.pictures && !is[*BytesError](err) && !is[*TypeError](err) {
		err = &PictureError{d.fields[0], err}
	}
	return &tensor.FileError{File: d.file, Record: part, Reason: "the model does not take these samples" + b.difference(), Err: err}
}

// difference says which arrays have other dimensions than the inputs of the model's file.
func (b *binding) difference() string {
	if b == nil || b.graph.IsOpen() || len(b.inputs) != len(b.graph.Inputs) {
		return ""
	}
	var s strings.Builder
	for i, v := range b.graph.Inputs {
		if a := b.inputs[i]; a.rank() > 0 && (a.rank() != len(v.Type.Shape) || !slices.Equal(a.Shape[1:], v.Type.Shape[1:])) {
			fmt.Fprintf(&s, ": %s is %v, and the model was saved for %s %v%v", a.Name, a, v.Name, v.Type.DType, v.Type.Shape)
		}
	}
	return s.String()
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// ofInputs reports whether other inputs might mend an error.
func ofInputs(err error) bool {
	_, file := errors.AsType[*tensor.FileError](err)
	_, unknown := errors.AsType[*loader.UnknownOperatorError](err)
	_, unsupported := errors.AsType[*loader.UnsupportedError](err)
	_, kernel := errors.AsType[*ops.UnsupportedError](err)
	_, memory := errors.AsType[*graph.MemoryError](err)
	_, limit := errors.AsType[*loader.LimitError](err)
	ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	return !file && !unknown && !unsupported && !kernel && !memory && !limit && !ended
}

// mistyped reports whether the graph refuses inputs of the types that they have. Where it takes one of them in another type, or all
// that have the same type, the error says so.
func (b *binding) mistyped(err error) (hint error, refused bool) {
	own := b.types
	if b.whole || own == nil {
		own = make([]tensor.DType, len(b.inputs))
		for i := range own {
			own[i] = b.inputType(i)
		}
	}
	if b.takes(own) {
		return err, false
	}
	for _, at := range b.alike(own) {
		for _, want := range []tensor.DType{tensor.Float32, tensor.Int64} {
			other := slices.Clone(own)
			var names []string
			for _, i := range at {
				other[i] = want
				names = append(names, b.inputs[i].Name)
			}
			switch have := own[at[0]]; {
			case have == want || !b.takes(other):
			case have == tensor.Uint8 && want == tensor.Float32:
				return &BytesError{Array: strings.Join(names, ", "), Err: err}, true
			default:
				return &TypeError{Arrays: names, Have: b.inputs[at[0]].DType, Want: want, Err: err}, true
			}
		}
	}
	return err, true
}

// alike lists the inputs with dimensions, each for itself and then all of one type.
func (b *binding) alike(types []tensor.DType) [][]int {
	var single, several [][]int
	of := make(map[tensor.DType]int)
	for i, t := range types {
		if b.inputs[i].rank() == 0 {
			continue
		}
		single = append(single, []int{i})
		at, ok := of[t]
		if !ok {
			at = len(several)
			of[t] = at
			several = append(several, nil)
		}
		several[at] = append(several[at], i)
	}
	return append(single, several...)
}

// takes reports whether an open graph takes one sample, or the arrays as they are, in these types.
func (b *binding) takes(types []tensor.DType) bool {
	in := b.sampleTypes(types, 1)
	if b.whole {
		for i, a := range b.inputs {
			in[i].Shape = a.Shape
		}
	}
	_, err := b.graph.Specialize(in...)
	return err == nil
}

// Mislabelled returns an error of a metric, or of a loss, as a *tensor.FileError of the file and the array of labels, where they are of no class or where no
// metric fits them; other errors as they are.
func (d *Dataset) Mislabelled(g *graph.Graph, err error) error {
	_, label := errors.AsType[*metric.LabelError](err)
	misfit, ok := errors.AsType[*metric.Error](err)
	if !label && !(ok && misfit.Metric == "") {
		return err
	}
	b, bound := d.bind(g, false)
	if bound != nil || b.targets == nil {
		return err
	}
	return d.rejected(b.labels, err)
}

// Unnormalized says of mean and std that they are of no use, "" where there are none or where they are used: only bytes are normalized.
func (d *Dataset) Unnormalized(g *graph.Graph, whole bool) string {
	b, err := d.bind(g, whole)
	if err != nil || !b.bytes.given() || b.bytes.byDefault {
		return ""
	}
	var types []string
	for i, a := range b.inputs {
		if a.DType == tensor.Uint8 && b.scales(i) && b.inputType(i) == tensor.Float32 {
			return ""
		}
		types = append(types, fmt.Sprintf("%s is %v", a.Name, a.DType))
	}
	return fmt.Sprintf("mean and std are not used, for they are of bytes that become floats: %s", strings.Join(types, ", "))
}

// PictureError says that a model does not take pictures as they come.
type PictureError struct {
	Picture Field // x
	Err     error // what the model said
}

func (e *PictureError) Error() string {
	return fmt.Sprintf("%v; the pictures are [channels, height, width] %v", e.Err, e.Picture.Shape[1:])
}

func (e *PictureError) Unwrap() error { return e.Err }

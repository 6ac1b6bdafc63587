package graph

import (
	"cmp"
	"fmt"
	"slices"
	"unsafe"

	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/tensor"
)

// fewTensors is up to how many tensors are compared with each other; more are sorted by address, which allocates.
const fewTensors = 32

// checkOverlap returns an error where the memory of an output is that of an input or another output. Inputs that are not
// contiguous are copied before anything is written, so they may lie anywhere.
func checkOverlap(outputs, inputs []*tensor.Tensor) error {
	if len(outputs)+len(inputs) > fewTensors {
		return checkOverlapSorted(outputs, inputs)
	}
	for i, o := range outputs {
		for k, other := range outputs[:i] {
			if overlap(o, other) {
				return &OutputError{i, fmt.Sprintf("it lies in the memory of output %d", k)}
			}
		}
		for k, other := range inputs {
			if overlap(o, other) {
				return &OutputError{i, fmt.Sprintf("it lies in the memory of input %d", k)}
			}
		}
	}
	return nil
}

func overlap(a, b *tensor.Tensor) bool {
	x, y := extentOf(a), extentOf(b)
	return x.size > 0 && y.size > 0 && x.start < y.start+y.size && y.start < x.start+x.size
}

// memoryExtent is where the bytes of a tensor lie.
type memoryExtent struct {
	start, size uintptr
	output      int // -1 of inputs
}

func extentOf(t *tensor.Tensor) memoryExtent {
	data := t.Bytes()
	return memoryExtent{uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)), -1}
}

func checkOverlapSorted(outputs, inputs []*tensor.Tensor) error {
	var all []memoryExtent
	for i, o := range outputs {
		e := extentOf(o)
		e.output = i
		all = append(all, e)
	}
	for _, t := range inputs {
		all = append(all, extentOf(t))
	}
	all = slices.DeleteFunc(all, func(e memoryExtent) bool { return e.size == 0 })
	sorting.Func(all, func(a, b memoryExtent) int { return cmp.Compare(a.start, b.start) })
	var last, lastOutput memoryExtent // those that reach farthest, of all and of outputs
	for _, e := range all {
		before := lastOutput
		if e.output >= 0 {
			before = last
		}
		if before.size > 0 && e.start < before.start+before.size {
			return &OutputError{max(e.output, before.output), "it lies in the memory of an input or of another output"}
		}
		if last.size == 0 || e.start+e.size > last.start+last.size {
			last = e
		}
		if e.output >= 0 && (lastOutput.size == 0 || e.start+e.size > lastOutput.start+lastOutput.size) {
			lastOutput = e
		}
	}
	return nil
}

package graph

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// giveUp gives back the memory of the constants among a step's inputs that its kernel has in a form of its own, and notes which are read
// by runs. It fails where one of them could not be read.
func (p *plan) giveUp(in, repacked []int) error {
	given := 0
	for i, k := range in {
		sl := &p.slots[k]
		if sl.konst == nil {
			continue
		}
		if err := sl.konst.Err(); err != nil {
			return err
		}
		switch {
		case !slices.Contains(repacked, i):
			sl.read = true
		case !sl.derived:
			given += sl.konst.Evict()
		}
	}
	if given > 0 {
		collect()
	}
	return nil
}

// pinConstants keeps the constants in memory that runs read.
func (p *plan) pinConstants() error {
	for i := range p.slots {
		if sl := &p.slots[i]; sl.konst != nil && sl.read {
			if err := sl.konst.Pin(); err != nil {
				return err
			}
		}
	}
	return nil
}

// What may be in memory beyond what is in use, while weights are packed and given up one after the other.
const (
	garbageAllowed = 256 << 10
	garbageShare   = 32 // one part of so many of what is in use
	smallHeap      = 16 << 20
)

// collect frees the memory that was given up, once it is more than a small part of what is in use. The collector by itself waits until it
// is as much. Of a small heap, holes are a large part, and are given back to the system.
func collect() {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(samples)
	objects, live := samples[0].Value.Uint64(), samples[1].Value.Uint64()
	switch {
	case objects <= live+max(garbageAllowed, live/garbageShare):
	case live < smallHeap:
		debug.FreeOSMemory()
	default:
		runtime.GC() // what is packed next takes the memory
	}
}

// leastDerived is the number of bytes from which on a constant is computed again rather than kept until it has been packed.
const leastDerived = 64 << 10

// evalConstants computes what an operator makes of constants. Where the memory of one of those can be given back, so can that of large
// results, which are computed again when they are needed.
func evalConstants(op ops.Op, in ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	out, err := evalRead(op, in)
	if err != nil || !slices.ContainsFunc(in, (*tensor.Tensor).IsEvictable) {
		return out, err
	}
	for i, t := range out {
		if len(t.Bytes()) < leastDerived {
			continue
		}
		d, err := tensor.Derived(t.DType(), t.Shape(), func() (*tensor.Tensor, error) {
			again, err := evalRead(op, in)
			if err != nil {
				return nil, err
			}
			if evictAll(in) > 0 {
				collect()
			}
			return again[i], nil
		})
		if err != nil {
			return nil, err
		}
		out[i] = d.WithQParams(t.QParams())
	}
	if evictAll(in) > 0 {
		collect()
	}
	return out, nil
}

// evalRead computes what an operator makes of constants, and fails where one of them could not be read.
func evalRead(op ops.Op, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	out, err := ops.Eval(op, asm.Generic, nil, slices.Clone(in)...)
	if err != nil {
		return nil, err
	}
	for _, t := range in {
		if err := t.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ReadError returns the error with which reading a constant that nodes or outputs use failed, as a constant of a file that is read on
// demand can; its elements are zeros then.
func (g *Graph) ReadError() error {
	for _, v := range g.Constants() {
		if err := v.Const.Err(); err != nil {
			return fmt.Errorf("graph: constant %q: %w", v.Name, err)
		}
	}
	return nil
}

func evictAll(list []*tensor.Tensor) int {
	n := 0
	for _, t := range list {
		n += t.Evict()
	}
	return n
}

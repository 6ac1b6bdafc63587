package aten

import (
	"errors"
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
)

// PyTorch's generator of random numbers is memory that operators read and write, which no variable names. What is in it is a value of the
// graph, so that random numbers follow each other through branches and loops as in PyTorch, and only in a run.

// errLate says that a branch or loop draws the first random numbers, whose generator must be there before it.
var errLate = errors.New("random numbers in a branch or loop")

// StartGenerator adds the generator as it is when a run begins.
func (m *Evaluator) StartGenerator() error {
	v, err := m.AddOne(ops.ReadGenerator{})
	if err == nil {
		m.random = build.NewTensor(v)
	}
	return err
}

// NeedsGenerator reports whether the program failed since a branch or loop drew the first random numbers: it is to be executed
// again behind StartGenerator.
func (m *Evaluator) NeedsGenerator() bool { return m.late }

// FinishGenerator leaves the generator for the next run.
func (m *Evaluator) FinishGenerator() error {
	if m.random == nil || m.random.Store.Version == 0 {
		return nil
	}
	v, err := m.Read(m.random)
	if err == nil {
		_, err = m.Add(ops.WriteGenerator{}, v)
	}
	return err
}

// generator returns the state of the generator.
func (m *Evaluator) generator() (*build.Tensor, error) {
	switch {
	case m.random != nil:
		return m.random, nil
	case m.journal != nil && m.journal.outer != nil:
		m.late = true
		return nil, errLate
	}
	err := m.StartGenerator()
	return m.random, err
}

// draw returns random numbers in the shape of a tensor.
func (c *call) draw(op ops.Random, like *build.Tensor) *build.Tensor {
	g, err := c.generator()
	if err != nil {
		c.failed(err)
		return c.anything()
	}
	order := c.memoryOrder(like)
	if order != nil {
		op.OneByOne = op.Fn == ops.Normal
		like = c.apply(ops.Permute{Order: order}, like)
	}
	out := c.applyAll(op, g, like)
	if c.Err() == nil {
		c.store(g, out[1])
	}
	if order != nil {
		back := make([]int, len(order))
		for i, o := range order {
			back[o] = i
		}
		return c.apply(ops.Permute{Order: back}, out[0])
	}
	return out[0]
}

// memoryOrder returns the dimensions of a tensor in the order in which PyTorch goes over what it makes like it, nil where that is theirs. As it changes with
// extents of 1, the graph holds for the extents of dimensions that are not in their places.
func (c *call) memoryOrder(t *build.Tensor) []int {
	shape := t.Type().Shape
	order := make([]int, len(shape))
	for i := range order {
		if order[i] = i; shape[i] != 1 && t.Strides[i] == 0 {
			return nil
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return t.Strides[b] - t.Strides[a] })
	for i, o := range order {
		if i != o {
			c.extent(t, o)
		}
	}
	if slices.IsSorted(slices.DeleteFunc(slices.Clone(order), func(i int) bool { return shape[i] == 1 })) {
		return nil // where those of one element are does not matter
	}
	return order
}

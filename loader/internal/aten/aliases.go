package aten

import (
	"fmt"

	"github.com/octet-ml/octet/loader/internal/build"
)

// Branches and loops of a graph give new tensors. Where PyTorch's would share memory with others that the program still has, with variables,
// elements of lists or each other, what is written to one of them later would have to reach the others. Such memory is frozen: a program that
// writes to it is executed once more, for one way through its conditions, where tensors are those of PyTorch.

// freeze makes writes to the memory of a tensor an error.
func (m *Evaluator) freeze(s *build.Storage) {
	if m.frozen == nil {
		m.frozen = make(map[*build.Storage]bool)
	}
	m.frozen[s] = true
}

// freezeAll is freeze of all tensors in a value.
func (m *Evaluator) freezeAll(v Value) {
	leaves, _ := leafList([]Value{v}) // an error is that of a value too large, which whoever made it has had
	for _, leaf := range leaves {
		if t, ok := leaf.(*build.Tensor); ok {
			m.freeze(t.Store)
		}
	}
}

// beforeWrite is called before something is written to memory.
func (m *Evaluator) beforeWrite(s *build.Storage) error {
	if m.frozen[s] {
		return errShared("memory that a branch, a loop or a list of another length shares")
	}
	m.record(s)
	return nil
}

func errShared(what string) error {
	return fmt.Errorf("%w: something is written to %s", build.ErrDataDependent, what)
}

// keep notes that a list of another length has copies of a tensor. An iteration that changes its memory as well would change them all.
func (m *Evaluator) keep(t *build.Tensor) error {
	if m.changing[t.Store] > 0 {
		return errShared("a tensor that iterations append")
	}
	m.freeze(t.Store)
	return nil
}

// merged notes that out is a or b, of two trials.
func (g *merger) merged(out *build.Storage, leaves [2]Value) {
	for k, v := range leaves {
		t, ok := v.(*build.Tensor)
		if !ok || !g.of[k].seen()[t.Store] && !g.from.frozen[t.Store] {
			continue // made by the trial, for nobody else
		}
		g.from.freeze(t.Store)
		g.from.freeze(out)
	}
}

// left notes that results of a loop are what its last iteration, or what stood there before, has as its ends.
func (b *loopBuilder) left(t *trial, starts, ends []Value, results []*build.Storage) {
	count := make(map[*build.Storage]int)
	for _, e := range ends {
		if x, ok := e.(*build.Tensor); ok {
			count[x.Store]++
		}
	}
	for i, e := range ends {
		x, ok := e.(*build.Tensor)
		if !ok || results[i] == nil {
			continue
		}
		own := x.Store == b.stands[i]
		if !own && !t.seen()[x.Store] && !b.frozen[x.Store] && count[x.Store] == 1 {
			continue
		}
		b.freeze(x.Store)
		b.freeze(results[i])
		if start, ok := starts[i].(*build.Tensor); ok && own {
			b.freeze(start.Store)
		}
	}
}

// writes looks at what an iteration wrote to memory that stands for that of others: the memory of a variable that it leaves in place is
// that in front of the loop from now on, of which it returns true. What is replaced as well cannot be followed.
func (b *loopBuilder) writes() (inPlace bool, err error) {
	for i, s := range b.stands {
		if s == nil || s.Version == 0 {
			continue
		}
		name := b.named[i]
		if x, ok := b.Vars[name].(*build.Tensor); name == "" || !ok || x.Store != s {
			return false, errShared("a tensor that iterations replace")
		}
		delete(b.names, name)
		inPlace = true
	}
	return inPlace, nil
}

package nn

import (
	"strconv"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// Linear is torch.nn.Linear.
type Linear struct {
	In, Out int
	NoBias  bool
}

func (Linear) Class() string { return "torch.nn.modules.linear.Linear" }

func (m Linear) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return withBias(c, ops.Linear{HasBias: !m.NoBias}, !m.NoBias, m.Out, x[0], c.Parameter("weight", KaimingNormal, m.Out, m.In))
}

// Embedding is torch.nn.Embedding: rows of a table of Num by Dim.
type Embedding struct {
	Num, Dim int
}

func (Embedding) Class() string { return "torch.nn.modules.sparse.Embedding" }

func (m Embedding) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Embedding{}, c.Parameter("weight", SmallNormal, m.Num, m.Dim), x[0])
}

// Flatten is torch.flatten(x, 1).
type Flatten struct{}

func (Flatten) Class() string { return "torch.nn.modules.flatten.Flatten" }

func (Flatten) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Flatten{Start: 1, End: -1}, x[0])
}

// Identity is torch.nn.Identity.
type Identity struct{}

func (Identity) Class() string { return "torch.nn.modules.linear.Identity" }

func (Identity) Forward(_ *Context, x ...*graph.Value) *graph.Value { return x[0] }

// Sequential is torch.nn.Sequential: its modules in order, named "0", "1", ...
type Sequential []Module

func (Sequential) Class() string { return "torch.nn.modules.container.Sequential" }

func (m Sequential) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := x[0]
	for i, child := range m {
		v = c.Call(strconv.Itoa(i), child, v)
	}
	return v
}

// Child is a module with the name that it has in a Container.
type Child struct {
	Name   string
	Module Module
}

// Container is torch.nn.Sequential of an OrderedDict: its modules in order, by the names they have in the state_dict.
type Container []Child

func (Container) Class() string { return Sequential{}.Class() }

func (m Container) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := x[0]
	for _, child := range m {
		v = c.Call(child.Name, child.Module, v)
	}
	return v
}

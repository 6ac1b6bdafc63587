// Package nn writes architectures in Go with torch.nn's modules, names and
// parameters, and binds the weights of a state_dict to them. The built-in
// architectures are here too.
package nn

import (
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Module is a layer or a composition of layers. Forward adds what the module
// computes to the context's graph and returns the output; it must not keep the context.
type Module interface {
	// Class returns the name of the module's class in PyTorch, such as
	// "torch.nn.modules.conv.Conv2d".
	Class() string
	Forward(c *Context, x ...*graph.Value) *graph.Value
}

// Context is a module's view of the graph under construction. Errors stay in
// it: after the first, what Forward returns has no meaning, and Build reports it.
type Context struct {
	b    *builder
	path string
	cls  string
}

type builder struct {
	graph.Builder
	source source
	params map[string]*graph.Value
}

// source gives the parameters of a model.
type source interface {
	parameter(name string, shape tensor.Shape, init Init) *tensor.Tensor
}

// Init says how a parameter is made when there is no state_dict.
type Init uint8

// The initializations of random models.
const (
	KaimingNormal Init = iota // normal with variance 2/fan_in
	Zeros
	Ones
	SmallNormal // normal with standard deviation 0.02
	RunningMean // what batch norm records: normal with standard deviation 0.1
	RunningVar  // uniform in [0.5, 1.5]
)

// Call runs a child module under the given name.
func (c *Context) Call(name string, m Module, x ...*graph.Value) *graph.Value {
	child := &Context{b: c.b, path: join(c.path, name), cls: m.Class()}
	if c.b.Err() != nil {
		return c.b.Nothing()
	}
	return m.Forward(child, x...)
}

// MultiModule is a module with several outputs, such as LSTM. Forward returns the first of what ForwardAll does.
type MultiModule interface {
	Module
	ForwardAll(c *Context, x ...*graph.Value) []*graph.Value
}

// CallAll is Call of a child module of which all outputs are wanted.
func (c *Context) CallAll(name string, m MultiModule, x ...*graph.Value) []*graph.Value {
	return m.ForwardAll(&Context{b: c.b, path: join(c.path, name), cls: m.Class()}, x...)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Parameter returns the module's parameter or buffer of that name as a constant.
func (c *Context) Parameter(name string, init Init, shape ...int) *graph.Value {
	full := join(c.path, name)
	if v := c.b.params[full]; v != nil {
		return v
	}
	v := c.b.Graph.Const(full, c.b.source.parameter(full, shape, init))
	c.b.params[full] = v
	return v
}

// Apply adds an operator to the graph and returns its first output.
func (c *Context) Apply(op ops.Op, x ...*graph.Value) *graph.Value {
	c.b.Scope = graph.Scope{Path: c.path, Class: c.cls}
	return c.b.Add(op, x...)
}

// ApplyAll adds an operator to the graph and returns its outputs, which are so many.
func (c *Context) ApplyAll(op ops.Op, outputs int, x ...*graph.Value) []*graph.Value {
	c.b.Scope = graph.Scope{Path: c.path, Class: c.cls}
	return c.b.AddAll(op, outputs, x...)
}

// Const adds a constant that is no parameter.
func (c *Context) Const(t *tensor.Tensor) *graph.Value { return c.b.Const(t) }

// Fail makes Build fail with the error, unless it failed before.
func (c *Context) Fail(format string, args ...any) *graph.Value {
	c.b.Fail(fmt.Errorf("%s (%s): %w", c.path, c.cls, fmt.Errorf(format, args...)))
	return c.b.Nothing()
}

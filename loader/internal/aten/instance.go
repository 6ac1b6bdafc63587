package aten

import "slices"

// Class is what values say of the class they belong to, which a program defines.
type Class interface {
	Name() string       // whole, and of this class only
	PublicName() string // as in Python: "torch.nn.modules.conv.Conv2d"
	Fields() []string   // the names of a named tuple's elements
}

// Object is an instance of a class: a module, or another object.
type Object struct {
	Class Class
	ID    int    // of what the file holds
	Path  string // of a module in the tree: "layer1.0.conv1"
	Names []string
	Attrs map[string]Value
}

// NewObject returns an object without attributes.
func NewObject(c Class) *Object { return &Object{Class: c, Attrs: make(map[string]Value)} }

// Set sets an attribute, new ones behind those there are.
//
//go:noinline
func (o *Object) Set(name string, v Value) {
	if _, ok := o.Attrs[name]; !ok {
		o.Names = append(o.Names, name)
	}
	o.Attrs[name] = v
}

// remove removes an attribute.
func (o *Object) remove(name string) {
	delete(o.Attrs, name)
	o.Names = slices.DeleteFunc(o.Names, func(n string) bool { return n == name })
}

// Enum is a member of an enum class.
type Enum struct {
	Class Class
	Name  string
	Value Value
}

// Callable is a function, a method or a class of the program, which are values, too.
type Callable interface {
	// Self returns the object that a method is bound to, nil for others.
	Self() *Object
}

package torchscript

import "slices"

// Class is what values say of the class they belong to, which a program defines.
type Class interface {
	Name() string       // whole, and of this class only
	PublicName() string // as in Python: "torch.nn.modules.conv.Conv2d"
	Fields() []string   // the names of a named tuple's elements
}

// object is an instance of a class: a module, or another object.
type object struct {
	class Class
	id    int    // of what the file holds
	path  string // of a module in the tree: "layer1.0.conv1"
	names []string
	attrs map[string]value
}

// newObject returns an object without attributes.
func newObject(c Class) *object { return &object{class: c, attrs: make(map[string]value)} }

// set sets an attribute, new ones behind those there are.
func (o *object) set(name string, v value) {
	if _, ok := o.attrs[name]; !ok {
		o.names = append(o.names, name)
	}
	o.attrs[name] = v
}

// remove removes an attribute.
func (o *object) remove(name string) {
	delete(o.attrs, name)
	o.names = slices.DeleteFunc(o.names, func(n string) bool { return n == name })
}

// enum is a member of an enum class.
type enum struct {
	class Class
	name  string
	value value
}

// Callable is a function, a method or a class of the program, which are values, too.
type Callable interface {
	// Self returns the object that a method is bound to, nil for others.
	Self() *object
}

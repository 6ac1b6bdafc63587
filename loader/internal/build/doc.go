// Package build holds a graph under construction, and knows nothing of the program
// that it is built from.
//
// A Builder appends nodes. What it knows of their values goes beyond types: an
// extent is a Number, which says what of the inputs it follows from (Deps) and how
// a graph computes it (Term). As long as code only passes a Number along it stays
// open. Where something needs it as a plain int, as Builder.Plain returns it, the
// graph comes to depend on it, and Builder.Guards says so on the inputs: a model
// that never looks at the size of its batch gives one graph for all.
//
// A Tensor is what PyTorch calls one: a reference to a Storage, through Views.
// Builder.Read gives its value as it is now, Builder.Write replaces it, and tensors
// that share the storage see that when they are read next. The graph has no memory,
// only values.
//
// A Region is the graph of a branch or a loop inside the program's. Nodes go to it
// within Builder.In, and values from outside become inputs of it where they are used.
//
// builder.go holds Builder and Region; number.go and scalar.go numbers and how they
// become values; dims.go what the extents of each operator's outputs follow from;
// tensor.go and view.go tensors.
package build

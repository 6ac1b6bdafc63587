// Package torchscript turns what torch.jit.save writes into graphs: it builds
// the tree of modules from the archive's pickles, and executes their code for
// inputs of given types. Everything the types decide is computed on the way:
// control flow, sizes, attributes, lists. What is left are the operators on
// tensors, which become the nodes of a graph.
//
// An operator of the language is one line in a table (table_*.go), which names
// its parameters and the function that lowers it to octet's operators.
//
// A number that follows from the inputs, such as the extent of a dimension, is
// kept together with what it follows from. Only where the graph comes to depend on
// it does it become a plain number, and the graph's guards then say so: a model
// whose code only passes the size of the batch along gives one graph for all.
package torchscript

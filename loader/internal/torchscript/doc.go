// Package torchscript turns what torch.jit.save writes into graphs: it builds
// the tree of modules from the archive's pickles, and executes their code for
// inputs of given types. Everything the types decide is computed on the way:
// control flow, sizes, attributes, lists. What is left are the operators on
// tensors, which become the nodes of a graph.
//
// The package is the language: program.go checks and specializes an archive, code.go and
// object.go are its classes and objects, exec.go its statements, eval.go,
// eval_operator.go and call.go its expressions, scan.go what can be said without
// executing it. The operators, with control flow and the state that a program keeps, are package aten,
// and the graph under construction is package build.
package torchscript

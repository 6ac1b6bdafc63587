// Package exported reads what torch.export.save writes: an archive with a program
// as JSON and with weights. It executes nothing of it: expressions on shapes, which
// PyTorch evaluates as Python, have a parser of their own, names of classes and
// functions stay text, and no pickle is opened but the checked ones of weights.
//
// A program is straight-line code on operators of PyTorch, with graphs as arguments
// of control flow. The schema is torch/_export/serde/schema.py of PyTorch; archives
// of its major version 8 are read, which PyTorch 2.6 to 2.14 write, and 7.
package exported

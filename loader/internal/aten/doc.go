// Package aten is PyTorch's operators as octet computes them, and what else a front
// end needs to run a program made of them: values, control flow, and state. It knows
// no language. TorchScript calls it with the values its expressions give, another
// format with those its file lists.
//
// An operator is one line in a table (table_*.go): its name, its parameters, and the
// function that lowers a call to octet's operators. An Evaluator finds the line for
// the arguments of a call, by position or by name, and evaluates it:
//
//	m := aten.NewEvaluator(table, aten.LatestVersion, nil)
//	x := m.InputTensor(m.Input("x", t), t)
//	y, err := m.Operator(at, "aten::add", []aten.Value{x, int64(1)}, nil)
//
// What is not supported is noted together with its place, gives the value Unknown,
// and the program goes on, so that Evaluator.Unsupported lists everything at once.
//
// Control flow is Go closures (Block) over the variables of a Frame. Where the inputs
// decide a condition, Branch and While execute what it chooses. Where only the run
// does, they execute each part as a trial into a region of its own, undo it, and make what it
// changed the outputs of a graph.If or graph.Loop. For that the evaluator keeps a journal of
// the places that change: variables, storages, lists, dicts, attributes.
//
// State is the part of the journal that outlives a run, the places in what the file
// holds: SetOrigins numbers these, StartJournal begins, Keep describes what changed as a Form,
// and Restore puts it back at the start of the next run.
//
// A lowering sees a call (args.go): its arguments, the graph under construction, and
// the five methods of its interpreter. A language with classes gives the evaluator
// Objects, three methods; others give nil.
//
// operator.go describes the table's lines; value.go and instance.go values; convert.go,
// element.go and arith.go what numbers and lists do; branch.go, loop.go, trial.go,
// merge.go, journal.go and reach.go control flow; state.go state.
package aten

package cli

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// runFlags are those of run.
type runFlags struct {
	source
	samples       dataFlags
	input, output string
	texts         []string
	top, batch    int
	seed          int64
}

func (a *app) runModel() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run MODEL [INPUT] [--output Y.npz] [--top K]",
		Short: "Run a model on arrays of a file, on pictures or on sounds",
		Long: `run gives a model its inputs, and writes its outputs by their names, which are
output0, output1 and so on where the file of the model gives none, bfloat16 as
float32. --top prints the K classes that each sample has the greatest outputs of.

Of an .npz file the model is given the arrays as they are, by their names or else in their
order, bytes as bytes; only where the file has mean and std, as data sets have, or
with --scale-bytes, do bytes become floats. name.0, name.1 and so on are the parts of an input that is a list or a tuple,
name.key those of a dict; an optional input that has no array is None. Arrays in order are the parts of a
tuple, those of a dict as the model reads its keys, and of one list what the other
inputs leave. All other data (see octet help eval) is run in batches, of which no
more than one is in memory.`,
		Example: `  octet run int8.safetensors cat.jpg --top 5
  octet run model.pt --input x.npz --output y.npz
  octet run bert/ --text "a great movie"`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(args); err != nil {
				return err
			}
			return a.runOn(cmd.Context(), args[0], &f)
		},
	}
	s := cmd.Flags()
	f.source.flags(a, cmd)
	s.StringVar(&f.input, "input", "", "the same as INPUT")
	s.StringArrayVar(&f.texts, "text", nil, "print what the model says of this text: its embedding, its labels, or those of its tokens; may be repeated")
	s.StringVar(&f.output, "output", "", "output arrays (.npz)")
	s.IntVar(&f.top, "top", 0, "print so many classes of each sample, the likeliest first")
	s.IntVar(&f.batch, "batch", 16, "samples per run")
	s.Int64Var(&f.seed, "seed", ops.DefaultSeed, "seed of the random numbers that the model draws, as torch.manual_seed")
	f.samples.add(cmd)
	return cmd
}

// check returns a usage error for a command line that makes no sense, and takes INPUT in.
func (f *runFlags) check(args []string) error {
	if len(args) == 2 {
		if f.input != "" {
			return usagef("INPUT and --input are the same: give one of them")
		}
		f.input = args[1]
	}
	switch {
	case len(f.texts) > 0 && (f.input != "" || f.output != ""):
		return usagef("--text prints what the model says of a text: it goes without INPUT and --output, which take texts in a file")
	case f.top < 0:
		return usagef("--top %d: it must be at least 1", f.top)
	case len(f.texts) > 0:
		return nil
	case f.input == "":
		return usagef("give INPUT, or --text for a text model")
	case f.output == "" && f.top == 0:
		return usagef("give --output FILE.npz for what the model computes, or --top K, at least 1, for the likeliest classes")
	case f.batch < 1:
		return usagef("--batch %d: it must be at least 1", f.batch)
	}
	return nil
}

// runOn runs the model at path.
func (a *app) runOn(ctx context.Context, path string, f *runFlags) error {
	if err := a.checkFiles([]fileArg{{"MODEL", path}, {"--input", f.input}}, fileArg{"--output", f.output}); err != nil {
		return err
	}
	if f.samples.model = path; len(f.texts) > 0 {
		return a.runTexts(ctx, path, f)
	}
	if a.limits.exit != nil {
		collectEarly()
		dropProgram()
	}
	g, err := a.openToRun(ctx, path, f.source, loader.RowsOnDemand())
	if err != nil {
		return err
	}
	g, d, err := a.openBound(ctx, f.input, &f.samples, g)
	if err != nil {
		return err
	}
	a.giveBack() // what reading took, which needed other parts of the program than packing
	s, err := a.compile(path, g)
	if err != nil {
		return err
	}
	defer s.Close()
	a.giveBack() // what packing took
	s.Seed(f.seed)
	r := &modelRun{app: a, flags: f, data: d, session: s}
	defer r.outputs.Close()
	if d.IsArrays() {
		err = r.whole(ctx, g)
	} else {
		err = r.inBatches(ctx, g)
	}
	if err != nil {
		return err
	}
	return r.print()
}

// giveBack gives the memory that is no longer used to the system, and the pages of the program, where the process has nothing else to do.
func (a *app) giveBack() {
	if a.limits.exit != nil {
		debug.FreeOSMemory()
		dropProgram()
	}
}

// modelRun is one run of a model on data.
type modelRun struct {
	*app
	flags   *runFlags
	data    *data.Dataset
	session *graph.Session
	outputs tensor.RowWriter
	result  runResult
}

// runResult is the document of run --json.
type runResult struct {
	Outputs []bench.Port `json:"outputs"`
	Top     []topClasses `json:"top,omitempty"`
}

// whole gives the model the arrays as they are.
func (r *modelRun) whole(ctx context.Context, g *graph.Graph) error {
	in, err := r.data.Inputs(g)
	if err != nil {
		return err
	}
	r.sayUnused(r.flags.input, r.data, g, true)
	r.giveBack() // what reading the input took, before the run takes its own
	out, err := r.session.Run(ctx, in...)
	if err != nil {
		return r.data.Misfit("", err)
	}
	r.giveBack() // before outputs are written
	if out, err = withoutBFloat16(out); err != nil {
		return err
	}
	if r.flags.top > 0 {
		if err := r.rank(out[0], 0); err != nil {
			return err
		}
	}
	names := r.session.Graph().OutputNames()
	arrays := make([]tensor.Named, len(out))
	for i, t := range out {
		arrays[i] = tensor.Named{Name: names[i], Tensor: t}
		r.result.Outputs = append(r.result.Outputs, bench.Port{Name: names[i], Type: t.String()})
	}
	if r.flags.output == "" {
		return nil
	}
	return tensor.WriteNPZ(r.flags.output, arrays)
}

// inBatches runs the model on one batch of samples after another.
func (r *modelRun) inBatches(ctx context.Context, g *graph.Graph) error {
	bar := r.progress("running", r.data.Len())
	defer bar.end()
	done := 0
	for in, err := range r.data.Batches(g, r.flags.batch) {
		if err != nil {
			return err
		}
		out, err := r.session.Run(ctx, in...)
		if err != nil {
			return r.data.Misfit(r.data.Place(done), err)
		}
		n := min(data.BatchSize(g, r.flags.batch), r.data.Len()-done)
		if err := r.take(out, n, done); err != nil {
			return err
		}
		done += n
		bar.set(done)
	}
	if r.flags.output == "" {
		return nil
	}
	return r.outputs.WriteNPZ(r.flags.output)
}

// take takes in the outputs of n samples; more fill the batch up.
func (r *modelRun) take(out []*tensor.Tensor, n, first int) error {
	out, err := withoutBFloat16(out)
	if err != nil {
		return err
	}
	for i, t := range out {
		if t.Rank() == 0 || t.Dim(0) < n {
			return &bench.OutputError{Index: i, Output: t, Batch: n}
		}
		if out[i], err = t.Slice(0, 0, n, 1); err != nil {
			return err
		}
	}
	names := r.session.Graph().OutputNames()
	for i, t := range out {
		shape := t.Shape().Clone()
		shape[0] = r.data.Len()
		if first == 0 {
			r.result.Outputs = append(r.result.Outputs, bench.Port{Name: names[i], Type: t.DType().String() + shape.String()})
		}
	}
	if r.flags.top > 0 {
		if err := r.rank(out[0], first); err != nil {
			return err
		}
	}
	if r.flags.output == "" {
		return nil
	}
	return r.outputs.Add(names, out)
}

func withoutBFloat16(out []*tensor.Tensor) ([]*tensor.Tensor, error) {
	for i, t := range out {
		if t.DType() == tensor.BFloat16 { // of which the format has none
			var err error
			if out[i], err = t.To(tensor.Float32); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (r *modelRun) print() error {
	if r.json {
		return r.printJSON(r.result)
	}
	if r.flags.output == "" {
		return nil
	}
	for _, p := range r.result.Outputs {
		if err := r.printf("%s  %s\n", p.Name, p.Type); err != nil {
			return err
		}
	}
	return nil
}

// topClasses are the likeliest classes of a sample.
type topClasses struct {
	Sample  string     `json:"sample"`
	Classes []topClass `json:"classes"`
}

type topClass struct {
	Class int     `json:"class"`
	Name  string  `json:"name,omitempty"`
	Value float32 `json:"value"` // the model's output
}

// rank prints the likeliest classes of samples, or takes them into the document.
func (r *modelRun) rank(out *tensor.Tensor, first int) error {
	if out.Rank() != 2 || out.DType() != tensor.Float32 || out.Dim(1) == 0 {
		return usagef("--top: the first output is %v where [samples, classes] is needed", out)
	}
	info, err := r.flags.samples.complete(r.app, infoOf(r.session.Graph()))
	if err != nil {
		return err
	}
	names := info.Labels
	if names == nil {
		names = r.data.Classes()
	}
	n := min(r.flags.top, out.Dim(1))
	values, indices, err := tensor.TopK(out, n)
	if err != nil {
		return err
	}
	for i := range out.Dim(0) {
		top := topClasses{Sample: r.data.Place(first + i)}
		line := top.Sample + ":"
		for k := i * n; k < (i+1)*n; k++ {
			c := topClass{Class: int(indices.Int64s()[k]), Value: values.Float32s()[k]}
			name := fmt.Sprintf("class %d", c.Class)
			if c.Class < len(names) {
				name, c.Name = names[c.Class], names[c.Class]
			}
			line += fmt.Sprintf("  %s %.4f", name, c.Value)
			top.Classes = append(top.Classes, c)
		}
		if r.json {
			r.result.Top = append(r.result.Top, top)
		} else if err := r.printf("%s\n", line); err != nil {
			return err
		}
	}
	return nil
}

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/table"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
)

func (a *app) inspect() *cobra.Command {
	var v view
	cmd := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "Show what is in a model file",
		Long: `inspect shows the format of a file, its modules, parameters, operators and
multiply-accumulates (MACs), and for an int8 model what computes in float32 all
the same; --plan also names layers that are probably slower in int8 on this CPU. Of a file with weights only, it lists the tensors; --arch gives it a graph.
TorchScript does not say the shapes of inputs: without --shape its modules and the
operators of its source are shown, with it the graph that is made of them. A program
of torch.export does: its inputs are shown with the bounds of their extents, and its
graph for the shapes of the example that it was exported with. Of a folder of Hugging
Face, family, task, pooling and tokenizer are shown beside the graph.`,
		Example: `  octet inspect model.pt2
  octet inspect traced.pt --shape 1x3x224x224 --plan
  octet inspect all-MiniLM-L6-v2
  octet inspect resnet18.pth --arch resnet18 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := a.inspectFile(cmd.Context(), args[0], v)
			if err != nil {
				return err
			}
			if err := a.printInspect(r); err != nil {
				return err
			}
			return r.unsupported
		},
	}
	v.flags(a, cmd)
	shapeFlag(cmd, &v.shape)
	cmd.Flags().BoolVar(&v.plan, "plan", false, "show the kernel chosen for each layer")
	cmd.Flags().BoolVar(&v.code, "code", false, "show the graph")
	return cmd
}

// view says what of a file is shown.
type view struct {
	source
	shape      string
	plan, code bool
}

func (a *app) inspectFile(ctx context.Context, path string, v view) (*inspectResult, error) {
	options := a.loaderOptions(ctx, v.source)
	if !a.mmap {
		options = append(options, loader.OnDemand()) // what is shown needs few of the weights
	}
	f, err := loader.Open(path, options...)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	format, err := f.Format()
	if err != nil {
		return nil, err
	}
	types, err := parseShapes(v.shape)
	if err != nil {
		return nil, err
	}
	r := &inspectResult{File: path, Format: string(format), Bytes: f.Size()}
	folder, err := f.TextModel()
	if err != nil {
		return nil, err
	}
	if folder != nil {
		r.Format = "folder of Hugging Face, " + r.Format
	}
	if v.arch == "" && folder == nil && !format.HasGraph() {
		if r.Tensors, err = listTensors(f); err == nil && (v.plan || v.code || types != nil) {
			return nil, usagef("%s holds weights only: --plan, --code and --shape need --arch", path)
		}
		return r, err
	}
	var modules []bench.Module
	if v.arch == "" && format == loader.FormatTorchScript {
		if v.plan || v.code {
			if types == nil {
				return nil, usagef("%s does not say the shapes of its inputs: --plan and --code need --shape", path)
			}
		}
		d, err := f.Describe()
		if err != nil {
			return nil, err
		}
		r.describe(d)
		if types == nil {
			return r, nil
		}
		modules = ownModules(d)
	}
	if v.arch == "" && format == loader.FormatExported {
		if r.Program, err = f.DescribeExported(); err != nil {
			return nil, err
		}
		if len(r.Program.Unknown) > 0 {
			for _, o := range r.Program.Unknown {
				r.Unsupported = append(r.Unsupported, unsupportedUse{o.Name, o.Count, o.Lines})
			}
			r.unsupported = fmt.Errorf("%s: %w", path, &loader.UnsupportedError{Operators: r.Program.Unknown})
			return r, nil
		}
	}
	return r, a.inspectGraph(r, f, path, v, types, modules)
}

// inspectGraph adds what is known of the graph of a model.
func (a *app) inspectGraph(r *inspectResult, f *loader.File, path string, v view, types []ops.Type, modules []bench.Module) error {
	g, err := buildModel(f, v.source)
	if err != nil {
		return err
	}
	if types != nil && !g.IsOpen() {
		a.say("%s says the shapes of its inputs: --shape is not used", path)
	}
	info := g.Info // which what is specialized has not
	if g, err = specialize(g, types); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if r.Info = info; info != nil {
		if r.Text, err = summarizeText(path, info); err != nil {
			return err
		}
	}
	if r.Graph, err = bench.Summarize(g, modules); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if v.code {
		r.Code = g.String()
	}
	if v.plan {
		s, err := g.Compile(a.options())
		if err != nil {
			return err
		}
		defer s.Close()
		r.Plan, r.Warnings = s.Plan(), s.Warnings()
		r.ArenaBytes, r.PackedBytes = s.ArenaBytes(), s.PackedBytes()
	}
	return nil
}

// describe adds what a TorchScript file says.
func (r *inspectResult) describe(d *loader.Description) {
	s := &bench.Summary{Tree: bench.SumParameters(ownModules(d))}
	r.Methods = d.Methods
	for _, in := range d.Inputs {
		t := in.Type
		if in.Optional {
			t += ", optional"
		}
		s.Inputs = append(s.Inputs, bench.Port{Name: in.Name, Type: t})
	}
	for _, m := range d.Modules {
		s.Parameters += m.Parameters
		s.ParameterBytes += m.Bytes
	}
	for _, o := range d.Operators {
		s.Operators = append(s.Operators, bench.Operator{Name: o.Name, Count: o.Count})
	}
	s.Modules = bench.CountClasses(s.Tree)
	r.Graph = s
	for _, o := range d.Unknown {
		r.Unsupported = append(r.Unsupported, unsupportedUse{o.Name, o.Count, o.Lines})
	}
}

func ownModules(d *loader.Description) []bench.Module {
	list := make([]bench.Module, len(d.Modules))
	for i, m := range d.Modules {
		list[i] = bench.Module{Path: m.Path, Class: m.Class, Parameters: m.Parameters}
	}
	return list
}

// inspectResult is the document of inspect --json.
type inspectResult struct {
	File   string `json:"file"`
	Format string `json:"format"`
	Bytes  int64  `json:"bytes"`
	// Program is what is known of an exported program.
	Program *loader.ExportedDescription `json:"program,omitempty"`
	// Info is what a model of octet's own says of itself.
	Info *graph.Info `json:"info,omitempty"`
	// Text is what a model of texts says of them.
	Text        *textSummary   `json:"text,omitempty"`
	Graph       *bench.Summary `json:"graph,omitempty"`
	Tensors     []bench.Port   `json:"tensors,omitempty"`
	Plan        string         `json:"plan,omitempty"`
	Warnings    []string       `json:"warnings,omitempty"`     // with the plan: layers that are probably slower in int8 than in float32
	ArenaBytes  int            `json:"arena_bytes,omitempty"`  // with the plan: activations and scratch of one run
	PackedBytes int            `json:"packed_bytes,omitempty"` // with the plan: weights in the order of the kernels
	Code        string         `json:"code,omitempty"`
	// Methods are those of a TorchScript module.
	Methods []string `json:"methods,omitempty"`
	// Unsupported lists the operators of a program that octet does not have.
	Unsupported []unsupportedUse `json:"unsupported,omitempty"`

	unsupported error // of a program that cannot run
}

// unsupportedUse is an operator, and the lines or nodes that use it.
type unsupportedUse struct {
	Name  string   `json:"name"`
	Count int      `json:"count"`
	Lines []string `json:"lines"`
}

func listTensors(f *loader.File) ([]bench.Port, error) {
	sd, err := f.StateDict()
	if err != nil {
		return nil, err
	}
	var tensors []bench.Port
	for name, t := range sd.All() {
		tensors = append(tensors, bench.Port{Name: name, Type: t.String()})
	}
	return tensors, nil
}

func (a *app) printInspect(r *inspectResult) error {
	if a.json {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.out, "%s: %s, %d bytes\n", r.File, r.Format, r.Bytes)
	if r.Info != nil {
		for _, line := range describeInfo(r.Info) {
			fmt.Fprintln(a.out, line)
		}
	}
	if r.Text != nil {
		for _, line := range r.Text.lines() {
			fmt.Fprintln(a.out, line)
		}
	}
	if r.Program != nil {
		if err := printProgram(a.out, r.Program); err != nil {
			return err
		}
	}
	if len(r.Methods) > 1 {
		fmt.Fprintf(a.out, "methods     %s (--method)\n", strings.Join(r.Methods, ", "))
	}
	if r.Graph != nil {
		if err := printSummary(a.out, r.Graph); err != nil {
			return err
		}
	} else if r.Program == nil {
		if err := printPorts(a.out, fmt.Sprintf("%d tensors", len(r.Tensors)), r.Tensors); err != nil {
			return err
		}
	}
	if len(r.Unsupported) > 0 {
		if err := printUnsupported(a.out, r.Unsupported); err != nil {
			return err
		}
	}
	if r.Plan != "" {
		fmt.Fprintf(a.out, "\nplan (%.2f MB for activations and scratch, %.2f MB of packed weights)\n%s", float64(r.ArenaBytes)/(1<<20), float64(r.PackedBytes)/(1<<20), r.Plan)
	}
	for i, w := range r.Warnings {
		if i == 0 {
			fmt.Fprintln(a.out, "\nwarnings")
		}
		fmt.Fprintf(a.out, "%s\n", w)
	}
	if r.Code != "" {
		fmt.Fprintf(a.out, "\n%s", r.Code)
	}
	return nil
}

func printPorts(w io.Writer, title string, ports []bench.Port) error {
	t := table.NewWriter(w, 0)
	fmt.Fprintln(t, title)
	for _, p := range ports {
		fmt.Fprintf(t, "  %s\t%s\n", p.Name, p.Type)
	}
	return t.Flush()
}

func printSummary(w io.Writer, s *bench.Summary) error {
	if s.Precision != "" {
		fmt.Fprintf(w, "precision   %s\n", s.Precision)
	}
	fmt.Fprintf(w, "parameters  %d (%.2f MB)\n", s.Parameters, float64(s.ParameterBytes)/(1<<20))
	if s.Precision != "" {
		fmt.Fprintf(w, "MACs        %.1f M", float64(s.MACs)/1e6)
		if s.Int8MACs > 0 {
			fmt.Fprintf(w, ", %.2f %% int8", 100*float64(s.Int8MACs)/float64(s.MACs))
		}
		fmt.Fprintln(w)
	}
	if err := printPorts(w, "\ninputs", s.Inputs); err != nil {
		return err
	}
	if len(s.Outputs) > 0 {
		if err := printPorts(w, "outputs", s.Outputs); err != nil {
			return err
		}
	}
	if err := printTree(w, s.Tree, s.Precision != ""); err != nil {
		return err
	}
	t := table.NewWriter(w, 0)
	fmt.Fprintln(t, "\nclass\tcount")
	for _, m := range s.Modules {
		fmt.Fprintf(t, "%s\t%d\n", className(m.Name), m.Count)
	}
	if s.Precision != "" {
		fmt.Fprintln(t, "\noperator\tcount\tM MACs")
		for _, o := range s.Operators {
			fmt.Fprintf(t, "%s\t%d\t%.2f\n", o.Name, o.Count, float64(o.MACs)/1e6)
		}
	} else {
		fmt.Fprintln(t, "\noperator\tcount")
		for _, o := range s.Operators {
			fmt.Fprintf(t, "%s\t%d\n", o.Name, o.Count)
		}
	}
	if len(s.Float) > 0 {
		fmt.Fprintln(t, "\nin float32\toperator\twhy")
		for _, f := range s.Float {
			fmt.Fprintf(t, "%s\t%s\t%s\n", f.Name, f.Op, f.Why)
		}
	}
	return t.Flush()
}

// printTree prints modules with those inside them indented, and what is computed
// in each where that is known.
func printTree(w io.Writer, modules []bench.Module, computed bool) error {
	t := table.NewWriter(w, 0)
	fmt.Fprint(t, "\nmodule\tclass\tparameters")
	if computed {
		fmt.Fprint(t, "\tM MACs\toutput")
	}
	fmt.Fprintln(t)
	for _, m := range modules {
		name := m.Name()
		if m.Path == "" {
			name = "(model)"
		}
		fmt.Fprintf(t, "%s%s\t%s\t%d", strings.Repeat("  ", m.Depth()), name, className(m.Class), m.Parameters)
		if computed {
			fmt.Fprintf(t, "\t%.2f\t%s", float64(m.MACs)/1e6, m.Output)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// className shortens the name of a class of PyTorch.
func className(name string) string { return strings.TrimPrefix(name, "torch.nn.modules.") }

func printUnsupported(w io.Writer, list []unsupportedUse) error {
	t := table.NewWriter(w, 0)
	fmt.Fprintln(t, "\nnot supported\tcount\tat")
	for _, u := range list {
		fmt.Fprintf(t, "%s\t%d\t%s\n", u.Name, u.Count, strings.Join(u.Lines, ", "))
	}
	return t.Flush()
}

package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/internal/finitejson"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops/asm"
)

// app is what all commands share: where they write, and the common flags.
type app struct {
	out, err *plainWriter // for people
	// What the two write to: documents and files go there as they are.
	stdout, stderr io.Writer

	name          string
	architectures []nn.Architecture // of one's own

	threads   []int
	cpu       string
	maxPacked float64
	json      bool
	mmap      bool
	quiet     bool
	color     string
	limits    limits

	tier    asm.Tier
	args    []string
	started bool // the command line was understood
	opened  []io.Closer
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return newApp(stdout, stderr).run(ctx, args)
}

func newApp(stdout, stderr io.Writer) *app {
	return &app{name: "octet", out: newPlainWriter(stdout), err: newPlainWriter(stderr), stdout: stdout, stderr: stderr}
}

func (a *app) run(ctx context.Context, args []string) int {
	a.args = args
	root := a.command()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.err)
	refuseNames(root)
	cmd, err := root.ExecuteContextC(ctx)
	for _, f := range a.opened {
		_ = f.Close() // files that were read
	}
	if err != nil && !a.started {
		err = &usageError{err}
	}
	if exitCode(err) == exitUsage {
		err = a.adviseValue(cmd, err)
	}
	if cmd.Context() != nil {
		ctx = cmd.Context() // with the end that --timeout gives it
	}
	return a.complain(ctx, err)
}

// complain says why a command failed and returns its exit code.
func (a *app) complain(ctx context.Context, err error) int {
	code := exitCode(err)
	if err == nil {
		return code
	}
	a.err.paint(red, a.name+":")
	fmt.Fprintln(a.err, "", a.limits.explain(ctx, adviseData(err)))
	if code == exitUsage && ctx.Err() == nil {
		fmt.Fprintf(a.err, "Run \"%[1]s help\" or \"%[1]s help COMMAND\".\n", a.name)
	}
	return code
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:     a.name,
		Version: loader.Version(),
		Short:   "Run and quantize models that PyTorch saved",
		Long: `octet runs models that PyTorch saved, in float32 or int8, and makes int8 models
of float32 ones. MODEL is a TorchScript file, a program of torch.export,
a folder of Hugging Face, an octet safetensors file, or a state_dict with --arch.

On a terminal, tables are cut to its width: a pipe or --json has everything.

Exit codes: 0 ok, 1 failed, 2 usage, 3 file rejected, 4 unsupported operator,
5 accuracy target missed.`,
		Example: `  octet demo
  octet quantize traced.pt --calib pictures/ --size 256 --crop 224 -o int8.safetensors
  octet run int8.safetensors cat.jpg --top 5`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.setColor(); err != nil {
				return err
			}
			if len(a.threads) > 1 && cmd.Name() != "bench" {
				return fmt.Errorf("--threads takes one number here")
			}
			for _, n := range a.threads {
				if n < 1 || n > 1024 {
					return fmt.Errorf("--threads %d: it must be 1 to 1024", n)
				}
			}
			var err error
			if a.tier, err = asm.Resolve(a.cpu); err != nil {
				return err
			}
			if cmd.Flags().Changed("max-packed") && !(a.maxPacked >= 1) {
				return fmt.Errorf("--max-packed %v: it must be at least 1", a.maxPacked)
			}
			return a.limits.set(cmd)
		},
	}
	root.SetFlagErrorFunc(adviseFlag)
	flags := root.PersistentFlags()
	flags.IntSliceVar(&a.threads, "threads", nil, "number of threads (default: one per fast core); bench takes a list")
	flags.StringVar(&a.cpu, "cpu", "", "CPU tier to use (default: $OCTET_CPU, else the best; see octet cpu)")
	flags.Float64Var(&a.maxPacked, "max-packed", 0, "packed weights of a layer over its weights, at most, in bytes: 1 forgoes float32 Winograd, which takes up to 4 times as many (default: no bound)")
	flags.BoolVar(&a.json, "json", false, "print one JSON document on stdout")
	flags.BoolVar(&a.mmap, "mmap", false, "map the weights of an octet file into memory instead of reading them: nobody may change or shorten the file meanwhile")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "say nothing on stderr but errors")
	flags.StringVar(&a.color, "color", colorAuto, "color for people: auto (on a terminal, unless NO_COLOR is set), always or never")
	a.limits.add(root)
	root.AddCommand(a.demo(), a.inspect(), a.convert(), a.compare(), a.verify(), a.export(), a.quantize(), a.tune(), a.qat(), a.eval(), a.runModel(), a.serve(), a.bench(), a.reports(), a.cpuInfo())
	nameArguments(root)
	completeValues(root, a.flagValues())
	a.wrapHelp(root)
	a.markStart(root)
	return root
}

// markStart notes, when a command of those below root runs, that its command
// line was understood.
func (a *app) markStart(root *cobra.Command) {
	for _, c := range root.Commands() {
		if body := c.RunE; body != nil {
			c.RunE = func(cmd *cobra.Command, args []string) error {
				a.started = true
				if a.limits.exit != nil {
					done := make(chan struct{})
					defer close(done)
					go a.limits.enforce(cmd.Context(), done, func(err error) { a.limits.exit(a.complain(cmd.Context(), err)) })
				}
				return body(cmd, args)
			}
		}
		a.markStart(c)
	}
}

// options returns how to compile a model by the common flags.
func (a *app) options() graph.Options {
	opts := graph.Options{CPU: a.cpu, MaxMemory: a.limits.maxMemory, MaxPacked: a.maxPacked}
	if len(a.threads) > 0 {
		opts.Threads = a.threads[0]
	}
	return opts
}

// printJSON writes the document of a command to stdout; what is no finite number is null.
func (a *app) printJSON(v any) error {
	return finitejson.Write(a.stdout, v)
}

// printf writes to stdout.
func (a *app) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(a.out, format, args...)
	return err
}

// note says what is being done, on a terminal only.
func (a *app) note(format string, args ...any) {
	if a.onTerminal() {
		a.say(format, args...)
	}
}

// say writes a line for people to stderr, unless they want none.
// It is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.err, format+"\n", args...)
	}
}

// onTerminal reports whether stderr is a terminal of somebody who wants to know what is going on.
func (a *app) onTerminal() bool { return a.err.width > 0 && !a.quiet }

// require makes flags obligatory. It fails only for a flag that the command
// lacks, and then running it without the flag is no usage error, which tests show.
func require(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		_ = cmd.MarkFlagRequired(name)
	}
}

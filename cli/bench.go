package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
)

// serverFlags are those that only a server has a use for, beside --url.
var serverFlags = append([]string{"model-version", "rate", "seed", "max-in-flight", "requests", "data", "json-tensors", "no-metadata", "token-file", "request-timeout"}, dataFlagNames...)

func (a *app) bench() *cobra.Command {
	var from source
	var shape, format string
	var sweep bench.Sweep
	var server serverBench
	cmd := &cobra.Command{
		Use:   "bench [MODEL...]",
		Short: "Measure latency, and its share of what the machine can do",
		Long: `bench measures models in every combination of --precision, --threads and
--batch. Without MODEL it measures --arch with random weights. A float model
measured as int8 is calibrated on random inputs: right for speed, not for accuracy.
With float32 beside int8, layers that are slower in int8 on this CPU are named.
A TorchScript file does not say the shapes of its inputs: without --shape, usual
ones are tried, images of 224x224 and sentences of 128 tokens, and the one used is named.

With --url it measures a server of the Open Inference Protocol: throughput, latency
and statuses, in a closed loop of --clients or an open one at a --rate.`,
		Example: `  octet bench traced.pt --shape 1x3x224x224 --precision float32,int8 --threads 1,2
  octet bench int8.safetensors --clients 4 --duration 30s --json
  octet bench --arch resnet18 --shape 1x3x224x224 --format go
  octet bench --url http://127.0.0.1:8080 resnet18 --rate 200`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := server.check(cmd, args, &sweep); err != nil {
				return err
			}
			if cmd.Flags().Changed("warmup") {
				sweep.Warmup = max(sweep.Warmup, 1) // the first run makes the outputs of the others
			}
			if server.url != "" {
				shapes, err := parseShapes(shape)
				if err != nil {
					return err
				}
				return a.benchServer(cmd.Context(), &server, args, shapes, append(sweep.Batches, 1)[0])
			}
			if a.json && cmd.Flags().Changed("format") {
				return usagef("--json and --format exclude each other")
			}
			return a.benchLocal(cmd.Context(), &sweep, args, from, shape, format)
		},
	}
	f := cmd.Flags()
	from.flags(a, cmd)
	server.flags(cmd)
	f.StringSliceVar(&sweep.Precisions, "precision", nil, "precisions to measure: float32, int8, int8-dynamic (default: the model's)")
	f.IntSliceVar(&sweep.Batches, "batch", nil, "batch sizes to measure (default: 1, or that of --shape)")
	shapeFlag(cmd, &shape)
	f.IntVar(&sweep.Runs, "runs", 0, "measured runs (default: about two seconds)")
	f.DurationVar(&sweep.Duration, "duration", 0, "how long to measure, such as 30s; with --url how long requests are sent (default 10s, unless --requests)")
	f.IntVar(&sweep.Warmup, "warmup", 0, "runs before, which do not count (default: 300 ms); with --url requests (default 10)")
	f.IntVar(&sweep.Clients, "clients", 0, "runs at a time, of one session; with --url clients of a closed loop, each with one request at a time (default 1)")
	f.BoolVar(&sweep.Profile, "profile", false, "show each layer too, the slowest first")
	pairSafeFlag(cmd, &sweep.PairSafe)
	f.StringVar(&format, "format", "table", "table, or go: for benchstat")
	return cmd
}

// benchLocal measures models in this process.
func (a *app) benchLocal(ctx context.Context, sweep *bench.Sweep, args []string, from source, shape, format string) error {
	models, err := a.benchModels(ctx, args, from)
	if err != nil {
		return err
	}
	if sweep.Inputs, err = parseShapes(shape); err != nil {
		return err
	}
	if format != "table" && format != "go" {
		return usagef("--format %q: use table or go", format)
	}
	sweep.Threads, sweep.CPU, sweep.MaxMemory, sweep.MaxPacked = a.threads, a.cpu, a.limits.maxMemory, a.maxPacked
	if a.onTerminal() {
		sweep.Progress = func(what string) { a.say("%s", what) }
	}
	if err := sweep.Validate(); err != nil {
		return &usageError{err}
	}
	if len(args) == 0 {
		a.say("%s with random weights", from.arch)
	}
	limits := &measuredLimits{of: bench.LimitsOf(a.tier)}
	report := bench.Measurements{CPU: bench.DescribeCPU(a.tier)}
	for _, m := range models {
		if err := sweep.Run(ctx, m, limits.get, func(r bench.Result) { report.Results = append(report.Results, r) }); err != nil {
			if errors.Is(err, graph.ErrOpen) {
				return usagef("%s does not say the shapes of its inputs, and takes none of the usual ones: give --shape", m.Name)
			}
			return misshapen(sweep.Inputs, err)
		}
	}
	report.CPU.Limits = limits.list
	report.CompareLayers()
	a.sayNotes(report.Results)
	switch {
	case a.json:
		return a.printJSON(report)
	case format == "go":
		return report.WriteGo(a.out)
	}
	return report.WriteTable(a.out)
}

// benchModels returns the named models, or the architecture with random weights.
func (a *app) benchModels(ctx context.Context, paths []string, from source) ([]bench.Model, error) {
	if len(paths) > 0 {
		models := make([]bench.Model, len(paths))
		for i, p := range paths {
			if _, err := os.Stat(p); err != nil { // before the machine is measured
				return nil, err
			}
			models[i] = bench.Model{Name: filepath.Base(p), Open: func() (*graph.Graph, error) { return a.openToRun(ctx, p, from, loader.OnDemand()) }}
		}
		return models, nil
	}
	if from.arch == "" {
		return nil, usagef("name a MODEL, or an architecture with --arch")
	}
	built, err := from.architecture()
	if err != nil {
		return nil, err
	}
	return []bench.Model{{Name: from.arch, Open: func() (*graph.Graph, error) { return nn.BuildRandom(built, 1) }}}, nil
}

// measuredLimits keeps the limits that were measured, for the report.
type measuredLimits struct {
	of   func(threads int) bench.Limits
	list []bench.Limits
}

func (m *measuredLimits) get(threads int) bench.Limits {
	l := m.of(threads)
	for _, k := range m.list {
		if k.Threads == l.Threads {
			return l
		}
	}
	m.list = append(m.list, l)
	return l
}

// sayNotes prints what there is to say about the results, each thing once.
func (a *app) sayNotes(results []bench.Result) {
	said := make(map[string]bool)
	for _, r := range results {
		for _, n := range r.Notes {
			line := fmt.Sprintf("%s, %s: %s", r.Model, r.Precision, n)
			if strings.Contains(n, "does not say the shapes") {
				line += " (--shape gives another)"
			}
			if !said[line] {
				a.say("%s", line)
			}
			said[line] = true
		}
	}
}

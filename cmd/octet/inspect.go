package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/loader"
)

func (a *app) inspect() *cobra.Command {
	var arch string
	var plan, code bool
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what is in a model file",
		Long: `inspect shows the format of a file, its modules, parameters, operators and
multiply-accumulates (MACs), and for an int8 model what computes in float32 all
the same. Of a file with weights only, it lists the tensors; --arch gives it a graph.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			format, err := loader.Detect(args[0])
			if err != nil {
				return err
			}
			info, err := os.Stat(args[0])
			if err != nil {
				return err
			}
			r := inspectResult{File: args[0], Format: string(format), Bytes: info.Size()}
			if arch == "" && !format.HasGraph() {
				if plan || code {
					return usagef("%s holds weights only: --plan and --code need --arch", args[0])
				}
				if r.Tensors, err = listTensors(args[0]); err != nil {
					return err
				}
				return a.printInspect(r)
			}
			g, err := openModel(args[0], arch)
			if err != nil {
				return err
			}
			if r.Graph, err = bench.Summarize(g); err != nil {
				return err
			}
			if code {
				r.Code = g.String()
			}
			if plan {
				s, err := g.Compile(a.options())
				if err != nil {
					return err
				}
				defer s.Close()
				r.Plan = s.Plan()
				r.ArenaBytes = s.ArenaBytes()
			}
			return a.printInspect(r)
		},
	}
	archFlag(cmd, &arch)
	cmd.Flags().BoolVar(&plan, "plan", false, "show the kernel chosen for each layer")
	cmd.Flags().BoolVar(&code, "code", false, "show the graph")
	return cmd
}

// inspectResult is the document of inspect --json.
type inspectResult struct {
	File       string         `json:"file"`
	Format     string         `json:"format"`
	Bytes      int64          `json:"bytes"`
	Graph      *bench.Summary `json:"graph,omitempty"`
	Tensors    []bench.Port   `json:"tensors,omitempty"`
	Plan       string         `json:"plan,omitempty"`
	ArenaBytes int            `json:"arena_bytes,omitempty"` // with the plan: activations and scratch of one run
	Code       string         `json:"code,omitempty"`
}

func listTensors(path string) ([]bench.Port, error) {
	sd, err := loader.StateDict(path)
	if err != nil {
		return nil, err
	}
	var tensors []bench.Port
	for name, t := range sd.All() {
		tensors = append(tensors, bench.Port{Name: name, Type: t.String()})
	}
	return tensors, nil
}

func (a *app) printInspect(r inspectResult) error {
	if a.json {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.out, "%s: %s, %d bytes\n", r.File, r.Format, r.Bytes)
	if r.Graph != nil {
		if err := printSummary(a.out, r.Graph); err != nil {
			return err
		}
	} else if err := printPorts(a.out, fmt.Sprintf("%d tensors", len(r.Tensors)), r.Tensors); err != nil {
		return err
	}
	if r.Plan != "" {
		fmt.Fprintf(a.out, "\nplan (%.2f MB for activations and scratch)\n%s", float64(r.ArenaBytes)/(1<<20), r.Plan)
	}
	if r.Code != "" {
		fmt.Fprintf(a.out, "\n%s", r.Code)
	}
	return nil
}

func printPorts(w io.Writer, title string, ports []bench.Port) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, title)
	for _, p := range ports {
		fmt.Fprintf(t, "  %s\t%s\n", p.Name, p.Type)
	}
	return t.Flush()
}

func printSummary(w io.Writer, s *bench.Summary) error {
	fmt.Fprintf(w, "precision   %s\nparameters  %d (%.2f MB)\nMACs        %.1f M", s.Precision, s.Parameters, float64(s.ParameterBytes)/(1<<20), float64(s.MACs)/1e6)
	if s.Int8MACs > 0 {
		fmt.Fprintf(w, ", %.2f %% int8", 100*float64(s.Int8MACs)/float64(s.MACs))
	}
	fmt.Fprintln(w)
	if err := printPorts(w, "\ninputs", s.Inputs); err != nil {
		return err
	}
	if err := printPorts(w, "outputs", s.Outputs); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\noperator\tcount\tM MACs")
	for _, o := range s.Operators {
		fmt.Fprintf(t, "%s\t%d\t%.2f\n", o.Name, o.Count, float64(o.MACs)/1e6)
	}
	fmt.Fprintln(t, "\nmodule\tcount")
	for _, m := range s.Modules {
		fmt.Fprintf(t, "%s\t%d\n", strings.TrimPrefix(m.Name, "torch.nn.modules."), m.Count)
	}
	if len(s.Float) > 0 {
		fmt.Fprintln(t, "\nin float32\toperator\twhy")
		for _, f := range s.Float {
			fmt.Fprintf(t, "%s\t%s\t%s\n", f.Name, f.Op, f.Why)
		}
	}
	return t.Flush()
}

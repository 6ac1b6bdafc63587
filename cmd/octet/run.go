package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/tensor"
)

func (a *app) runModel() *cobra.Command {
	var from source
	var input, output string
	var scaleBytes bool
	cmd := &cobra.Command{
		Use:   "run MODEL --input X.npz --output Y.npz",
		Short: "Run a model once on arrays of a file",
		Long: `run takes the model's inputs from an .npz file, by their names or else in
their order, and writes its outputs by their names, which are output0, output1 and
so on where the file of the model gives none, bfloat16 as float32. The model is given the arrays as they are, bytes as bytes; only where the
file has mean and
std, as data sets have, or with --scale-bytes, do bytes become floats (see octet
help eval). name.0, name.1 and so on are the parts of an input that is a list or a tuple,
name.key those of a dict; an optional input that has no array is None.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.checkFiles([]fileArg{{"MODEL", args[0]}, {"--input", input}}, fileArg{"--output", output}); err != nil {
				return err
			}
			if a.limits.exit != nil {
				collectEarly()
			}
			d, err := a.openDataset(cmd.Context(), input, scaleBytes)
			if err != nil {
				return err
			}
			g, err := a.openToRun(cmd.Context(), args[0], from)
			if err != nil {
				return err
			}
			if g, err = d.Bound(g); err != nil {
				return err
			}
			s, err := a.compile(args[0], g)
			if err != nil {
				return err
			}
			defer s.Close()
			in, err := d.Inputs(g)
			if err != nil {
				return err
			}
			a.sayUnused(input, d, g, true)
			if a.limits.exit != nil {
				debug.FreeOSMemory() // what reading and packing left, before the run takes its own
			}
			out, err := s.Run(cmd.Context(), in...)
			if err != nil {
				return d.Misfit("", err)
			}
			names := s.Graph().OutputNames()
			arrays := make([]tensor.Named, len(out))
			ports := make([]bench.Port, len(out))
			for i, t := range out {
				if t.DType() == tensor.BFloat16 { // of which the format has none
					if t, err = t.To(tensor.Float32); err != nil {
						return err
					}
				}
				arrays[i] = tensor.Named{Name: names[i], Tensor: t}
				ports[i] = bench.Port{Name: arrays[i].Name, Type: t.String()}
			}
			if err := tensor.WriteNPZ(output, arrays); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(struct {
					Outputs []bench.Port `json:"outputs"`
				}{ports})
			}
			for _, p := range ports {
				fmt.Fprintf(a.out, "%s  %s\n", p.Name, p.Type)
			}
			return nil
		},
	}
	f := cmd.Flags()
	from.flags(cmd)
	f.StringVar(&input, "input", "", "input arrays (.npz)")
	f.StringVar(&output, "output", "", "output arrays (.npz)")
	scaleBytesFlag(cmd, &scaleBytes)
	require(cmd, "input", "output")
	return cmd
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/quantize"
)

func (a *app) quantize() *cobra.Command {
	var f quantizeFlags
	var fallback int
	cmd := &cobra.Command{
		Use:   "quantize MODEL --calib D.npz -o OUT",
		Short: "Turn a float model into an int8 one",
		Long: `quantize runs the model on the samples of a data set (see octet help eval),
observes the range of every activation, and writes the int8 model to one file.

A calibration can be stopped and continued: --save-state writes what was
observed, --state begins with it, and octet quantize merge joins what was
observed in parts.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if fallback < 0 {
				return usagef("--fallback %d: it must be at least 0", fallback)
			}
			if f.output == "" && f.saveState == "" {
				return usagef(`required flag "output" not set, nor "save-state"`)
			}
			w, err := a.begin(cmd, &f, args[0])
			if err != nil {
				return err
			}
			if err := w.calibrate(); err != nil {
				return err
			}
			if fallback > 0 {
				if err := w.fallBack(fallback); err != nil {
					return err
				}
			}
			return w.finish(nil, nil)
		},
	}
	f.add(cmd)
	cmd.Flags().IntVar(&fallback, "fallback", 0, "leave so many modules in float32: those that lose most by int8, measured on the same samples")
	cmd.AddCommand(a.merge())
	return cmd
}

// fallBack excludes the n modules that lose most by quantization.
func (w *work) fallBack(n int) error {
	if w.data == nil {
		return usagef("--fallback needs --calib: sensitivity is measured on samples")
	}
	s, err := w.q.AMP(w.model)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := w.feed("measuring sensitivity", s, w.data.Len()); err != nil {
		return err
	}
	return w.q.Fallback(s, n)
}

func (a *app) merge() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "merge STATE... -o STATE",
		Short: "Join calibrations that ran in parts",
		Long: `merge joins what octet quantize --save-state wrote for parts of the data, with the
same model and options, into the state that one calibration on all of it has:
exactly for minmax, percentile, entropy and mse, for histogram within its resolution.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var states []fileArg
			for _, path := range args {
				states = append(states, fileArg{"STATE", path})
			}
			if err := a.checkFiles(states, fileArg{"-o", output}); err != nil {
				return err
			}
			q, err := quantize.Load(args[0])
			if err != nil {
				return err
			}
			a.sayWarnings(args[0], q)
			for _, path := range args[1:] {
				part, err := quantize.Load(path)
				if err != nil {
					return err
				}
				a.sayWarnings(path, part)
				if err := q.Merge(part); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
			}
			return q.Save(output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write")
	require(cmd, "output")
	return cmd
}

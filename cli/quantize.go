package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) quantize() *cobra.Command {
	var f quantizeFlags
	var fallback int
	var shard string
	cmd := &cobra.Command{
		Use:   "quantize MODEL --calib D.npz -o OUT",
		Short: "Turn a float model into an int8 one",
		Long: `quantize runs the model on the samples of a data set (see octet help eval),
observes the range of every activation, and writes the int8 model to one file.

A calibration can be stopped and continued: --save-state writes what was
observed, --state begins with it, and octet quantize merge joins what was
observed in parts. --shard i/n calibrates on one of n parts of the same data, in
a process or machine of its own: merging all gives the bytes of one run.`,
		Example: `  octet quantize resnet18.pth --arch resnet18 --calib train/ --size 256 --crop 224 \
    --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 -o int8.safetensors
  octet quantize model.safetensors --calib calib.npz --rounding learned --report page.html -o int8.safetensors
  octet quantize bert/ --text sentences.txt --dynamic -o int8.safetensors`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if fallback < 0 {
				return usagef("--fallback %d: it must be at least 0", fallback)
			}
			if err := checkMetric(f.metric); err != nil {
				return err
			}
			if f.metric != "" && f.data == "" {
				return usagef("--metric %s needs --data", f.metric)
			}
			if f.output == "" && f.saveState == "" {
				return usagef(`required flag "output" not set, nor "save-state"`)
			}
			if shard != "" {
				if err := f.checkShard(fallback); err != nil {
					return err
				}
			}
			w, err := a.begin(cmd, &f, args[0])
			if err != nil {
				return err
			}
			if shard != "" {
				if err := w.setShard(shard); err != nil {
					return err
				}
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
	f.add(a, cmd)
	cmd.Flags().IntVar(&fallback, "fallback", 0, "leave so many modules in float32: those that lose most by int8, measured on the same samples")
	cmd.Flags().StringVar(&shard, "shard", "", "calibrate on part i of n only, 0/4 the first of four, for octet quantize merge")
	cmd.AddCommand(a.merge())
	return cmd
}

// fallBack excludes the n modules that lose most by quantization.
func (w *work) fallBack(n int) error {
	if w.data == nil {
		return usagef("--fallback needs --calib: sensitivity is measured on samples")
	}
	s, err := w.q.AMPContext(w.ctx, w.model)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := w.feed("measuring sensitivity", s, w.data.Len()); err != nil {
		return err
	}
	return w.q.Fallback(s, n)
}

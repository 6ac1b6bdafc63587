package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/quantize"
)

func (a *app) tune() *cobra.Command {
	var f quantizeFlags
	var drop, metric, cost string
	var samples int
	var compareRaw bool
	cmd := &cobra.Command{
		Use:   "tune MODEL --calib C.npz --data D.npz --max-drop 0.5% -o OUT",
		Short: "Quantize with as much in int8 as an accuracy allows",
		Long: `tune quantizes a model, and leaves modules in float32 until the accuracy on a
data set is at most --max-drop below the float model's. It ranks modules by what
int8 in each alone puts into the model's outputs, and by what it saves, and
looks for the set that costs least. Exit code 5: no set is accurate enough.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			target := quantize.Target{}
			var err error
			if target.MaxDrop, err = share(drop); err != nil {
				return usagef("--max-drop: %v", err)
			}
			switch cost {
			case "latency":
			case "modules":
				target.Cost = quantize.UnitCost
			default:
				return usagef("--cost %q: latency or modules", cost)
			}
			if samples < 1 {
				return usagef("--samples %d: it must be at least 1", samples)
			}
			w, err := a.begin(cmd, &f, args[0])
			if err != nil {
				return err
			}
			test, err := a.openDataset(cmd.Context(), f.data)
			if err != nil {
				return err
			}
			if metric == "" {
				metric = "agreement"
				if test.Labels() != nil {
					metric = "top1"
				}
			}
			if target.Accuracy, err = w.accuracy(metric, test); err != nil {
				return err
			}
			if err := w.calibrate(); err != nil {
				return err
			}
			from := w.data
			if from == nil {
				from = test
			}
			target.Data = w.first(from, samples)
			if err := w.try(test); err != nil {
				return err
			}
			target.Progress = func(what string) { w.note("tuning: %s", what) }
			if compareRaw {
				if err := w.rawCurve(target); err != nil {
					return err
				}
			}
			tuning, err := w.q.Tune(w.ctx, w.model, target)
			var missed *quantize.TargetError
			if errors.As(err, &missed) {
				return errors.Join(&accuracyError{metric, missed.Best, missed.Target}, w.printTuning(tuning))
			}
			if err != nil {
				return err
			}
			return w.finish(tuning)
		},
	}
	f.add(cmd)
	s := cmd.Flags()
	s.StringVar(&drop, "max-drop", "", "how much accuracy int8 may lose: 0.5% or 0.005")
	s.StringVar(&metric, "metric", "", "accuracy: top1 (against labels), agreement (same class as float) or cosine (of all outputs with float's); default: top1 with labels, else agreement")
	s.StringVar(&cost, "cost", "latency", "what is to be small: latency, or the number of modules in float32")
	s.IntVar(&samples, "samples", 64, "samples on which sensitivity is measured")
	s.BoolVar(&compareRaw, "compare-raw", false, "show first how many modules falling back by raw noise would take")
	require(cmd, "data", "max-drop", "output")
	return cmd
}

// accuracy returns the function that a metric names.
func (w *work) accuracy(metric string, d *bench.Dataset) (quantize.Accuracy, error) {
	data := w.first(d, d.Len())
	switch metric {
	case "top1":
		if d.Labels() == nil {
			return nil, usagef("--metric top1: the data has no labels")
		}
		return quantize.Labelled(data, d.Labels(), w.options()), nil
	case "agreement":
		return quantize.Agreement(w.model, data, w.options()), nil
	case "cosine":
		return quantize.Cosine(w.model, data, w.options()), nil
	}
	return nil, usagef("--metric %q: top1, agreement or cosine", metric)
}

// rawCurve tunes by the order of AMP's noise, as --fallback has it, and tells how far that has to go.
func (w *work) rawCurve(target quantize.Target) error {
	s, err := w.q.AMP(w.model)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := w.feed("measuring noise", s, w.data.Len()); err != nil {
		return err
	}
	for _, n := range s.Noise() {
		target.Order = append(target.Order, n.Name)
	}
	before := w.q.Options().Filter
	tuning, err := w.q.Tune(w.ctx, w.model, target)
	opts := w.q.Options()
	opts.Filter = before
	if err := errors.Join(err, w.q.SetOptions(opts)); err != nil {
		return err
	}
	w.say("by raw noise, %d modules are left in float:", len(tuning.Fallback))
	for _, p := range tuning.Curve {
		w.say("  %d modules: %.4f", len(p.Fallback), p.Accuracy)
	}
	return nil
}

// printTuning prints what was tried when nothing was found.
func (w *work) printTuning(t *quantize.Tuning) error {
	if w.json {
		return w.printJSON(t)
	}
	for _, p := range t.Curve {
		if err := w.printf("%d modules in float: %.4f\n", len(p.Fallback), p.Accuracy); err != nil {
			return err
		}
	}
	return nil
}

package cli

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/quantize"
)

func (a *app) tune() *cobra.Command {
	var f quantizeFlags
	var drop, cost string
	var samples int
	var compareRaw bool
	cmd := &cobra.Command{
		Use:   "tune MODEL --calib C.npz --data D.npz --max-drop 0.5% -o OUT",
		Short: "Quantize with as much in int8 as an accuracy allows",
		Long: `tune quantizes a model, and leaves modules in float32 until the accuracy on a
data set is at most --max-drop below the float model's. It ranks modules by what
int8 in each alone puts into the model's outputs, and by what it saves, and
looks for the set that costs least. With --cost latency, modules that are slower in
int8 than in float32 on this CPU stay in float32 too, where that makes the model
faster. Exit code 5: no set is accurate enough.`,
		Example: `  octet tune model.safetensors --calib calib.npz --data test.npz --max-drop 0.5% -o int8.safetensors
  octet tune model.safetensors --calib train/ --data val/ --max-drop 0.002 --cost modules -o int8.safetensors`,
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
			if f.metric != "" && !slices.Contains(bench.Metrics(), f.metric) {
				return unknownName("metric", f.metric, bench.Metrics())
			}
			w, err := a.begin(cmd, &f, args[0])
			if err != nil {
				return err
			}
			test, err := a.openDataset(cmd.Context(), f.data, &f.samples, w.model)
			if err != nil {
				return err
			}
			m, err := w.metric(f.metric, test)
			if err != nil {
				return err
			}
			if target.Accuracy, err = w.accuracy(m, test); err != nil {
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
			target.Progress = func(what string) { w.note("tuning: %s", what) }
			if compareRaw {
				if err := w.rawCurve(target); err != nil {
					return err
				}
			}
			tuning, err := w.q.Tune(w.ctx, w.model, target)
			var missed *quantize.TargetError
			if errors.As(err, &missed) {
				return errors.Join(&accuracyError{m.Name, missed.Best, missed.Target}, w.printTuning(tuning))
			}
			if err != nil {
				return test.Mislabelled(w.model, err)
			}
			return w.finish(tuning, m)
		},
	}
	f.add(a, cmd)
	s := cmd.Flags()
	s.StringVar(&drop, "max-drop", "", "how much accuracy int8 may lose: 0.5% or 0.005")
	s.StringVar(&cost, "cost", "latency", "what is to be small: latency, or the number of modules in float32")
	s.IntVar(&samples, "samples", 64, "samples on which sensitivity is measured")
	s.BoolVar(&compareRaw, "compare-raw", false, "show first how many modules falling back by raw noise would take")
	require(cmd, "data", "max-drop", "output")
	return cmd
}

// metric returns the metric of a name for the model on a data set.
func (w *work) metric(name string, d *data.Dataset) (*bench.Metric, error) {
	labels, err := d.Targets(w.model)
	if err != nil {
		return nil, err
	}
	if labels == nil && name != "" && name != bench.Agreeing && name != bench.Cosine {
		return nil, usagef("--metric %s: %s has no labels", name, w.flags.data)
	}
	out, err := w.try(d)
	if err != nil {
		return nil, err
	}
	m, err := bench.ChooseMetric(name, out, labels)
	return m, d.Mislabelled(w.model, err)
}

// accuracy returns the function that tuning judges by.
func (w *work) accuracy(m *bench.Metric, d *data.Dataset) (quantize.Accuracy, error) {
	labels, err := d.Targets(w.model)
	if err != nil {
		return nil, err
	}
	m.Samples = d.Len()
	return quantize.ByMetric(m, w.model, w.first(d, d.Len()), labels, w.options()), nil
}

// rawCurve tunes by the order of AMP's noise, as --fallback has it, and tells how far that has to go.
func (w *work) rawCurve(target quantize.Target) error {
	s, err := w.q.AMPContext(w.ctx, w.model)
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

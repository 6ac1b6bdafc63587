package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/octet-ml/octet/quantize"
)

// quantizeFlags are the flags that commands share which quantize.
type quantizeFlags struct {
	source
	calib, output, texts      string
	backend, device, observer string
	weightObserver            string
	percentile                float64
	bits, weightBits          int
	pairSafe                  bool
	dynamic                   bool
	equalize, correctBias     bool
	smooth                    quantize.Smoothing
	rounding                  string
	filter                    quantize.Filter
	batch                     int
	samples                   dataFlags
	state, saveState          string
	data, metric, report      string
	compare                   int

	alsoReads, alsoWrites []fileArg // by the flags of one command
}

// add adds all of them.
func (f *quantizeFlags) add(a *app, cmd *cobra.Command) {
	f.addCommon(a, cmd)
	s := cmd.Flags()
	s.BoolVar(&f.dynamic, "dynamic", false, "quantize linear layers only, and their activations while running; needs no calibration but for --correct-bias, --rounding learned and --smooth")
	s.BoolVar(&f.equalize, "equalize", false, "balance the weights of consecutive layers first: worth it where one scale serves all channels")
	s.BoolVar(&f.correctBias, "correct-bias", false, "take what quantizing weights adds to outputs on average out of the biases")
	s.StringVar(&f.rounding, "rounding", quantize.Nearest.String(), "how weights are rounded: nearest, or learned, which changes outputs on --calib least")
	s.StringVar(&f.data, "data", "", "data set to measure the accuracy of both models on")
	s.StringVar(&f.metric, "metric", "", "with --data: "+metricHelp)
	s.IntVar(&f.compare, "compare", 64, "samples of --calib on which both models are compared operator by operator; 0: none")
	s.StringVar(&f.report, "report", "", "write a report with plots to this HTML file")
}

// addCommon adds those that say what is quantized and how values are observed.
func (f *quantizeFlags) addCommon(a *app, cmd *cobra.Command) {
	f.rounding = quantize.Nearest.String()
	s := cmd.Flags()
	f.source.flags(a, cmd)
	s.StringVar(&f.calib, "calib", "", "samples to calibrate with: a folder or file (see octet help eval)")
	s.StringVar(&f.texts, "text", "", "samples of a text model, in place of --calib: a line each (.txt), .tsv or .jsonl")
	s.IntVar(&f.batch, "batch", 64, "samples per run")
	f.samples.add(cmd)
	s.StringVarP(&f.output, "output", "o", "", "file to write")
	s.StringVar(&f.state, "state", "", "begin with what another calibration saved, and its options")
	s.StringVar(&f.saveState, "save-state", "", "write what was observed, to continue or merge it")

	s.StringVar(&f.backend, "backend", quantize.Native.String(), fmt.Sprintf("target whose rules say what is int8 and how, one of %v", quantize.Backends()))
	s.StringVar(&f.device, "device", quantize.HostDevice.String(), "processor family whose defaults the backend takes: host, x86 or aarch64")
	s.StringVar(&f.observer, "observer", "", fmt.Sprintf("how the range of activations is chosen, one of %v (default: the backend's)", quantize.Kinds()))
	s.Float64Var(&f.percentile, "percentile", quantize.DefaultPercentile, "share of the values, in percent, that --observer percentile keeps at each end")
	s.StringVar(&f.weightObserver, "weight-observer", "", fmt.Sprintf("how the range of weights is chosen, one of %v (default: the backend's)", quantize.Kinds()))
	s.IntVar(&f.bits, "bits", 8, "bits of activations, 2 to 8, stored in 8")
	s.IntVar(&f.weightBits, "weight-bits", 8, "bits of weights, 2 to 8, stored in 8")
	pairSafeFlag(cmd, &f.pairSafe)
	smoothFlag(s, &f.smooth)

	filter := func(list *[]string, name, what string) {
		s.StringArrayVar(list, name, nil, what+"; wildcards and repetition allowed")
	}
	filter(&f.filter.IncludeNames, "include", "quantize only this module, by its path")
	filter(&f.filter.IncludeClasses, "include-class", "quantize only modules of this class")
	filter(&f.filter.IncludeOpTypes, "include-op", "quantize only operators of this type, such as conv2d")
	filter(&f.filter.ExcludeNames, "exclude", "leave this module in float32, by its path")
	filter(&f.filter.ExcludeClasses, "exclude-class", "leave modules of this class in float32")
	filter(&f.filter.ExcludeOpTypes, "exclude-op", "leave operators of this type in float32")
}

// smoothFlag adds the flag for outliers of channels.
func smoothFlag(s *pflag.FlagSet, to *quantize.Smoothing) {
	s.TextVar(to, "smooth", quantize.NoSmoothing, "move outliers of channels behind norms to the weights of linear layers (SmoothQuant): auto, or the strength, above 0 to 1")
	s.Lookup("smooth").NoOptDefVal = quantize.AutoSmoothing.String()
}

// pairSafeFlag adds the flag of commands that quantize weights.
func pairSafeFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "pair-safe", false, "quantize weights so that no pair of products exceeds 16 bits: int8 is then faster on CPUs without dot products of bytes")
}

// reads are the files that are read of a model at path. A state that is saved where it came from is not among
// them: it goes on there.
func (f *quantizeFlags) reads(path string) []fileArg {
	list := []fileArg{{"MODEL", path}, {"--calib", f.calib}, {"--data", f.data}}
	if !sameFile(f.state, f.saveState) {
		list = append(list, fileArg{"--state", f.state})
	}
	return append(list, f.alsoReads...)
}

// writes are the files that are written.
func (f *quantizeFlags) writes() []fileArg {
	return append([]fileArg{{"-o", f.output}, {"--report", f.report}, {"--save-state", f.saveState}}, f.alsoWrites...)
}

// optionFlags are the flags whose values a saved state has.
var optionFlags = []string{"backend", "device", "dynamic", "equalize", "correct-bias", "rounding", "smooth"}

// quantizer returns what the flags ask for: anew, or from a saved state.
func (f *quantizeFlags) quantizer(a *app, cmd *cobra.Command) (*quantize.Quantizer, error) {
	if f.batch < 1 {
		return nil, usagef("--batch %d: it must be at least 1", f.batch)
	}
	if f.compare < 0 {
		return nil, usagef("--compare %d: it must be at least 0", f.compare)
	}
	opts := quantize.Options{Dynamic: f.dynamic, Equalize: f.equalize, CorrectBias: f.correctBias, Smooth: f.smooth}
	var q *quantize.Quantizer
	if f.state != "" {
		for _, name := range optionFlags {
			if cmd.Flags().Changed(name) {
				return nil, usagef("--%s: it is part of the state", name)
			}
		}
		var err error
		if q, err = quantize.LoadQuantizer(f.state); err != nil {
			return nil, err
		}
		a.sayWarnings(f.state, q)
		opts = q.Options()
	} else {
		var err error
		if opts.Backend, err = quantize.ParseBackend(f.backend); err != nil {
			return nil, &usageError{err}
		}
		if opts.Device, err = quantize.ParseDevice(f.device); err != nil {
			return nil, &usageError{err}
		}
		if err := opts.Rounding.UnmarshalText([]byte(f.rounding)); err != nil {
			return nil, &usageError{err}
		}
	}
	opts.Session = a.options()
	opts.Filter = joinFilters(opts.Filter, f.filter)
	if err := f.observers(cmd, &opts); err != nil {
		return nil, &usageError{err}
	}
	if q == nil {
		return quantize.New(opts), nil
	}
	return q, q.SetOptions(opts)
}

// sayWarnings prints what there is to say about the state at path.
func (a *app) sayWarnings(path string, q *quantize.Quantizer) {
	for _, warning := range q.Warnings() {
		a.say("%s: %s", path, warning)
	}
}

// observers puts the observers that flags name into the options.
func (f *quantizeFlags) observers(cmd *cobra.Command, opts *quantize.Options) error {
	o, err := opts.Observers()
	if err != nil {
		return err
	}
	changed := cmd.Flags().Changed
	set := func(c *quantize.ObserverConfig, kind string, bits int, bitsFlag string) (*quantize.ObserverConfig, error) {
		if kind == "" && !changed(bitsFlag) {
			return nil, nil
		}
		if kind != "" {
			*c = quantize.ObserverConfig{Kind: quantize.Kind(kind), Spec: c.Spec}
		}
		if changed("percentile") && c.Kind == quantize.Percentile {
			c.Percentile = f.percentile
		}
		if changed(bitsFlag) {
			if c.Spec = c.Spec.WithBits(bits); bits < 2 || bits > 8 {
				return nil, fmt.Errorf("--%s %d: it must be 2 to 8", bitsFlag, bits)
			}
		}
		return c, c.Validate()
	}
	activation, err := set(&o.Activation, f.observer, f.bits, "bits")
	if err != nil {
		return err
	}
	if activation != nil {
		opts.Activation = activation
	}
	weight, err := set(&o.Weight, f.weightObserver, f.weightBits, "weight-bits")
	if err == nil && changed("pair-safe") {
		weight = &o.Weight
		weight.Spec.PairSafe = f.pairSafe
		if err = weight.Validate(); err != nil {
			err = fmt.Errorf("--pair-safe: %w: take another --backend than %v", err, opts.Backend)
		}
	}
	if weight != nil {
		opts.Weight = weight
	}
	return err
}

func joinFilters(a, b quantize.Filter) quantize.Filter {
	join := func(x, y []string) []string { return append(append([]string(nil), x...), y...) }
	return quantize.Filter{
		IncludeNames:   join(a.IncludeNames, b.IncludeNames),
		IncludeClasses: join(a.IncludeClasses, b.IncludeClasses),
		IncludeOpTypes: join(a.IncludeOpTypes, b.IncludeOpTypes),
		ExcludeNames:   join(a.ExcludeNames, b.ExcludeNames),
		ExcludeClasses: join(a.ExcludeClasses, b.ExcludeClasses),
		ExcludeOpTypes: join(a.ExcludeOpTypes, b.ExcludeOpTypes),
	}
}

// share reads "0.5%" or "0.005".
func share(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no share: write 0.5%% or 0.005", text)
	}
	if percent {
		v /= 100
	}
	if !(v >= 0 && v <= 1) {
		return 0, fmt.Errorf("%q is outside 0 to 100 %%: write 0.5%% or 0.005", text)
	}
	return v, nil
}

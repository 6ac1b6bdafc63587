package cli

import (
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/train"
)

// trainFlags are the flags that say how a model is trained.
type trainFlags struct {
	data, eval          string
	epochs              int
	lr, scaleLR         float64
	optimizer           string
	momentum            float64
	nesterov            bool
	decay               float64
	schedule            string
	stepEpochs          int
	gamma               float64
	warmUp              int
	clip                float64
	seed                uint64
	flip                bool
	padding             int
	distill             bool
	temperature         float64
	tempered            bool // --temperature was given, so that outputs are of classes
	freezeBN, freezeObs int
	recompute           string
	metric, loss        string
	checkpoint          string
	checkpointEvery     int
	resume              bool
	log                 string
}

func (f *trainFlags) add(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringVar(&f.data, "data", "", "samples to train on: a folder or file (see octet help eval)")
	s.StringVar(&f.eval, "eval", "", "data set to measure accuracy on, after each epoch too")
	s.StringVar(&f.metric, "metric", "", "with --eval: "+metricHelp)
	s.StringVar(&f.loss, "loss", "", lossHelp)
	s.IntVar(&f.epochs, "epochs", 0, "passes over the samples; what is left of a pass, less than a batch, is dropped")
	s.Float64Var(&f.lr, "lr", 0.0003, "learning rate")
	s.Float64Var(&f.scaleLR, "scale-lr", 0, "learning rate of scales and zero points, 0: they stay as they are; with adam and adamw, which move all parameters by about the rate, that of scales of 4 bits, and of others by as much less as their range has more steps (default: that of --lr)")

	s.StringVar(&f.optimizer, "optimizer", "adam", "sgd, adam or adamw")
	s.Float64Var(&f.momentum, "momentum", 0.9, "momentum of sgd")
	s.BoolVar(&f.nesterov, "nesterov", false, "Nesterov's form of the momentum")
	s.Float64Var(&f.decay, "weight-decay", 0, "weight decay of all but scales and zero points")
	s.StringVar(&f.schedule, "schedule", "cosine", "learning rate over time: constant, cosine (to 0 at the end) or step")
	s.IntVar(&f.stepEpochs, "step-epochs", 3, "epochs after which --schedule step multiplies the rate by --gamma")
	s.Float64Var(&f.gamma, "gamma", 0.1, "factor of --schedule step")
	s.IntVar(&f.warmUp, "warm-up", 0, "steps within which the learning rate rises to its first value")
	s.Float64Var(&f.clip, "clip", 0, "most that the norm of all gradients together may be; 0: no bound")
	s.Uint64Var(&f.seed, "seed", 1, "seed of the order of samples, and of --random-crop and --random-flip")
	s.IntVar(&f.padding, "random-crop", 0, "most pixels that an image is moved along each side, anew in each epoch")
	s.BoolVar(&f.flip, "random-flip", false, "mirror half of the images, left to right, others in each epoch")

	s.BoolVar(&f.distill, "distill", false, "learn what the float model answers instead of labels, which the data then needs not have")
	s.Float64Var(&f.temperature, "temperature", 4, "what --distill divides the logits of both models by")
	s.IntVar(&f.freezeBN, "freeze-bn", 0, "step from which on batch norm uses its running statistics as they are; 0: from the start")
	s.IntVar(&f.freezeObs, "freeze-observers", 0, "step from which on scales and zero points stay as they are; 0: never")

	s.StringVar(&f.recompute, "recompute", "off", "size for the activations, gradients and scratch memory of a step, such as 48MB, or smallest: values of the forward pass are then computed again in the "+
		"backward pass instead of kept, where that takes the least time, up to that of one forward pass; the result is the same to the bit; off keeps all")

	s.StringVar(&f.checkpoint, "checkpoint", "", "file for the state of training: written after each epoch and when interrupted")
	s.IntVar(&f.checkpointEvery, "checkpoint-every", 0, "also write --checkpoint after so many steps")
	s.BoolVar(&f.resume, "resume", false, "go on from --checkpoint, when that file exists; the other flags must be those it was written with")
	s.StringVar(&f.log, "log", "", "write a line of JSON per step and per epoch to this file")
	require(cmd, "data", "epochs", "output")
}

// check returns a usage error for values that make no sense.
func (f *trainFlags) check(cmd *cobra.Command) error {
	if f.epochs < 1 {
		return usagef("--epochs %d: it must be at least 1", f.epochs)
	}
	for _, c := range []struct {
		flag string
		v    float64
	}{
		{"lr", f.lr}, {"scale-lr", f.scaleLR}, {"momentum", f.momentum}, {"weight-decay", f.decay}, {"gamma", f.gamma}, {"clip", f.clip}, {"temperature", f.temperature},
		{"freeze-bn", float64(f.freezeBN)}, {"freeze-observers", float64(f.freezeObs)}, {"warm-up", float64(f.warmUp)}, {"checkpoint-every", float64(f.checkpointEvery)},
		{"random-crop", float64(f.padding)},
	} {
		if !(c.v >= 0) || math.IsInf(c.v, 0) {
			return usagef("--%s %v: it must be 0 or more", c.flag, c.v)
		}
	}
	if f.loss != "" && !slices.Contains(lossNames(f.distill), f.loss) {
		return unknownName("loss", f.loss, lossNames(f.distill))
	}
	if f.metric != "" && !slices.Contains(bench.Metrics(), f.metric) {
		return unknownName("metric", f.metric, bench.Metrics())
	}
	changed := cmd.Flags().Changed
	f.tempered = changed("temperature")
	if !changed("scale-lr") {
		f.scaleLR = f.lr
	}
	switch {
	case f.lr == 0:
		return usagef("--lr 0: nothing would be learned")
	case f.temperature == 0:
		return usagef("--temperature 0: it must be above 0")
	case f.momentum >= 1:
		return usagef("--momentum %v: it must be below 1", f.momentum)
	case f.stepEpochs < 1:
		return usagef("--step-epochs %d: it must be at least 1", f.stepEpochs)
	case f.tempered && !f.distill:
		return usagef("--temperature needs --distill")
	case f.checkpoint == "" && (f.resume || f.checkpointEvery > 0):
		return usagef("--resume and --checkpoint-every need --checkpoint")
	case f.optimizer != "sgd" && (f.nesterov || changed("momentum")):
		return usagef("--momentum and --nesterov are of --optimizer sgd")
	case f.nesterov && f.momentum == 0:
		return usagef("--nesterov needs a --momentum above 0")
	}
	return nil
}

// parseRecompute reads the value of --recompute.
func parseRecompute(s string) (graph.Recompute, error) {
	switch s {
	case "off":
		return graph.KeepAll, nil
	case "smallest":
		return graph.SmallestArena, nil
	}
	if n, err := parseSize(s); err == nil && n >= 2 && strings.HasSuffix(s, "B") {
		return graph.Recompute(n), nil
	}
	return 0, usagef("--recompute %q: off, smallest, or a size such as 48MB or 1.5GB", s)
}

// options returns how to train, with so many steps in an epoch.
func (f *trainFlags) options(cmd *cobra.Command, perEpoch int) (train.Options, error) {
	o := train.Options{ClipNorm: f.clip, FreezeBatchNorm: f.freezeBN, FreezeObservers: f.freezeObs, Loss: train.CrossEntropy}
	var err error
	if o.Recompute, err = parseRecompute(f.recompute); err != nil {
		return o, err
	}
	if f.distill {
		o.Loss = train.Distill(float32(f.temperature))
	}
	switch f.optimizer {
	case "sgd":
		o.Optimizer = train.SGD{LR: f.lr, Momentum: f.momentum, Nesterov: f.nesterov, WeightDecay: f.decay}
	case "adam", "adamw":
		o.Optimizer = train.Adam{LR: f.lr, WeightDecay: f.decay, Decoupled: f.optimizer == "adamw"}
	default:
		return o, usagef("--optimizer %q: sgd, adam or adamw", f.optimizer)
	}
	switch f.schedule {
	case "constant":
		o.Schedule = train.Constant
	case "cosine":
		o.Schedule = train.Cosine(max(f.epochs*perEpoch-f.warmUp, 1), 0)
	case "step":
		o.Schedule = train.StepDecay(f.stepEpochs*perEpoch, f.gamma)
	default:
		return o, usagef("--schedule %q: constant, cosine or step", f.schedule)
	}
	if f.warmUp > 0 {
		o.Schedule = train.WarmUp(f.warmUp, o.Schedule)
	}
	scales := train.Group{Match: train.OfKind(train.Scale), NoDecay: true, Rate: f.scaleLR / f.lr, Frozen: f.scaleLR == 0}
	zeros := scales
	zeros.Match = train.OfKind(train.ZeroPoint)
	o.Groups = []train.Group{zeros, scales}
	return o, nil
}

// scaleLevels is how many steps the ranges have whose scales --scale-lr is the rate of, those of 4 bits.
const scaleLevels = 15

// byLevels puts the scales among the parameters into groups, so that an optimizer that moves all parameters by
// about the rate moves the ends of all ranges alike, however many steps they are cut into.
func (f *trainFlags) byLevels(o *train.Options, params []*train.Parameter) {
	if f.optimizer == "sgd" {
		return // its steps have the size of the gradients
	}
	scales := o.Groups[len(o.Groups)-1]
	o.Groups = o.Groups[:len(o.Groups)-1]
	seen := map[int]bool{}
	for _, p := range params {
		if p.Kind != train.Scale || seen[p.Levels] {
			continue
		}
		seen[p.Levels] = true
		group, levels := scales, p.Levels
		group.Match = func(p *train.Parameter) bool { return p.Kind == train.Scale && p.Levels == levels }
		group.Rate *= scaleLevels / float64(levels)
		o.Groups = append(o.Groups, group)
	}
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/fastcores"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// The precisions a model can be measured in.
const (
	Float32 = "float32"
	Int8    = "int8"
	// Int8Dynamic has int8 linear layers whose activations are quantized while they run.
	Int8Dynamic = "int8-dynamic"
)

// Model is a model to measure.
type Model struct {
	Name string
	// Open makes the graph; the time it takes is part of LoadMs.
	Open func() (*graph.Graph, error)
}

// Sweep measures a model in every combination of its lists; an empty list
// stands for the model's own precision, as many threads as graph.Options takes by itself, and a batch of 1, or that of Inputs.
type Sweep struct {
	Precisions []string
	Threads    []int
	Batches    []int
	Inputs     []ops.Type    // of the inputs, as InputTypes takes them; nil: those the model was built with, or GuessInputs
	Runs       int           // measured runs of each combination; 0: as Duration says
	Duration   time.Duration // where Runs is 0; 0: about two seconds
	Warmup     int           // least runs before, as TimeOptions.Warmup
	Clients    int           // runs at a time, as TimeOptions.Clients
	CPU        string        // tier, as graph.Options.CPU
	MaxMemory  int64         // as graph.Options.MaxMemory; of the random inputs too
	MaxPacked  float64       // as graph.Options.MaxPacked
	Profile    bool          // measure each layer too
	PairSafe   bool          // quantize float models to pair-safe weights; see quantize.Spec
	// Progress, when set, is told what is about to be measured.
	Progress func(what string)
}

// Result is what one combination gave. The JSON names are those of the
// command line; README and docs describe them.
type Result struct {
	Model     string  `json:"model"`
	Precision string  `json:"precision"`
	Threads   int     `json:"threads"`
	Batch     int     `json:"batch"`
	Runs      int     `json:"runs"`
	MinMs     float64 `json:"min_ms"`
	MedianMs  float64 `json:"median_ms"`
	P90Ms     float64 `json:"p90_ms"`
	P99Ms     float64 `json:"p99_ms"`
	MaxMs     float64 `json:"max_ms"`
	// Clients is how many runs there were at a time, and PerSecond how many samples all of them took per second.
	Clients   int     `json:"clients"`
	PerSecond float64 `json:"samples_per_second"`
	// LoadMs is reading the model and compiling it; quantizing is not in it.
	LoadMs float64 `json:"load_ms"`
	// Gops is 1e9 operations of convolutions, linear layers and matrix products
	// per second at the median, a multiply-accumulate being two; PercentOfPeak
	// compares the median with the time those take at the machine's limits. With several clients both are of all runs together.
	Gops          float64 `json:"gops"`
	PercentOfPeak float64 `json:"percent_of_peak"`
	// PeakRSSMB is the most memory resident while this was measured, in 2^20
	// bytes, the float model that an int8 one was made from included; 0 where it cannot be known.
	PeakRSSMB    float64        `json:"peak_rss_mb"`
	AllocsPerRun int            `json:"allocs_per_run"`
	Notes        []string       `json:"notes,omitempty"`
	Layers       []LayerProfile `json:"layers,omitempty"`
	// Slower are the modules that are slower in int8 than in float32; see Measurements.CompareLayers.
	Slower []SlowerLayer `json:"slower_than_float32,omitempty"`

	Times []time.Duration `json:"-"` // of each run

	profile []LayerProfile // Layers, whether or not they are shown
}

// PrecisionError says that a model cannot be measured in a precision.
type PrecisionError struct {
	Precision, Reason string
}

func (e *PrecisionError) Error() string {
	return fmt.Sprintf("precision %q: %s", e.Precision, e.Reason)
}

// Validate reports the first thing that is wrong with the sweep for any model.
func (s Sweep) Validate() error {
	for _, p := range s.Precisions {
		if p != Float32 && p != Int8 && p != Int8Dynamic {
			return &PrecisionError{p, "use " + Float32 + ", " + Int8 + " or " + Int8Dynamic}
		}
	}
	for _, n := range s.Batches {
		if n < 1 {
			return fmt.Errorf("a batch of %d: it must be at least 1", n)
		}
	}
	switch {
	case s.Runs < 0:
		return fmt.Errorf("%d runs: it must be at least 1, or 0 for about two seconds", s.Runs)
	case s.Duration < 0:
		return fmt.Errorf("a duration of %v: it must be more than 0, or 0 for about two seconds", s.Duration)
	case s.Runs > 0 && s.Duration > 0:
		return fmt.Errorf("%d runs and a duration of %v: give one of the two", s.Runs, s.Duration)
	case s.Warmup < 0:
		return fmt.Errorf("%d runs to warm up: it must be at least 1, or 0 for 300 ms", s.Warmup)
	case s.Clients < 0 || s.Clients > maxClients:
		return fmt.Errorf("%d clients: it must be 1 to %d", s.Clients, maxClients)
	}
	return nil
}

// Run measures the model and calls yield with each result as it comes. limits
// returns the machine's limits for a number of threads, 0 meaning those of graph.Options.
func (s Sweep) Run(ctx context.Context, m Model, limits func(threads int) Limits, yield func(Result)) error {
	if err := s.Validate(); err != nil {
		return err
	}
	for _, threads := range orOne(s.Threads, 0) {
		limits(threads)
	}
	forgetPeak()
	s.progress("loading " + m.Name)
	start := time.Now()
	g, err := m.Open()
	if err != nil {
		return err
	}
	var notes []string
	if g.IsOpen() {
		types, err := InputTypes(g, s.Inputs, 0)
		switch {
		case err == nil:
			g, err = g.Specialize(types...)
		case s.Inputs == nil && errors.Is(err, graph.ErrOpen):
			if s.Inputs, g, err = GuessInputs(g); err == nil {
				notes = append(notes, fmt.Sprintf("the file does not say the shapes of its inputs: measured with %v", s.Inputs[0]))
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	open := time.Since(start)
	own := Precision(g)
	precisions := s.Precisions
	if len(precisions) == 0 {
		precisions = []string{own}
	}
	for _, precision := range precisions {
		pg, more, err := s.inPrecision(ctx, g, own, precision)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		for _, threads := range orOne(s.Threads, 0) {
			for _, batch := range orOne(s.Batches, 0) {
				r, err := s.measure(ctx, pg, threads, batch, limits)
				if err != nil {
					return fmt.Errorf("%s: %w", m.Name, err)
				}
				r.Model, r.Precision = m.Name, precision
				r.LoadMs += milliseconds(open)
				r.Notes = slices.Concat(r.Notes, notes, more)
				yield(r)
				forgetPeak()
			}
		}
	}
	return nil
}

// randomInputs are RandomInputs that fit into memory.
func (s Sweep) randomInputs(types []ops.Type) ([]*tensor.Tensor, error) {
	need, limit := int64(0), s.MaxMemory
	if limit <= 0 {
		limit = defaultMaxMemory
	}
	for _, t := range types {
		n, err := t.Shape.Numel()
		if err != nil {
			return nil, err
		}
		bytes := int64(tensor.Float32.Size()) // which all are made in
		if t.DType != tensor.Float32 {
			bytes += int64(t.DType.Size())
		}
		if int64(n) > (limit-need)/bytes {
			return nil, &graph.MemoryError{Need: max(need+min(int64(n), math.MaxInt64/16)*bytes, limit), Limit: limit}
		}
		need += int64(n) * bytes
	}
	return RandomInputs(types, 1)
}

const (
	defaultMaxMemory = 16 << 30 // as of graph.Options
	maxClients       = 4096     // each has outputs and an arena of its own
)

// forgetPeak gives back the memory of what was measured before and starts a new peak.
func forgetPeak() {
	debug.FreeOSMemory()
	resetPeakRSS()
}

func (s Sweep) progress(what string) {
	if s.Progress != nil {
		s.Progress(what)
	}
}

func orOne(list []int, missing int) []int {
	if len(list) == 0 {
		return []int{missing}
	}
	return list
}

// inPrecision returns the graph in a precision, with what there is to say about it.
func (s Sweep) inPrecision(ctx context.Context, g *graph.Graph, own, precision string) (*graph.Graph, []string, error) {
	if precision == own {
		return g, nil, nil
	}
	if precision == Float32 {
		return nil, nil, &PrecisionError{precision, "the model is " + own + ": measure the float model it was made from"}
	}
	if own != Float32 {
		return g, []string{"the model is " + own + ": some layers are float32"}, nil
	}
	s.progress("quantizing")
	types, err := InputTypes(g, s.Inputs, 0)
	if err != nil {
		return nil, nil, err
	}
	q := quantize.New(quantize.Options{Dynamic: precision == Int8Dynamic, Session: graph.Options{CPU: s.CPU, MaxMemory: s.MaxMemory, MaxPacked: s.MaxPacked}})
	var overrides []quantize.Override
	if s.PairSafe {
		overrides = append(overrides, quantize.WithPairSafeWeights())
	}
	if precision == Int8Dynamic {
		int8, err := q.QuantizeContext(ctx, g, overrides...)
		if err != nil {
			return nil, nil, err
		}
		return int8, nil, nil
	}
	calib, err := q.Calib(g, overrides...)
	if err != nil {
		return nil, nil, err
	}
	defer calib.Close()
	in, err := s.randomInputs(types)
	if err != nil {
		return nil, nil, err
	}
	if _, err := calib.Run(ctx, in...); err != nil {
		return nil, nil, err
	}
	int8, err := q.QuantizeContext(ctx, g)
	if err != nil {
		return nil, nil, err
	}
	notes := []string{"calibrated on random inputs: right for speed, not for accuracy"}
	return int8, append(notes, whyFloat(q.Report())...), nil
}

// whyFloat names the layers that stayed float32, by reason.
func whyFloat(r *quantize.Report) []string {
	var reasons []string
	names := make(map[string][]string)
	for _, l := range r.Layers {
		if l.Precision == Int8 || l.Reason == "" {
			continue
		}
		if names[l.Reason] == nil {
			reasons = append(reasons, l.Reason)
		}
		name := l.Op
		if l.Name != "" {
			name = l.Name + " (" + l.Op + ")"
		}
		names[l.Reason] = append(names[l.Reason], name)
	}
	var notes []string
	for _, reason := range reasons {
		list := names[reason]
		more := ""
		if len(list) > 6 {
			more = fmt.Sprintf(" and %d more", len(list)-6)
			list = list[:6]
		}
		notes = append(notes, fmt.Sprintf("float32: %s%s: %s", strings.Join(list, ", "), more, reason))
	}
	return notes
}

// measure times one combination.
func (s Sweep) measure(ctx context.Context, g *graph.Graph, threads, batch int, limits func(int) Limits) (Result, error) {
	opts := graph.Options{Threads: threads, CPU: s.CPU, MaxMemory: s.MaxMemory, MaxPacked: s.MaxPacked}
	var notes []string
	if batch == 0 {
		batch, notes = s.defaultBatch(g)
	}
	types, err := InputTypes(g, s.Inputs, batch)
	if err != nil {
		return Result{}, err
	}
	in, err := s.randomInputs(types)
	if err != nil {
		return Result{}, err
	}
	work, err := graphWork(g, types)
	if err != nil {
		return Result{}, err
	}
	l := limits(threads)
	s.progress("measuring " + Precision(g))
	start := time.Now()
	session, err := g.Compile(opts)
	if err != nil {
		return Result{}, err
	}
	defer session.Close()
	load := time.Since(start)
	t, err := Time(ctx, session, in, TimeOptions{Runs: s.Runs, Duration: s.Duration, Warmup: s.Warmup, Clients: s.Clients})
	if err != nil {
		return Result{}, err
	}
	r := Result{
		Threads: session.Threads(), Batch: batchOf(types), Runs: t.Runs, Times: t.Times,
		MinMs: milliseconds(t.Min), MedianMs: milliseconds(t.Median), P90Ms: milliseconds(t.P90), P99Ms: milliseconds(t.P99), MaxMs: milliseconds(t.Max),
		Clients: max(s.Clients, 1), PerSecond: t.PerSecond() * float64(batchOf(types)), LoadMs: milliseconds(load),
		Notes: notes, AllocsPerRun: t.AllocsPerRun, PeakRSSMB: float64(peakRSS()) / (1 << 20),
	}
	seconds := t.Median.Seconds()
	if s.Clients > 1 {
		seconds = t.Elapsed.Seconds() / float64(t.Runs)
	}
	if seconds > 0 {
		r.Gops = work.Ops() / seconds / 1e9
		r.PercentOfPeak = 100 * l.Ideal(work) / seconds
	}
	if s.Profile || len(s.Precisions) > 1 && slices.Contains(s.Precisions, Float32) {
		if r.profile, err = Profile(ctx, g, opts, in, min(t.Runs, 50), l); err != nil {
			return Result{}, err
		}
	}
	if s.Profile {
		r.Layers = r.profile
	}
	if work.Int8MACs > 0 {
		r.Notes = append(r.Notes, missingTier(session.Tier())...)
	}
	return r, nil
}

// defaultBatch returns 1, or 0 for that of the given or the model's shapes where the inputs have no batch in common that could be 1,
// and what there is to say about it.
func (s Sweep) defaultBatch(g *graph.Graph) (batch int, notes []string) {
	own := exampleTypes(g)
	if s.Inputs != nil || batchOf(own) == 1 {
		return 0, nil
	}
	same := batchOf(own)
	for _, t := range own {
		if len(t.Shape) > 0 && t.Shape[0] != same {
			return 0, nil
		}
	}
	if types, err := InputTypes(g, nil, 1); err == nil && g.BatchSize(1) == 1 {
		if _, err := graphWork(g, types); err == nil {
			return 1, []string{fmt.Sprintf("measured with a batch of 1, where the file has %d", same)}
		}
	}
	return 0, []string{fmt.Sprintf("measured with the batch of the file, %d: the model takes no batch of 1", same)}
}

func batchOf(types []ops.Type) int {
	if len(types) == 0 || len(types[0].Shape) == 0 {
		return 1
	}
	return types[0].Shape[0]
}

// missingTier says what keeps int8 from being faster on a tier.
func missingTier(tier asm.Tier) []string {
	dot := []asm.Tier{asm.AVXVNNI, asm.AVX512VNNI, asm.DotProd, asm.I8MM}
	if slices.ContainsFunc(dot, tier.Includes) {
		return nil
	}
	return []string{fmt.Sprintf("tier %s has no dot product of bytes (VNNI, SDOT): int8 is about twice as fast as float32 at best, not four times", tier)}
}

// LimitsOf returns a function that measures the limits of a tier once for each
// number of threads.
func LimitsOf(tier asm.Tier) func(threads int) Limits {
	known := make(map[int]Limits)
	return func(threads int) Limits {
		if threads <= 0 {
			threads = fastcores.Threads()
		}
		l, ok := known[threads]
		if !ok {
			l = MeasureLimits(tier, threads)
			known[threads] = l
		}
		return l
	}
}

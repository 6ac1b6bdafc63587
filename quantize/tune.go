package quantize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/tensor"
)

// Target is what Tune has to reach, and by what means it may judge.
type Target struct {
	// Accuracy judges a model; see Labelled, Agreement and Cosine.
	Accuracy Accuracy
	// MaxDrop is by how much the quantized model's accuracy may be below the float
	// model's: 0.005 for half a point of a share.
	MaxDrop float64
	// Data are samples on which sensitivity and latency are measured; some tens are enough.
	Data Batches
	// Cost says what a module costs in each precision; nil measures its latency on
	// this CPU, one sample at a time. UnitCost makes the fewest modules the cheapest.
	Cost Cost
	// Order, when set, is the order in which modules fall back, and all of the
	// shortest prefix that suffices do: what Fallback would need, for comparison.
	Order []string
	// Progress, when set, is told what is about to be done.
	Progress func(what string)
}

// Tuning is what Tune found.
type Tuning struct {
	Float    float64 `json:"float"`  // accuracy of the float model
	Target   float64 `json:"target"` // the least accuracy that was asked for
	Accuracy float64 `json:"accuracy"`
	Cost     float64 `json:"cost"` // of the model, in the unit of Target.Cost, or in milliseconds
	// Fallback are the modules left in float.
	Fallback []string `json:"fallback"`
	// Modules are all that could fall back, in the order in which they were considered.
	Modules []ModuleSensitivity `json:"modules"`
	// Curve are the sets of modules that were tried, in order.
	Curve []TuningPoint `json:"curve"`
}

// TuningPoint is one set of modules in float, and what it gives.
type TuningPoint struct {
	Fallback []string `json:"fallback"`
	Accuracy float64  `json:"accuracy"`
	Cost     float64  `json:"cost"`
	Met      bool     `json:"met"`
}

// TargetError says that no set of modules in float was found to be accurate enough.
type TargetError struct {
	Best, Target float64
}

func (e *TargetError) Error() string {
	return fmt.Sprintf("quantize: the accuracy is %.4f at best where %.4f is asked for", e.Best, e.Target)
}

// Tune finds modules to leave in float so that the quantized model is accurate
// enough at the least cost. It ranks them by how much noise they put into the
// model's outputs for each unit of cost that int8 saves, lets a growing number of
// the first fall back until the accuracy suffices, and then takes back into int8
// whichever of them it can spare, the dearest first. At last those fall back that cost
// more in int8 than in float, where that makes the model cheaper and keeps it accurate enough: modules
// and, where latency is measured, whole stretches between float ones, since each quantizes its inputs and dequantizes its results.
//
// The modules it finds are added to the quantizer's exclusions: Quantize then
// gives the tuned model. When the target cannot be met, Tune returns what it
// tried together with a *TargetError, and nothing is excluded.
func (q *Quantizer) Tune(ctx context.Context, m *graph.Graph, target Target) (*Tuning, error) {
	if target.Accuracy == nil || target.Data == nil && (target.Order == nil || target.Cost == nil) {
		return nil, errors.New("quantize: tuning needs an accuracy function and data")
	}
	if !(target.MaxDrop >= 0) {
		return nil, fmt.Errorf("quantize: a tolerated drop of %v: it must be at least 0", target.MaxDrop)
	}
	t := &tuner{ctx: ctx, q: q, model: m, target: target, points: make(map[string]int), measure: nodeLatencies}
	if err := t.tune(); err != nil {
		return &t.result, err
	}
	q.Exclude(t.result.Fallback...)
	return &t.result, nil
}

type tuner struct {
	ctx    context.Context
	q      *Quantizer
	model  *graph.Graph
	target Target
	cost   *costs
	result Tuning
	points map[string]int // index in the curve, by the sorted names of the modules

	measure func(context.Context, *graph.Graph, graph.Options, []*tensor.Tensor) (map[*graph.Node]float64, float64, error) // see costs
}

func (t *tuner) say(format string, args ...any) {
	if t.target.Progress != nil {
		t.target.Progress(fmt.Sprintf(format, args...))
	}
}

func (t *tuner) tune() error {
	t.say("float accuracy")
	var err error
	if t.result.Float, err = t.target.Accuracy(t.ctx, t.model); err != nil {
		return err
	}
	t.result.Target = t.result.Float - t.target.MaxDrop
	if t.cost, err = t.measureCosts(); err != nil {
		return err
	}
	found, err := t.suffice()
	if err == nil && t.target.Order == nil {
		found, err = t.quicken(found)
	}
	if err == nil && t.target.Order == nil && t.target.Cost == nil {
		found, err = t.quickenStretches(found)
	}
	t.choose(found)
	return err
}

// suffice returns modules to leave in float for the accuracy.
func (t *tuner) suffice() (TuningPoint, error) {
	whole, err := t.try(nil)
	if err != nil || whole.Met {
		return whole, err
	}
	order := t.target.Order
	if order == nil {
		if t.result.Modules, err = t.rank(); err != nil {
			return whole, err
		}
		for _, m := range t.result.Modules {
			order = append(order, m.Name)
		}
	}
	found, err := t.grow(order)
	if err == nil && t.target.Order == nil {
		return t.spare(found)
	}
	return found, err
}

func (t *tuner) choose(p TuningPoint) {
	t.result.Fallback, t.result.Accuracy, t.result.Cost = p.Fallback, p.Accuracy, p.Cost
}

// try quantizes with the given modules in float.
func (t *tuner) try(fallback []string) (TuningPoint, error) {
	sorted := slices.Sorted(slices.Values(fallback))
	key := strings.Join(sorted, "\n")
	if i, ok := t.points[key]; ok {
		return t.result.Curve[i], nil
	}
	t.say("%d modules in float", len(fallback))
	trial := *t.q
	trial.Exclude(fallback...)
	m, err := trial.QuantizeContext(t.ctx, t.model)
	if err != nil {
		return TuningPoint{}, err
	}
	p := TuningPoint{Fallback: slices.Clone(fallback)}
	if p.Accuracy, err = t.target.Accuracy(t.ctx, m); err != nil {
		return TuningPoint{}, err
	}
	if p.Cost, err = t.cost.of(t.ctx, m, fallback); err != nil {
		return TuningPoint{}, err
	}
	// A share of samples is no exact number: what is the target up to rounding meets it.
	p.Met = p.Accuracy >= t.result.Target-1e-9
	t.points[key] = len(t.result.Curve)
	t.result.Curve = append(t.result.Curve, p)
	return p, nil
}

// grow returns the shortest prefix of the order that meets the target, as far
// as accuracy grows with it: it doubles the length, then halves the gap.
func (t *tuner) grow(order []string) (TuningPoint, error) {
	low, n := 0, 1
	var found TuningPoint
	for {
		n = min(n, len(order))
		p, err := t.try(order[:n])
		if err != nil {
			return p, err
		}
		if p.Met {
			found = p
			break
		}
		if n == len(order) {
			return p, &TargetError{Best: t.best(), Target: t.result.Target}
		}
		low, n = n, 2*n
	}
	for high := n; high-low > 1; {
		middle := (low + high) / 2
		p, err := t.try(order[:middle])
		if err != nil {
			return p, err
		}
		if p.Met {
			high, found = middle, p
		} else {
			low = middle
		}
	}
	return found, nil
}

func (t *tuner) best() float64 {
	best := math.Inf(-1)
	for _, p := range t.result.Curve {
		best = max(best, p.Accuracy)
	}
	return best
}

// spare takes modules back into int8 as long as the target is met, first those
// that cost most in float.
func (t *tuner) spare(p TuningPoint) (TuningPoint, error) {
	order := slices.Clone(p.Fallback)
	sorting.Func(order, func(a, b string) int {
		switch ca, cb := t.cost.saved(a), t.cost.saved(b); {
		case ca > cb:
			return -1
		case ca < cb:
			return 1
		}
		// Of equals, the one with less noise.
		return slices.Index(p.Fallback, b) - slices.Index(p.Fallback, a)
	})
	for _, name := range order {
		if len(p.Fallback) == 1 {
			break
		}
		without := slices.DeleteFunc(slices.Clone(p.Fallback), func(n string) bool { return n == name })
		next, err := t.try(without)
		if err != nil {
			return p, err
		}
		if next.Met && t.cost.within(next.Cost, p.Cost) {
			p = next
		}
	}
	return p, nil
}

// quicken leaves in float what costs more in int8, all of it or else what it can, the worst first.
func (t *tuner) quicken(p TuningPoint) (TuningPoint, error) {
	modules, err := t.q.layerModules(t.model)
	if err != nil {
		return p, err
	}
	modules = slices.DeleteFunc(modules, func(name string) bool { return !t.cost.slower(name) || slices.Contains(p.Fallback, name) })
	sorting.Func(modules, func(a, b string) int { return compareDescending(t.cost.saved(b), t.cost.saved(a)) })
	for _, more := range slices.Concat([][]string{modules}, slices.Collect(slices.Chunk(modules, 1))) {
		more = slices.DeleteFunc(slices.Clone(more), func(name string) bool { return slices.Contains(p.Fallback, name) })
		if len(more) == 0 {
			continue
		}
		next, err := t.try(slices.Concat(p.Fallback, more))
		if err != nil {
			return p, err
		}
		if next.Met && next.Cost < p.Cost {
			p = next
		}
	}
	return p, nil
}

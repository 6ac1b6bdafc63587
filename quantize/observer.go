package quantize

import (
	"fmt"
	"math"
	"sync"

	"github.com/octet-ml/octet/tensor"
)

// Observer watches the values of one tensor over the batches of a calibration
// and derives quantization parameters from them. All methods may be called by
// several goroutines at once.
type Observer interface {
	// Observe takes in a batch: a float32 tensor of any layout. A batch without
	// elements changes nothing. A batch with a NaN or an infinity is refused as a
	// whole with an ObserverError of ErrNotFinite.
	Observe(x *tensor.Tensor) error
	// QParams returns the parameters for everything observed so far. It fails with
	// ErrNoData before the first value. Constant data gives the scale at which
	// the constant is the end of the range, and zeros the scale 2^-23.
	QParams() (*tensor.QParams, error)
	// Config returns what the observer was made from.
	Config() ObserverConfig
	// Name returns the name of the observed value.
	Name() string
	// Merge takes in everything that another observer of the same configuration
	// has seen, as if it had been observed here after what was seen so far.
	Merge(other Observer) error
	// State returns a copy of what was observed, and Restore replaces it by one.
	State() State
	Restore(State) error
}

// Kind names a way to derive a range from observed values.
type Kind string

// The kinds.
const (
	// MinMax takes the least and greatest value, per tensor or per channel.
	MinMax Kind = "minmax"
	// MovingAverage averages the extremes of the batches, per tensor or per channel.
	MovingAverage Kind = "moving-average"
	// Histogram is PyTorch's HistogramObserver: the range of least squared error by a greedy search.
	Histogram Kind = "histogram"
	// Percentile cuts off a share of the values at each end.
	Percentile Kind = "percentile"
	// Entropy takes the range of least Kullback-Leibler divergence.
	Entropy Kind = "entropy"
	// MSE takes the range of least mean square error.
	MSE Kind = "mse"
)

// Kinds returns the kinds that an ObserverConfig can make.
func Kinds() []Kind {
	return []Kind{MinMax, MovingAverage, Histogram, Percentile, Entropy, MSE}
}

// ObserverConfig makes observers of one configuration.
type ObserverConfig struct {
	Kind Kind `json:"kind"`
	Spec Spec `json:"spec"`
	// Percentile is the share of the values, in percent, that Percentile keeps at
	// each end; 0 means 99.99.
	Percentile float64 `json:"percentile,omitempty"`
	// AveragingConstant is the weight MovingAverage gives to a new batch; 0 means 0.01.
	AveragingConstant float32 `json:"averaging_constant,omitempty"`
}

// DefaultPercentile and DefaultAveragingConstant are what zero fields of an
// ObserverConfig mean.
const (
	DefaultPercentile        = 99.99
	DefaultAveragingConstant = 0.01
)

// ConfigError says what is wrong with an ObserverConfig.
type ConfigError struct {
	Kind   Kind
	Reason string
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("quantize: bad observer configuration %q: %s", e.Kind, e.Reason)
}

// Validate returns a ConfigError or a SpecError.
func (c ObserverConfig) Validate() error {
	if err := c.Spec.Validate(); err != nil {
		return err
	}
	switch c.Kind {
	case MinMax:
	case MovingAverage:
		if a := c.AveragingConstant; !(a >= 0 && a <= 1) {
			return &ConfigError{c.Kind, fmt.Sprintf("averaging constant %v is outside 0 to 1", a)}
		}
	case Histogram, Percentile, Entropy, MSE:
		if c.Spec.Scheme.PerChannel() {
			return &ConfigError{c.Kind, "it has no per-channel form"}
		}
		if c.Spec.DType == tensor.Int32 {
			return &ConfigError{c.Kind, "it needs an 8-bit element type"}
		}
		if p := c.Percentile; c.Kind == Percentile && !(p == 0 || p > 50 && p <= 100) {
			return &ConfigError{c.Kind, fmt.Sprintf("percentile %v is outside 50 to 100", p)}
		}
	default:
		return &ConfigError{c.Kind, fmt.Sprintf("unknown kind; one of %v", Kinds())}
	}
	return nil
}

// New returns an observer for the value of the given name.
func (c ObserverConfig) New(name string) (Observer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	switch c.Kind {
	case MinMax, MovingAverage:
		return &rangeObserver{base: base{name: name, config: c}}, nil
	case Histogram:
		return &histogramObserver{base: base{name: name, config: c}}, nil
	}
	return &gridObserver{base: base{name: name, config: c}}, nil
}

// State is what an observer has seen, in a form that survives JSON.
type State struct {
	Config  ObserverConfig `json:"config"`
	Batches int64          `json:"batches"`
	Min     []float32      `json:"min,omitempty"` // one, or one per channel
	Max     []float32      `json:"max,omitempty"`
	// Counts are Histogram's 2048 bins between Min and Max.
	Counts []float32 `json:"counts,omitempty"`
	// GridCounts are the counts of Percentile, Entropy and MSE: bin i holds the
	// values from (GridFirst+i) * 2^GridExponent.
	GridCounts   []int64 `json:"grid_counts,omitempty"`
	GridFirst    int64   `json:"grid_first,omitempty"`
	GridExponent int     `json:"grid_exponent,omitempty"`
	// Partials are instead of Min and Max in the state of a shard; see Quantizer.Shard.
	Partials *Partials `json:"partials,omitempty"`
}

// NewObserver returns an observer in the given state.
func (s State) NewObserver(name string) (Observer, error) {
	if s.Partials != nil {
		r, err := newRecorder(name, s.Config)
		if err != nil {
			return nil, err
		}
		return r, r.Restore(s)
	}
	o, err := s.Config.New(name)
	if err != nil {
		return nil, err
	}
	return o, o.Restore(s)
}

// as returns the state of an observer of another configuration that would have
// seen the same, and false when the statistics are others.
func (s State) as(c ObserverConfig) (State, bool) {
	if s.Batches > 0 && c.Spec.Scheme.PerChannel() != s.Config.Spec.Scheme.PerChannel() {
		return State{}, false
	}
	ok := false
	switch c.Kind {
	case MinMax:
		// A histogram's range may be a little wider than the data.
		ok = s.Config.Kind == MinMax || s.GridCounts != nil
		s.GridCounts, s.GridFirst, s.GridExponent = nil, 0, 0
	case MovingAverage:
		ok = s.Config.Kind == MovingAverage && s.Config.AveragingConstant == c.AveragingConstant
	case Histogram:
		ok = s.Config.Kind == Histogram
	case Percentile, Entropy, MSE:
		ok = s.GridCounts != nil
	}
	s.Config = c
	return s, (ok || s.Batches == 0) && s.Partials == nil
}

// base is what all observers of data have in common.
type base struct {
	mu      sync.Mutex
	name    string
	config  ObserverConfig
	batches int64
}

func (b *base) Name() string           { return b.name }
func (b *base) Config() ObserverConfig { return b.config }

//go:noinline
func (b *base) fail(err error) error { return &ObserverError{b.name, b.config.Kind, err} }

func (b *base) mismatch(format string, args ...any) error {
	return b.fail(fmt.Errorf("%w: %s", ErrMismatch, fmt.Sprintf(format, args...)))
}

// values returns the elements of a batch in row-major order.
func (b *base) values(x *tensor.Tensor) ([]float32, error) {
	if x == nil || x.DType() != tensor.Float32 {
		return nil, b.mismatch("it observes float32, not %v", x)
	}
	return x.Contiguous().Float32s(), nil
}

// other returns the state of an observer to merge with, nil when it is empty.
// The state is taken before the receiver is locked, so that two observers may be
// merged into each other at once.
func (b *base) other(o Observer) (*State, error) {
	if o == nil {
		return nil, b.mismatch("merging with no observer")
	}
	s := o.State()
	if s.Config != b.config {
		return nil, b.mismatch("merging %v of %q", s.Config, o.Name())
	}
	if s.Partials != nil {
		return nil, b.mismatch("merging %q, which has seen a shard", o.Name())
	}
	if s.Batches == 0 {
		return nil, nil
	}
	return &s, nil
}

// checkState refuses a state that no observer of this configuration can be in:
// states come from files.
func (b *base) checkState(s State) error {
	if s.Config != b.config {
		return b.mismatch("the state is one of %v", s.Config)
	}
	if s.Partials != nil {
		return b.mismatch("the state is of a shard")
	}
	if s.Batches < 0 || len(s.Min) != len(s.Max) || (s.Batches == 0) != (len(s.Min) == 0) {
		return b.mismatch("the state has %d batches, %d minima and %d maxima", s.Batches, len(s.Min), len(s.Max))
	}
	if !b.config.Spec.Scheme.PerChannel() && len(s.Min) > 1 {
		return b.mismatch("the state has %d channels", len(s.Min))
	}
	for i, lo := range s.Min {
		if hi := s.Max[i]; !(lo <= hi) || !isFinite(lo) || !isFinite(hi) {
			return b.mismatch("the state has the range %v to %v", lo, hi)
		}
	}
	return nil
}

// String formats the configuration as "minmax uint8 per_tensor_affine [0, 255]".
func (c ObserverConfig) String() string { return fmt.Sprintf("%s %v", c.Kind, c.Spec) }

func isFinite(v float32) bool { return v-v == 0 }

// minMax returns the least and greatest of at least one value, and whether all
// are finite.
func minMax(x []float32) (lo, hi float32, finite bool) {
	lo, hi = x[0], x[0]
	// v*0 is NaN exactly for a NaN or an infinity, and a sum keeps it. Four
	// lanes, so that no comparison waits for the one before it.
	lo1, lo2, lo3 := lo, lo, lo
	hi1, hi2, hi3 := hi, hi, hi
	var s0, s1, s2, s3 float32
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d := x[0], x[1], x[2], x[3]
		s0 += a * 0
		s1 += b * 0
		s2 += c * 0
		s3 += d * 0
		if a < lo {
			lo = a
		}
		if b < lo1 {
			lo1 = b
		}
		if c < lo2 {
			lo2 = c
		}
		if d < lo3 {
			lo3 = d
		}
		if a > hi {
			hi = a
		}
		if b > hi1 {
			hi1 = b
		}
		if c > hi2 {
			hi2 = c
		}
		if d > hi3 {
			hi3 = d
		}
	}
	for _, v := range x {
		s0 += v * 0
		lo, hi = min(lo, v), max(hi, v)
	}
	return min(lo, lo1, lo2, lo3), max(hi, hi1, hi2, hi3), s0+s1+s2+s3 == 0
}

// channels returns how a contiguous tensor divides along an axis: outer blocks
// of channels runs of inner elements.
func channels(shape tensor.Shape, axis int) (outer, count, inner int) {
	outer, inner = 1, 1
	for i, d := range shape {
		switch {
		case i < axis:
			outer *= d
		case i == axis:
			count = d
		default:
			inner *= d
		}
	}
	return outer, count, inner
}

var inf32 = float32(math.Inf(1))

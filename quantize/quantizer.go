package quantize

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// Options configure a Quantizer. The zero value is the Native backend for every
// module on this machine's processor family.
type Options struct {
	// Backend is how the target wants models; nil is Native.
	Backend *Backend `json:"backend"`
	// Filter says which modules are quantized.
	Filter Filter `json:"filter"`
	// Device is the processor family whose defaults the backend takes.
	Device Device `json:"device"`
	// Dynamic quantizes linear layers only, and their activations while they run,
	// each row to its own range: nothing has to be calibrated but what CorrectBias and Rounding need, and all other
	// operators stay float32, embeddings with tables in int8. It is for backends with a DynamicForm: Native.
	Dynamic bool `json:"dynamic,omitempty"`
	// Activation and Weight, when set, replace the backend's observers.
	Activation *ObserverConfig `json:"activation,omitempty"`
	Weight     *ObserverConfig `json:"weight,omitempty"`
	// Bias, when set, says which integers biases become where the backend rounds
	// them, Native and DISC: int32, symmetric, all of them unless Min and Max are given. A bias
	// has no range to observe: its scale is that of the products it is added to.
	Bias *Spec `json:"bias,omitempty"`
	// Fixed are parameters of activations that are known otherwise, by the name of
	// the value as in Parameters. They are used instead of what is observed.
	Fixed map[string]*tensor.QParams `json:"fixed,omitempty"`
	// Equalize balances the weights of consecutive layers per channel before
	// anything is observed; see docs/quantization.md.
	Equalize bool `json:"equalize,omitempty"`
	// CorrectBias takes out of each layer's bias what quantizing its weight adds to
	// its outputs on average over the calibration data.
	CorrectBias bool `json:"correct_bias,omitempty"`
	// Rounding is how weights are rounded. Learned is worth its time below 8 bits.
	Rounding Rounding `json:"rounding,omitempty"`
	// Smooth moves outliers of channels from activations to the weights of linear layers.
	Smooth Smoothing `json:"smooth,omitempty"`
	// Forward says how the proxy for training computes what is quantized.
	Forward Forward `json:"forward,omitempty"`
	// Session says how the proxy models run.
	Session graph.Options `json:"-"`
}

// Override changes the observers of a Quantizer at one of its calls, and from
// then on.
type Override func(*Options)

// WithActivation observes activations in another way. What was observed before
// is kept where the new configuration works from the same statistics: any range
// from MinMax, and Percentile, Entropy and MSE from each other.
func WithActivation(c ObserverConfig) Override { return func(o *Options) { o.Activation = &c } }

// WithWeight observes weights in another way.
func WithWeight(c ObserverConfig) Override { return func(o *Options) { o.Weight = &c } }

// WithBits stores activations and weights as integers of so many bits, 2 to 8, in the
// bytes that they take anyway; see Spec.WithBits. All else about the observers stays.
func WithBits(activation, weight int) Override {
	return func(o *Options) {
		obs, err := o.Observers()
		if err != nil {
			return // the call that this is given to reports it
		}
		obs.Activation.Spec, obs.Weight.Spec = obs.Activation.Spec.WithBits(activation), obs.Weight.Spec.WithBits(weight)
		o.Activation, o.Weight = &obs.Activation, &obs.Weight
	}
}

// WithPairSafeWeights makes weights pair-safe; see Spec.
func WithPairSafeWeights() Override {
	return func(o *Options) {
		obs, err := o.Observers()
		if err != nil {
			return // the call that this is given to reports it
		}
		obs.Weight.Spec.PairSafe = true
		o.Weight = &obs.Weight
	}
}

// WithBias quantizes biases to other integers.
func WithBias(s Spec) Override { return func(o *Options) { o.Bias = &s } }

// Quantizer makes proxy models of a float model: for calibration, for measuring
// sensitivity, and the quantized model itself. What calibration observes stays
// in the Quantizer, under the names of the model's values, so that all proxies
// of one model share it.
//
// The methods of a Quantizer may not be called at the same time; the proxies
// it returns may run while it is not in use.
type Quantizer struct {
	opts      Options
	observers Observers
	edges     map[string]*Edge       // of the values of the model at hand of which rules of the backend say something
	joins     map[string]joined      // of its values that are concatenated
	pooled    map[string]bool        // its values without positions
	functions map[string]*function   // its values that nothing but a function takes
	results   map[string]*function   // and those that a function makes of others
	values    map[string]Observer    // of activations, by the value's name
	moments   map[string]*momentSums // of layers' inputs, by the name of their weight
	channels  map[string]Observer    // of the inputs of layers that can be smoothed, by the name of their weight
	smoothed  map[string]*smoothed   // values of the model at hand that are, by name
	rounded   map[constantsKey]*constants
	safe      map[safeKey]*tensor.QParams // of pair-safe weights
	seed      maphash.Seed                // of the hashes in keys of rounded and safe
	report    *Report
	learned   *QAT // the last proxy for training, nil without one
	static    bool // no layer quantizes rows while it runs: training has scales for all inputs
	outliers  bool // rows are quantized because of outliers in the model at hand, and Backend.SmoothOutliers says what that means

	part     *Part       // nil: all of the data
	partRead bool        // part is a file's, to be merged or for a second pass, not to be observed into
	model    string      // digest of the model that was observed, "" while that is not known
	prepared *graph.Info // how samples became inputs, nil while that is not known
	file     string      // that Load has read
	digested struct {
		of  *graph.Graph
		sum string
	}
}

// New returns a Quantizer. Errors of the options are reported by the first
// method that needs them.
func New(opts Options) *Quantizer {
	opts.Backend = named(opts.Backend)
	return &Quantizer{
		opts: opts, values: make(map[string]Observer), moments: make(map[string]*momentSums), channels: make(map[string]Observer), rounded: make(map[constantsKey]*constants),
		safe: make(map[safeKey]*tensor.QParams),
		seed: maphash.MakeSeed(),
	}
}

// Options returns the options as overrides and fallbacks have left them.
func (q *Quantizer) Options() Options { return q.opts }

// SetOptions replaces the options. What was observed is kept; see WithActivation.
func (q *Quantizer) SetOptions(opts Options) error {
	before := q.opts
	opts.Backend = named(opts.Backend)
	q.opts = opts
	err := q.configure(nil)
	if err != nil {
		q.opts = before
	}
	return err
}

// Observers returns the observers that the options choose.
func (o Options) Observers() (Observers, error) {
	obs, err := named(o.Backend).Observers(o.Device)
	if o.Activation != nil {
		obs.Activation = *o.Activation
	}
	if o.Weight != nil {
		obs.Weight = *o.Weight
	}
	return obs, err
}

// named returns the backend that an option stands for.
func named(b *Backend) *Backend {
	if b == nil {
		return Native
	}
	return b
}

// backend returns the backend as the options have it.
func (o Options) backend() *Backend {
	b := named(o.Backend)
	if o.Dynamic && b.DynamicForm != nil {
		return b.DynamicForm
	}
	return b
}

// configure resolves the observers to use.
func (q *Quantizer) configure(overrides []Override) error {
	for _, f := range overrides {
		f(&q.opts)
	}
	o, err := q.opts.Observers()
	if err != nil {
		return err
	}
	if err := checkActivation(o.Activation); err != nil {
		return &OptionError{"Activation", err}
	}
	if err := checkWeight(o.Weight); err != nil {
		return &OptionError{"Weight", err}
	}
	if q.opts.Dynamic && named(q.opts.Backend).DynamicForm == nil {
		return &OptionError{"Dynamic", fmt.Errorf("the backend %v has no form that quantizes activations while running", q.opts.Backend)}
	}
	for i := range q.opts.backend().Rules {
		if err := q.opts.backend().Rules[i].validate(); err != nil {
			return &OptionError{"Backend", fmt.Errorf("rule %d of %v: %w", i, q.opts.Backend, err)}
		}
	}
	if int(q.opts.Rounding) >= len(roundingNames) {
		return &BackendError{"rounding", q.opts.Rounding.String(), roundingNames}
	}
	for name, p := range q.opts.Fixed {
		if err := checkFixed(p); err != nil {
			return &OptionError{"Fixed", fmt.Errorf("%q: %w", name, err)}
		}
	}
	if err := q.opts.Smooth.validate(); err != nil {
		return &OptionError{"Smooth", err}
	}
	if err := q.opts.checkBias(); err != nil {
		return &OptionError{"Bias", err}
	}
	q.observers = o
	return nil
}

// Calibration is a proxy of a float model that observes while it runs. Its
// outputs are those of the float model, bit for bit.
type Calibration struct {
	session *graph.Session
}

// Calib returns a proxy of the float model m whose runs feed the quantizer's
// observers. It continues what was observed before, in this process or another.
// The proxy of an open model is open: what it then runs on is what AMP and
// Quantize take the model to be.
func (q *Quantizer) Calib(m *graph.Graph, overrides ...Override) (*Calibration, error) {
	if q.partRead {
		return nil, q.whole()
	}
	g, err := graph.Derive(m, func(m *graph.Graph) (*graph.Graph, error) { return q.observing(m, overrides) })
	if err != nil {
		return nil, err
	}
	s, err := g.Compile(q.opts.Session)
	if err != nil {
		return nil, err
	}
	return &Calibration{s}, nil
}

// Calibrate runs the float model m on all of data under the quantizer's observers, as Calib
// does for callers with a loop of their own. When it fails, what was observed until then stays.
func (q *Quantizer) Calibrate(ctx context.Context, m *graph.Graph, data Batches, overrides ...Override) error {
	c, err := q.Calib(m, overrides...)
	if err != nil {
		return err
	}
	defer c.Close()
	for x, err := range data {
		if err != nil {
			return err
		}
		if _, err := c.Run(ctx, x...); err != nil {
			return err
		}
	}
	return nil
}

// observing returns the float model m with observers.
func (q *Quantizer) observing(m *graph.Graph, overrides []Override) (*graph.Graph, error) {
	p, err := q.prepareModel(m, overrides, (*Quantizer).smoothable)
	if err != nil {
		return nil, err
	}
	switch {
	case q.model == "":
		q.model = p.digest
	case q.part == nil || q.part.Pass == 1: // the second pass observes all anew
		q.withoutUnknown(p)
	}
	nodes := len(p.graph.Nodes)
	first := samplesFirst(p.graph)
	for _, v := range p.observed {
		if !q.isObserved(p.names[v]) {
			continue
		}
		obs, err := q.observer(p.names[v])
		if errors.Is(err, ErrMismatch) {
			// Other statistics are needed: this starts anew.
			delete(q.values, p.names[v])
			obs, err = q.observer(p.names[v])
		}
		if err != nil {
			return nil, err
		}
		if _, err := p.graph.Add(scopeOf(v), observeOp{to: obs, samples: first[v]}, v); err != nil {
			return nil, err
		}
	}
	if q.opts.needsMoments() {
		if err := q.observeMoments(p, first); err != nil {
			return nil, err
		}
	}
	if err := q.observeChannels(p, first); err != nil {
		return nil, err
	}
	hoist(p.graph, nodes)
	return p.graph, nil
}

// withoutUnknown leaves out what the channels of what was observed before, by an older version, are not known of, but for what the options ask for.
func (q *Quantizer) withoutUnknown(p *prepared) {
	if q.opts.Smooth == NoSmoothing && len(q.channels) == 0 {
		p.smoothed = nil
	}
	var known []*depthwiseInput
	for _, d := range p.depthwise {
		if q.channels[p.layers[d.first]] != nil {
			known = append(known, d)
		}
	}
	p.depthwise = known
}

// observer returns the observer of a value, making it at first use.
func (q *Quantizer) observer(name string) (Observer, error) {
	config := q.observers.Activation
	if e := q.edges[name]; e != nil && e.Observer != nil {
		config = *e.Observer
	}
	have := q.values[name]
	if have != nil && have.Config() == config {
		return have, nil
	}
	o, err := q.newObserver(name, config)
	if err != nil {
		return nil, err
	}
	if have != nil {
		s, ok := have.State().as(config)
		if !ok {
			return nil, &ObserverError{name, config.Kind, fmt.Errorf("%w: it was calibrated as %v", ErrMismatch, have.Config())}
		}
		if err := o.Restore(s); err != nil {
			return nil, err
		}
	}
	q.values[name] = o
	return o, nil
}

// newObserver returns an observer of the data, or of a shard.
func (q *Quantizer) newObserver(name string, config ObserverConfig) (Observer, error) {
	if q.part != nil && recorded(config.Kind) {
		if q.part.Pass == 2 {
			return nil, &ShardError{fmt.Sprintf("the first pass did not observe %q as %v: run both passes with the same options", name, config)}
		}
		return newRecorder(name, config)
	}
	return config.New(name)
}

// isObserved reports whether a value's parameters come from its own range.
func (q *Quantizer) isObserved(name string) bool {
	e := q.edges[name]
	return q.opts.Fixed[name] == nil && (e == nil || e.Observer != nil)
}

// activation returns the parameters of a value.
func (q *Quantizer) activation(name string) (*tensor.QParams, error) {
	if l := q.learned.activation(name); l != nil {
		return l.qparams()
	}
	if p := q.opts.Fixed[name]; p != nil {
		return p, nil
	}
	if p, err := q.edge(name); p != nil || err != nil {
		return p, err
	}
	if from, err := q.sharedWith(name); err != nil {
		return nil, err
	} else if from != "" {
		return q.activation(from)
	}
	p, err := q.observedParameters(name)
	if err != nil {
		return nil, err
	}
	return q.multiplied(name, p)
}

// observedParameters returns the parameters that follow from a value's own range.
func (q *Quantizer) observedParameters(name string) (*tensor.QParams, error) {
	obs, err := q.observer(name)
	if err != nil {
		return nil, err
	}
	if s := q.smoothed[name]; s != nil {
		return s.qparams(obs.Config().Spec)
	}
	if b := q.opts.backend(); b.PooledExtremes && q.pooled[name] && obs.Config().Kind == b.Activation.Kind && obs.Config().Spec.levels() >= 255 {
		config := obs.Config()
		config.Kind = MinMax
		if s, ok := obs.State().as(config); ok {
			if obs, err = s.NewObserver(name); err != nil {
				return nil, err
			}
		}
	}
	p, err := q.behind(name, obs)
	if p == nil && err == nil {
		p, err = obs.QParams()
	}
	if errors.Is(err, ErrNoData) {
		return nil, fmt.Errorf("%w: run the calibration on data first", err)
	}
	return p, err
}

func scopeOf(v *graph.Value) graph.Scope {
	if v.Node == nil {
		return graph.Scope{}
	}
	return v.Node.Scope
}

// Run computes the float outputs and observes. It may be called with batches of
// any size, and from several goroutines; observers that depend on the order of
// batches then depend on which comes first. Rows of the inputs that only fill up a batch, as tensor.Samples says, are not
// observed in activations whose elements are those of one sample after another; other activations are observed whole.
func (c *Calibration) Run(ctx context.Context, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	return c.session.Run(withSamples(ctx, inputs), inputs...)
}

// Close releases the proxy's workers.
func (c *Calibration) Close() { c.session.Close() }

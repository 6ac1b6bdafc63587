package quantize

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Smoothing moves outliers of single channels from activations to weights in front of linear layers (Xiao et al., "SmoothQuant", 2022): what the
// constants of a norm, or of a product with a vector, are divided by for each channel, the columns of the layers behind it are multiplied
// with, so that the model computes the same. The factor of a channel is max|x|^a / max|w|^(1-a), a the migration strength.
type Smoothing float32

const (
	// NoSmoothing leaves the model as it is, but for what Backend.SmoothOutliers says.
	NoSmoothing Smoothing = 0
	// AutoSmoothing chooses for each norm the strength, or none, with which the error that quantization is expected to add is least.
	AutoSmoothing Smoothing = -1
	// DefaultSmoothing is the strength that the paper takes for most models.
	DefaultSmoothing Smoothing = 0.5
)

// String returns what UnmarshalText takes.
func (s Smoothing) String() string {
	switch s {
	case NoSmoothing:
		return "none"
	case AutoSmoothing:
		return "auto"
	}
	return strconv.FormatFloat(float64(s), 'g', -1, 32)
}

// MarshalText returns what String does.
func (s Smoothing) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes "auto", "none" or a strength above 0 and at most 1.
func (s *Smoothing) UnmarshalText(text []byte) error {
	switch string(text) {
	case "none":
		*s = NoSmoothing
	case "auto":
		*s = AutoSmoothing
	default:
		v, err := strconv.ParseFloat(string(text), 32)
		if err != nil || !(v > 0) || Smoothing(v).validate() != nil {
			return fmt.Errorf("quantize: smoothing %q is none of \"auto\", \"none\" and a strength above 0 and at most 1", text)
		}
		*s = Smoothing(v)
	}
	return nil
}

func (s Smoothing) validate() error {
	if s == NoSmoothing || s == AutoSmoothing || s > 0 && s <= 1 {
		return nil
	}
	return fmt.Errorf("the strength %v is not above 0 and at most 1", float32(s))
}

// smoothed is a value whose channels, its last dimension, factors can divide, with the layers that alone take it.
type smoothed struct {
	scales []*graph.Value // constants that scale the channels
	offset *graph.Value   // the one of them that is added, nil where none is or a layer has no bias
	layers []smoothedLayer
	lo, hi []float32 // of the channels, nil where they have not been observed
	shift  []float32 // what is subtracted from the channels
	factor []float32 // what they are divided by then; nil: they stay as they are
}

// smoothedLayer is the constants of a layer that takes the channels.
type smoothedLayer struct {
	weight *graph.Value
	axis   int          // of the weight, that channels are
	bias   *graph.Value // nil without one
}

// smoothable lists the values of a model that can be smoothed.
func smoothable(g *graph.Graph) []*smoothed {
	uses, byName := make(map[*graph.Value][]*graph.Node), make(map[string]int)
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			uses[v] = append(uses[v], n)
			if v.Const != nil {
				byName[v.Name]++
			}
		}
	}
	own := func(v *graph.Value) bool { // nothing else has the constant
		return v.Const != nil && v.Type.DType == tensor.Float32 && v.Name != "" && byName[v.Name] == 1
	}
	var list []*smoothed
	for _, n := range g.Nodes {
		scales := formOf(n).ChannelScales
		if len(scales) == 0 || len(n.Outputs) != 1 {
			continue
		}
		s := &smoothed{}
		for _, i := range scales {
			s.scales = append(s.scales, n.Inputs[i])
		}
		if i := formOf(n).ChannelOffset; i > 0 {
			s.offset = n.Inputs[i]
		}
		if !slices.ContainsFunc(s.scales, func(v *graph.Value) bool { return !own(v) }) && s.follow(g, n.Outputs[0], uses, own) && len(s.layers) > 0 {
			list = append(list, s)
		}
	}
	return list
}

// follow lists the layers that take a value, and reports whether nothing else does.
func (s *smoothed) follow(g *graph.Graph, v *graph.Value, uses map[*graph.Value][]*graph.Node, own func(*graph.Value) bool) bool {
	if slices.Contains(g.Outputs, v) {
		return false
	}
	for _, n := range uses[v] {
		f := formOf(n)
		switch w := f.ChannelWeight; {
		case n.Inputs[0] != v || slices.Contains(n.Inputs[1:], v):
			return false
		case w != nil:
			if !own(n.Inputs[w.Input]) {
				return false
			}
			l := smoothedLayer{weight: n.Inputs[w.Input], axis: w.Axis}
			if w.Bias > 0 && own(n.Inputs[w.Bias]) {
				l.bias = n.Inputs[w.Bias]
			} else {
				s.offset = nil
			}
			s.layers = append(s.layers, l)
		case !f.Shares || f.FillsIn || !keepsChannels(n) || !s.follow(g, n.Outputs[0], uses, own):
			return false
		}
	}
	return true
}

// keepsChannels reports whether an operator that moves values leaves each of them in its channel: it is given the numbers of the channels.
func keepsChannels(n *graph.Node) bool {
	in, out := n.Inputs[0].Type.Shape, n.Outputs[0].Type.Shape
	if len(in) == 0 || len(out) == 0 || in[len(in)-1] != out[len(out)-1] {
		return false
	}
	channels := in[len(in)-1]
	x, err := tensor.New(tensor.Float32, in...)
	if err != nil {
		return false
	}
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i % channels)
	}
	inputs := []*tensor.Tensor{x}
	for _, v := range n.Inputs[1:] {
		if v.Const == nil {
			return false
		}
		inputs = append(inputs, v.Const)
	}
	y, err := ops.Eval(n.Op, asm.Generic, nil, inputs...)
	if err != nil {
		return false
	}
	for i, c := range y[0].Contiguous().Float32s() {
		if c != float32(i%channels) {
			return false
		}
	}
	return true
}

// smoothable lists the values that the options, or what may be observed yet, let smooth.
func (q *Quantizer) smoothable(g *graph.Graph) ([]*smoothed, error) {
	if q.opts.Smooth == NoSmoothing && !q.opts.backend().SmoothOutliers {
		return nil, nil
	}
	return smoothable(g), nil
}

// smoothing is what the options ask for, or the backend where there are outliers.
func (q *Quantizer) smoothing() Smoothing {
	if q.opts.Smooth == NoSmoothing && q.outliers {
		return DefaultSmoothing // what AutoSmoothing expects is of one range for all rows
	}
	return q.opts.Smooth
}

// smooth changes the constants of a model as the options say and the channels of its values, where they were observed, ask for.
func (q *Quantizer) smooth(g *graph.Graph) ([]*smoothed, error) {
	if q.learned != nil { // which has trained the constants of the smoothed model
		return q.learned.smoothed, nil
	}
	if q.smoothing() == NoSmoothing {
		return nil, nil
	}
	var list []*smoothed
	for _, s := range smoothable(g) {
		if err := q.observedChannels(s); err != nil {
			return nil, err
		}
		if s.lo != nil || q.opts.Smooth != NoSmoothing {
			list = append(list, s)
		}
		if s.lo == nil {
			continue
		}
		s.center()
		if s.factor = q.factors(s); s.factor != nil {
			s.write()
		}
	}
	return list, nil
}

// center makes the channels' ranges symmetric where an offset can (Wei et al., "Outlier Suppression+", 2023).
func (s *smoothed) center() {
	s.shift = make([]float32, len(s.lo))
	if s.offset == nil {
		return
	}
	for c, lo := range s.lo {
		s.shift[c] = float32(lo/2) + float32(s.hi[c]/2)
		s.lo[c] -= s.shift[c]
		s.hi[c] -= s.shift[c]
	}
}

// write changes the constants.
func (s *smoothed) write() {
	if s.offset != nil {
		for _, l := range s.layers {
			l.bias.Const = l.shiftedBias(s.shift)
		}
		offset := s.offset.Const.Clone()
		for c, v := range s.shift {
			offset.Float32s()[c] -= v
		}
		s.offset.Const = offset
	}
	for _, v := range s.scales {
		v.Const = scaledAlong(v.Const, len(v.Type.Shape)-1, s.factor, true)
	}
	for _, l := range s.layers {
		l.weight.Const = scaledAlong(l.weight.Const, l.axis, s.factor, false)
	}
	for c, f := range s.factor {
		s.lo[c] /= f
		s.hi[c] /= f
	}
}

// shiftedBias returns the bias with what the shift of the channels takes from the products.
func (l smoothedLayer) shiftedBias(shift []float32) *tensor.Tensor {
	b := l.bias.Const.Clone()
	_, count, inner := channels(l.weight.Type.Shape, l.axis)
	sums := make([]float64, b.Numel())
	for i, w := range l.weight.Const.Contiguous().Float32s() {
		sums[i/inner/count*inner+i%inner] += float64(float64(w) * float64(shift[i/inner%count]))
	}
	for o, v := range sums {
		b.Float32s()[o] += float32(v)
	}
	return b
}

// observedChannels joins the extremes of the channels that layers have seen.
func (q *Quantizer) observedChannels(s *smoothed) error {
	for _, l := range s.layers {
		o := q.channels[l.weight.Name]
		if o == nil {
			continue
		}
		seen := o.State()
		switch {
		case seen.Batches == 0:
		case len(seen.Min) != l.weight.Type.Shape[l.axis]:
			return &ObserverError{l.weight.Name, MinMax, fmt.Errorf("%w: it has seen %d channels", ErrMismatch, len(seen.Min))}
		case s.lo == nil:
			s.lo, s.hi = slices.Clone(seen.Min), slices.Clone(seen.Max)
		default:
			for c := range s.lo {
				s.lo[c], s.hi[c] = min(s.lo[c], seen.Min[c]), max(s.hi[c], seen.Max[c])
			}
		}
	}
	return nil
}

// scaledAlong returns a copy of t with the elements along an axis multiplied with factors, or divided by them.
func scaledAlong(t *tensor.Tensor, axis int, factor []float32, divide bool) *tensor.Tensor {
	t = t.Clone()
	_, count, inner := channels(t.Shape(), axis)
	for i, v := range t.Float32s() {
		if f := factor[i/inner%count]; divide {
			t.Float32s()[i] = v / f
		} else {
			t.Float32s()[i] = v * f
		}
	}
	return t
}

// factors returns what the channels are to be divided by, nil for nothing.
func (q *Quantizer) factors(s *smoothed) []float32 {
	e := q.smoothingError(s)
	if a := q.smoothing(); a != AutoSmoothing {
		return e.factors(float64(a))
	}
	least, best := e.of(slices.Repeat([]float32{1}, len(s.lo))), []float32(nil)
	for i := 1; i <= 10; i++ {
		f := e.factors(float64(i) / 10)
		if expected := e.of(f); expected < least {
			least, best = expected, f
		}
	}
	return best
}

// smoothingError is what the error that quantization adds to layers is expected from.
type smoothingError struct {
	*smoothed
	most    []float32   // the greatest magnitude of the weights of each channel
	weights [][]float64 // of each layer, the magnitudes of the weights [outputs][channels]
	// steps of activations and weights between the ends of their ranges
	activation, weight float64
}

func (q *Quantizer) smoothingError(s *smoothed) *smoothingError {
	e := &smoothingError{
		smoothed: s, most: make([]float32, len(s.lo)),
		activation: float64(q.observers.Activation.Spec.levels()), weight: float64(q.observers.Weight.Spec.levels()),
	}
	for _, l := range s.layers {
		w := l.weight.Const.Contiguous().Float32s()
		_, count, inner := channels(l.weight.Type.Shape, l.axis)
		rows := make([]float64, len(w))
		for i, v := range w {
			c := i / inner % count
			m := max(v, -v)
			e.most[c] = max(e.most[c], m)
			rows[(i/inner/count*inner+i%inner)*count+c] = float64(m)
		}
		e.weights = append(e.weights, rows)
	}
	return e
}

// factors returns the factors for a migration strength.
func (e *smoothingError) factors(strength float64) []float32 {
	out := slices.Repeat([]float32{1}, len(e.most))
	for c, w := range e.most {
		x := max(-e.lo[c], e.hi[c])
		f := float32(math.Pow(float64(x), strength) / math.Pow(float64(w), 1-strength))
		if x > 0 && w > 0 && f > 0x1p-40 && f < 0x1p40 {
			out[c] = f
		}
	}
	return out
}

// of returns the expected squared error of the outputs: a value rounded to steps d apart adds d^2/12 times its weight squared, and a weight that of its
// row's step times the square of its input, which is taken to be even around the middle of the channel's range with a sixth of it as its deviation.
func (e *smoothingError) of(factor []float32) float64 {
	lo, hi := 0.0, 0.0
	squares := 0.0
	for c, f := range factor {
		a, b := float64(e.lo[c]/f), float64(e.hi[c]/f)
		lo, hi = min(lo, a), max(hi, b)
		mean, deviation := (a+b)/2, (b-a)/6
		squares += float64(mean*mean) + float64(deviation*deviation)
	}
	step := (hi - lo) / e.activation
	sum := 0.0
	for _, w := range e.weights {
		for ; len(w) > 0; w = w[len(factor):] {
			most := 0.0
			for c, f := range factor {
				v := w[c] * float64(f)
				most = max(most, v)
				sum += float64(step * step * v * v)
			}
			d := 2 * most / e.weight
			sum += float64(d * d * squares)
		}
	}
	return sum
}

// observeChannels adds the nodes that observe the channels of what layers take that can be smoothed, and of what can be equalized.
func (q *Quantizer) observeChannels(p *prepared, first map[*graph.Value]bool) error {
	observe := func(name string, axis int, scope graph.Scope, v *graph.Value) error {
		obs := q.channels[name]
		if obs == nil {
			var err error
			if obs, err = channelConfig(axis).New(name); err != nil {
				return err
			}
			q.channels[name] = obs
		}
		_, err := p.graph.Add(scope, observeOp{to: obs, samples: first[v]}, v)
		return err
	}
	for _, d := range p.depthwise {
		if err := observe(p.layers[d.first], 1, d.first.Scope, d.values[0]); err != nil {
			return err
		}
	}
	seen := make(map[*graph.Value]bool)
	for _, n := range p.graph.Nodes {
		s, name := p.smoothedBy(n)
		if s == nil || seen[n.Inputs[0]] {
			continue
		}
		seen[n.Inputs[0]] = true
		if err := observe(name, len(n.Inputs[0].Type.Shape)-1, n.Scope, n.Inputs[0]); err != nil {
			return err
		}
	}
	return nil
}

// channelConfig observes the extremes of channels along an axis.
func channelConfig(axis int) ObserverConfig {
	return ObserverConfig{Kind: MinMax, Spec: Spec{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Axis: axis}}
}

// smoothedBy returns what is smoothed in front of a layer, and the name of the weight that the layer has in the model; nil without.
func (p *prepared) smoothedBy(n *graph.Node) (*smoothed, string) {
	if len(p.smoothed) == 0 || p.layers[n] == "" {
		return nil, ""
	}
	v := n.Inputs[1]
	for o, computed := p.origins[v]; computed && len(o.by.in) > 0; o, computed = p.origins[v] {
		v = o.by.in[0]
	}
	for _, s := range p.smoothed {
		if slices.ContainsFunc(s.layers, func(l smoothedLayer) bool { return l.weight.Name == v.Name }) {
			return s, v.Name
		}
	}
	return nil, ""
}

// smoothedRanges returns the ranges of the values that were divided by factors, by name, and an error where their channels have not been observed.
func (p *prepared) smoothedRanges() (map[string]*smoothed, error) {
	ranges := make(map[string]*smoothed)
	for _, n := range p.graph.Nodes {
		s, name := p.smoothedBy(n)
		if s == nil {
			continue
		}
		if s.lo == nil {
			return nil, fmt.Errorf("quantize: smoothing the input of %q: %w: run the calibration with this option", name, ErrNoData)
		}
		for v := n.Inputs[0]; s.factor != nil; v = v.Node.Inputs[0] {
			ranges[p.names[v]] = s
			if v.Node == nil || !p.form(v.Node).Shares {
				break
			}
		}
	}
	return ranges, nil
}

// qparams returns the parameters of the value.
func (s *smoothed) qparams(spec Spec) (*tensor.QParams, error) {
	return spec.qparams([]float32{slices.Min(s.lo)}, []float32{slices.Max(s.hi)})
}

// divided returns the moments of rows of which each group is divided by a factor.
func (m *moments) divided(factor []float32) *moments {
	m = m.clone()
	per := len(m.second) / m.groups
	for i := range m.sum {
		m.sum[i] /= float64(factor[i/m.size])
	}
	for i, v := range m.second {
		f := factor[i/per]
		m.second[i] = v / f / f
	}
	return m
}

// smoothed returns the moments of rows that a shift is subtracted from and whose elements are divided by factors then.
func (m *moments) smoothed(s *smoothed) *moments {
	m = m.clone()
	at := 0
	for bounds := rowBlocks(m.size); len(bounds) > 1 && m.second != nil; bounds = bounds[1:] {
		for i := bounds[0]; i < bounds[1]; i++ {
			a := float64(s.shift[i])
			for j := bounds[0]; j < bounds[1]; j++ {
				b := float64(s.shift[j])
				v := float64(m.second[at]) - float64(a*m.sum[j]) - float64(b*m.sum[i]) + float64(float64(m.rows)*float64(a*b))
				m.second[at] = float32(v / float64(float64(s.factor[i])*float64(s.factor[j])))
				at++
			}
		}
	}
	for i := range m.sum {
		m.sum[i] = (m.sum[i] - float64(float64(m.rows)*float64(s.shift[i]))) / float64(s.factor[i])
	}
	return m
}

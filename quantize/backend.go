package quantize

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// Backend says how models are quantized for a target: which operators are fused first, which are int8, and which parameters each
// value and weight gets. A target of one's own is a value of this type, or one of those here [Backend.With] other rules. All
// backends run on the same int8 kernels. A Backend is not changed once a Quantizer has it.
type Backend struct {
	// Name is what the command line, reports and saved states call it.
	Name string
	// Passes fuse the operators that are quantized as one, before anything is observed.
	Passes []graph.Pass
	// Activation and Weight are the specs of values and weights of which no rule says anything else.
	Activation, Weight ObserverConfig
	// WeightOn are the specs of weights on processors for which they are others.
	WeightOn map[Device]ObserverConfig
	// Rules say what is int8, and the specs of parts of a model. Of rules that say something about the same
	// operator or value the last one holds. What no rule says anything about stays float32.
	Rules []Rule
	// FloatOutput lets an operator whose result only float operators and the caller use give float32 directly.
	FloatOutput bool
	// PooledExtremes takes the ranges of values that have one element for each channel, made of values with more, from their extremes where
	// activations are observed as Activation says, with 8 bits: no sum over positions behind averages errors, and the samples with the greatest values are
	// clipped most. So it does of values whose greatest a pool of stride 1 spreads over windows. With fewer bits rounding costs more than clipping.
	PooledExtremes bool
	// BehindFunctions takes the range of a value that nothing but a function of one element takes, where activations are observed by their square error, from
	// the errors that are left behind that. Integers that are multiplied by a number stay as they are.
	BehindFunctions bool
	// EqualizeDepthwise gives each channel between a convolution and a depthwise one its own range, by factors of the weights of both, which have scales for
	// each channel. Training has the model as it is.
	EqualizeDepthwise bool
	// RowsBelow is an SQNR in dB: where the inputs of a quarter of the linear layers have less in the integers of one range, on what was observed, all
	// linear layers quantize each row of their input to its own range while they run. Outliers leave one range few integers for all else. 0 is for never.
	RowsBelow float64
	// SmoothOutliers smooths the model, with DefaultSmoothing, where linear layers quantize rows because of RowsBelow and the options ask for no
	// smoothing: such outliers mostly are those of channels.
	SmoothOutliers bool
	// FloatBias adds biases in float32 instead of rounding them to the scale of the accumulators.
	FloatBias bool
	// BiasQParams derives the parameters that a bias is fake-quantized with from those of the weight and the activation whose
	// products it is added to, the activation's observed by the given kind. Nil stands for scale(weight) * scale(activation) and zero point 0.
	BiasQParams func(weight, activation *tensor.QParams, observed Kind) (*tensor.QParams, error)
	// WeightOnly keeps the weights of operators in int8 that take and give float32: the tables of embeddings, and the weights of recurrent networks, which
	// quantize what they multiply while they run.
	WeightOnly bool
	// Forward is what DefaultForward means for training.
	Forward Forward
	// NegativeScales lets training take scales below 0, as the toolkit does.
	NegativeScales bool
	// Dynamic quantizes the inputs of layers while they run, each row to its own range, and nothing else.
	Dynamic bool
	// DynamicForm is the backend that Options.Dynamic makes of this one, nil where there is none.
	DynamicForm *Backend
}

// With returns a copy of the backend under another name with rules behind its own.
func (b *Backend) With(name string, rules ...Rule) *Backend {
	c := *b
	c.Name, c.Rules = name, slices.Concat(b.Rules, rules)
	return &c
}

var (
	backendsMutex sync.Mutex
	backends      = []*Backend{Native, Reference, DISC, FBGEMM}
	fixedBackends = len(backends) // whose names are not given to others
)

// Register makes a backend known to ParseBackend, and so to saved states that name it. It replaces one of the same name
// that was registered before; those of this package have their names for good.
func Register(b *Backend) error {
	backendsMutex.Lock()
	defer backendsMutex.Unlock()
	i := slices.IndexFunc(backends, func(have *Backend) bool { return strings.EqualFold(have.Name, b.Name) })
	switch {
	case b.Name == "" || i >= 0 && i < fixedBackends:
		return fmt.Errorf("quantize: a backend cannot be registered as %q: choose another name", b.Name)
	case i >= 0:
		backends[i] = b
	default:
		backends = append(backends, b)
	}
	return nil
}

// Backends returns the names that ParseBackend knows: octet's own, then those that were registered.
func Backends() []string {
	backendsMutex.Lock()
	defer backendsMutex.Unlock()
	return backendNames()
}

// backendNames is Backends for who holds the mutex.
func backendNames() []string {
	names := make([]string, len(backends))
	for i, b := range backends {
		names[i] = b.Name
	}
	return names
}

// ParseBackend returns the backend with the given name, in any case.
func ParseBackend(name string) (*Backend, error) {
	backendsMutex.Lock()
	defer backendsMutex.Unlock()
	for _, b := range backends {
		if strings.EqualFold(b.Name, name) {
			return b, nil
		}
	}
	return nil, &BackendError{"backend", name, backendNames()}
}

// String returns the name.
func (b *Backend) String() string {
	if b == nil {
		return Native.Name
	}
	return b.Name
}

// MarshalText returns the name.
func (b *Backend) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText takes a name that ParseBackend takes.
func (b *Backend) UnmarshalText(text []byte) error {
	found, err := ParseBackend(string(text))
	if err == nil {
		*b = *found
	}
	return err
}

// Observers says how each kind of value is observed. Biases need no
// configuration: their scale follows from the other two (see biasQParams).
type Observers struct {
	Activation ObserverConfig `json:"activation"`
	Weight     ObserverConfig `json:"weight"`
}

// Observers returns the defaults of the backend on a device.
func (b *Backend) Observers(device Device) (Observers, error) {
	o := Observers{Activation: b.Activation, Weight: b.Weight}
	if w, ok := b.WeightOn[device.resolve()]; ok {
		o.Weight = w
	}
	return o, nil
}

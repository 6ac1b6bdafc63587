package quantize

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// Spec says what a tensor is quantized to. Ranges narrower than the element
// type, down to 2 bits, are stored in it all the same.
type Spec struct {
	DType    tensor.DType // Uint8, Int8 or Int32
	Scheme   tensor.QScheme
	Axis     int   // of per-channel schemes
	Min, Max int32 // the integers in use; both 0 means the whole range of DType
	// PairSafe keeps the sum of any two weights that kernels multiply side by side so small that VPMADDUBSW, which adds both
	// products in 16 bits, does not saturate whatever the inputs are: with inputs of 8 bits the positive ones of a pair add up to at
	// most 128, and so do the negative ones. Scales are chosen for the least error under that constraint. It is for weights, int8
	// and symmetric; activations and biases have no pairs.
	PairSafe bool
	// MinScale is the least scale of what is not all zeros; 0 means 2^-23, as PyTorch's observers have it. It is at least 2^-60.
	MinScale float32
}

// The specs the backends are made of.
var (
	affineU8            = Spec{DType: tensor.Uint8, Scheme: tensor.PerTensorAffine}
	symmetricS8         = Spec{DType: tensor.Int8, Scheme: tensor.PerTensorSymmetric}
	channelSymmetricS8  = Spec{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric}
	symmetricS32        = Spec{DType: tensor.Int32, Scheme: tensor.PerTensorSymmetric}
	channelSymmetricS32 = Spec{DType: tensor.Int32, Scheme: tensor.PerChannelSymmetric}
)

// Range returns the least and greatest integer in use.
func (s Spec) Range() (lo, hi int32) {
	if s.Min == 0 && s.Max == 0 {
		return tensor.QRange(s.DType)
	}
	return s.Min, s.Max
}

// levels returns how many steps there are between the least and greatest integer in use.
func (s Spec) levels() int {
	lo, hi := s.Range()
	return int(hi) - int(lo)
}

// WithBits returns the spec with the integers of a type of the given bits,
// signed as DType is: Int8 with 4 bits uses -8 to 7, or -7 to 7 where it used -127 to 127 before, for the greatest weight of a channel is exact then.
// With 2 and 3 bits it uses all integers. Bits outside 2 to the width of DType give a spec that Validate refuses.
func (s Spec) WithBits(bits int) Spec {
	if bits < 2 || bits > 8*s.DType.Size() {
		s.Min, s.Max = 1, 1
		return s
	}
	if s.DType == tensor.Uint8 {
		s.Min, s.Max = 0, int32(1)<<bits-1
		return s
	}
	_, most := tensor.QRange(s.DType)
	even := s.Max == most && s.Min == -most && bits >= 4
	s.Min, s.Max = int32(-1<<(bits-1)), int32(1<<(bits-1)-1)
	if even {
		s.Min++
	}
	return s
}

// trained returns the spec of a weight in training: of fewer than 8 bits it uses all integers. Scales move there, so that none is wasted, and what was
// trained so is better.
func (s Spec) trained() Spec {
	if _, most := tensor.QRange(s.DType); s.DType == tensor.Int8 && s.Min == -s.Max && s.Max < most && s.Min < 0 {
		s.Min--
	}
	return s
}

// Validate returns a SpecError for an element type that is not quantized, a
// range outside it or of fewer than three integers, a range without zero, a
// symmetric scheme whose range has not both signs, and an axis that cannot be.
func (s Spec) Validate() error {
	bad := func(format string, args ...any) error { return &SpecError{s, fmt.Sprintf(format, args...)} }
	lo, hi := tensor.QRange(s.DType)
	if lo == hi {
		return bad("%v is not a quantized element type", s.DType)
	}
	if s.Scheme > tensor.PerChannelSymmetric {
		return bad("unknown scheme")
	}
	qmin, qmax := s.Range()
	switch {
	case qmin < lo || qmax > hi:
		return bad("the range is outside %v", s.DType)
	case int64(qmax)-int64(qmin) < 2:
		return bad("the range holds fewer than three integers")
	case qmin > 0 || qmax < 0:
		return bad("the range must hold 0")
	case s.Scheme.Symmetric() && (qmin >= 0 || qmax <= 0):
		return bad("a symmetric scheme needs a signed range")
	case s.Axis < 0:
		return bad("the axis is negative")
	case !s.Scheme.PerChannel() && s.Axis != 0:
		return bad("a per-tensor scheme has no axis")
	case s.MinScale != 0 && !(s.MinScale >= 0x1p-60 && s.MinScale <= 1):
		return bad("the least scale is not from 2^-60 to 1")
	case s.PairSafe && (s.DType != tensor.Int8 || !s.Scheme.Symmetric()):
		return bad("only symmetric int8 weights are made pair-safe")
	}
	return nil
}

// greatestStored returns the greatest integer, stored as uint8.
func (s Spec) greatestStored() int32 {
	_, most := s.Range()
	if s.DType == tensor.Int8 {
		most += 128
	}
	return most
}

// params returns what operators with learned parameters need to know of the spec.
func (s Spec) params() int8.Params {
	lo, hi := s.Range()
	return int8.Params{DType: s.DType, Scheme: s.Scheme, Axis: s.Axis, Min: lo, Max: hi}
}

// String formats the spec as "int8 per_channel_symmetric [-128, 127] axis 0".
func (s Spec) String() string {
	lo, hi := s.Range()
	str := fmt.Sprintf("%v %v [%d, %d]", s.DType, s.Scheme, lo, hi)
	if s.Scheme.PerChannel() {
		str += fmt.Sprintf(" axis %d", s.Axis)
	}
	if s.PairSafe {
		str += " pair-safe"
	}
	return str
}

type specJSON struct {
	DType  string `json:"dtype"`
	Scheme string `json:"scheme"`
	Axis   int    `json:"axis,omitempty"`
	Min    int32  `json:"quant_min"`
	Max    int32  `json:"quant_max"`

	PairSafe bool    `json:"pair_safe,omitempty"`
	MinScale float32 `json:"min_scale,omitempty"`
}

// MarshalJSON writes the element type and scheme by name.
func (s Spec) MarshalJSON() ([]byte, error) {
	lo, hi := s.Range()
	return json.Marshal(specJSON{s.DType.String(), s.Scheme.String(), s.Axis, lo, hi, s.PairSafe, s.MinScale})
}

// UnmarshalJSON reads what MarshalJSON writes and validates it.
func (s *Spec) UnmarshalJSON(data []byte) error {
	var j specJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	dtype, err := tensor.ParseDType(j.DType)
	if err != nil {
		return err
	}
	scheme, err := tensor.ParseQScheme(j.Scheme)
	if err != nil {
		return err
	}
	read := Spec{DType: dtype, Scheme: scheme, Axis: j.Axis, Min: j.Min, Max: j.Max, PairSafe: j.PairSafe, MinScale: j.MinScale}
	if lo, hi := tensor.QRange(dtype); read.Min == lo && read.Max == hi {
		read.Min, read.Max = 0, 0
	}
	if err := read.Validate(); err != nil {
		return err
	}
	*s = read
	return nil
}

// epsilon is float32's, the least scale of specs that say nothing else, and that of zeros.
const epsilon = 0x1p-23

// leastScale returns the least scale of values that are not all zeros.
func (s Spec) leastScale() float32 {
	if s.MinScale > 0 {
		return s.MinScale
	}
	return epsilon
}

// scaleAndZero returns the parameters for values between lo and hi, as
// torch.ao.quantization's observers compute them, step by step in float32. The
// range is first widened to hold 0. An affine scale is the range over the
// number of steps; a symmetric one the larger magnitude over half of them. ok is
// false when the range overflows.
func (s Spec) scaleAndZero(lo, hi float32) (scale float32, zero int32, ok bool) {
	qmin, qmax := s.Range()
	steps := float64(qmax) - float64(qmin)
	lo, hi = min(lo, 0), max(hi, 0)
	least := s.leastScale()
	if lo == hi {
		least = epsilon
	}
	if s.Scheme.Symmetric() {
		scale = max(max(-lo, hi)/float32(steps/2), least)
		return scale, 0, !math.IsInf(float64(scale), 0)
	}
	scale = max((hi-lo)/float32(steps), least)
	if math.IsInf(float64(scale), 0) {
		return scale, 0, false
	}
	z := int64(qmin) - int64(math.RoundToEven(float64(lo/scale)))
	return scale, int32(min(max(z, int64(qmin)), int64(qmax))), true
}

// qparams returns the parameters for one range per channel, or a single one.
func (s Spec) qparams(lo, hi []float32) (*tensor.QParams, error) {
	q := &tensor.QParams{DType: s.DType, Scheme: s.Scheme, Scale: make([]float32, len(lo)), ZeroPoint: make([]int32, len(lo)), Axis: s.Axis}
	q.Min, q.Max = s.Range()
	for i := range lo {
		var ok bool
		if q.Scale[i], q.ZeroPoint[i], ok = s.scaleAndZero(lo[i], hi[i]); !ok {
			return nil, ErrRange
		}
	}
	return q, nil
}

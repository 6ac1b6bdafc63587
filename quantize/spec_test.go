package quantize

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/tensor"
)

func TestSpecValidate(t *testing.T) {
	good := []Spec{
		affineU8, symmetricS8, channelSymmetricS8, symmetricS32, channelSymmetricS32,
		affineU8.WithBits(2), symmetricS8.WithBits(2), symmetricS8.WithBits(8), symmetricS32.WithBits(32),
		{DType: tensor.Int8, Scheme: tensor.PerTensorSymmetric, Min: -127, Max: 127},
		{DType: tensor.Int8, Scheme: tensor.PerTensorSymmetric, Min: -1, Max: 1},
		{DType: tensor.Uint8, Scheme: tensor.PerChannelAffine, Axis: 1},
	}
	for _, s := range good {
		if err := s.Validate(); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
	bad := []Spec{
		{},
		{DType: tensor.Float32},
		{DType: tensor.Uint8, Scheme: tensor.PerTensorSymmetric},
		{DType: tensor.Uint8, Min: 0, Max: 256},
		{DType: tensor.Int8, Min: -129, Max: 0},
		{DType: tensor.Int8, Min: 0, Max: 1},
		{DType: tensor.Int8, Min: 5, Max: -5},
		{DType: tensor.Uint8, Min: 1, Max: 255},
		{DType: tensor.Int8, Scheme: tensor.PerTensorSymmetric, Min: 0, Max: 127},
		{DType: tensor.Uint8, Axis: 1},
		{DType: tensor.Uint8, Scheme: tensor.PerChannelAffine, Axis: -1},
		{DType: tensor.Uint8, Scheme: 9},
		affineU8.WithBits(1), affineU8.WithBits(9), affineU8.WithBits(-3),
	}
	for _, s := range bad {
		var specErr *SpecError
		if err := s.Validate(); !errors.As(err, &specErr) {
			t.Errorf("%v: error %v, want a SpecError", s, err)
		}
	}
}

func TestSpecWithBits(t *testing.T) {
	for _, tt := range []struct {
		spec   Spec
		bits   int
		lo, hi int32
	}{
		{affineU8, 2, 0, 3}, {affineU8, 7, 0, 127}, {affineU8, 8, 0, 255},
		{symmetricS8, 2, -2, 1}, {symmetricS8, 4, -8, 7}, {symmetricS8, 8, -128, 127},
		{symmetricS32, 32, -1 << 31, 1<<31 - 1},
	} {
		if lo, hi := tt.spec.WithBits(tt.bits).Range(); lo != tt.lo || hi != tt.hi {
			t.Errorf("%v with %d bits: [%d, %d], want [%d, %d]", tt.spec, tt.bits, lo, hi, tt.lo, tt.hi)
		}
	}
}

func TestSpecNarrowRange(t *testing.T) {
	// 4 bits: 15 steps over -1..2 and zero a third of the way; symmetric ones 7.5 steps for 2.
	scale, zero, ok := affineU8.WithBits(4).scaleAndZero(-1, 2)
	if !ok || scale != 3.0/15 || zero != 5 {
		t.Errorf("affine: %v, %d, %v", scale, zero, ok)
	}
	scale, zero, ok = symmetricS8.WithBits(4).scaleAndZero(-1, 2)
	if !ok || scale != float32(2/7.5) || zero != 0 {
		t.Errorf("symmetric: %v, %d, %v", scale, zero, ok)
	}
}

func TestSpecJSON(t *testing.T) {
	for _, s := range []Spec{affineU8, channelSymmetricS8, symmetricS8.WithBits(4), {DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Axis: 2}} {
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var got Spec
		if err := json.Unmarshal(data, &got); err != nil || got != s {
			t.Errorf("%v read back as %v (%v) from %s", s, got, err, data)
		}
	}
	for _, text := range []string{`{"dtype":"float32","scheme":"per_tensor_affine"}`, `{"dtype":"x"}`, `{"dtype":"int8","scheme":"x"}`, `{"dtype":"int8","scheme":"per_tensor_affine","quant_min":3,"quant_max":2}`, `[]`} {
		var s Spec
		if err := json.Unmarshal([]byte(text), &s); err == nil {
			t.Errorf("%s was read as %v", text, s)
		}
	}
}

func TestBackendObservers(t *testing.T) {
	tests := []struct {
		backend            *Backend
		device             Device
		activation, weight string
	}{
		{Native, X86, "mse uint8 per_tensor_affine [0, 255]", "minmax int8 per_channel_symmetric [-127, 127] axis 0"},
		{Reference, X86, "minmax uint8 per_tensor_affine [0, 255]", "minmax uint8 per_tensor_affine [0, 255]"},
		{Reference, AArch64, "minmax uint8 per_tensor_affine [0, 255]", "minmax uint8 per_tensor_affine [0, 255]"},
		{DISC, X86, "minmax int8 per_tensor_symmetric [-128, 127]", "minmax int8 per_channel_symmetric [-128, 127] axis 0"},
		{DISC, AArch64, "minmax int8 per_tensor_symmetric [-128, 127]", "minmax int8 per_tensor_symmetric [-128, 127]"},
		{FBGEMM, X86, "histogram uint8 per_tensor_affine [0, 255]", "minmax int8 per_channel_symmetric [-128, 127] axis 0"},
	}
	for _, tt := range tests {
		o, err := tt.backend.Observers(tt.device)
		if err != nil {
			t.Fatal(err)
		}
		if o.Activation.String() != tt.activation || o.Weight.String() != tt.weight {
			t.Errorf("%v on %v: %v; %v", tt.backend, tt.device, o.Activation, o.Weight)
		}
		if err := errors.Join(o.Activation.Validate(), o.Weight.Validate()); err != nil {
			t.Errorf("%v on %v: %v", tt.backend, tt.device, err)
		}
	}
	for _, b := range []*Backend{Native, Reference, DISC, FBGEMM} {
		if !slices.Contains(Backends(), b.String()) {
			t.Errorf("Backends() = %v, without %v", Backends(), b)
		}
		if got, err := ParseBackend(b.String()); err != nil || got != b {
			t.Errorf("ParseBackend(%q) = %v, %v", b, got, err)
		}
	}
	for d := HostDevice; d <= AArch64; d++ {
		if got, err := ParseDevice(d.String()); err != nil || got != d {
			t.Errorf("ParseDevice(%q) = %v, %v", d, got, err)
		}
	}
	var unknown *BackendError
	if _, err := ParseBackend("tensorrt"); !errors.As(err, &unknown) {
		t.Errorf("unknown backend: %v", err)
	}
	if _, err := ParseDevice("gpu"); !errors.As(err, &unknown) {
		t.Errorf("unknown device: %v", err)
	}
}

// TestNativeWeightsExact quantizes the greatest weight of each channel without error, positive or negative.
func TestNativeWeightsExact(t *testing.T) {
	obs, err := Native.Weight.New("w")
	if err != nil {
		t.Fatal(err)
	}
	w, err := tensor.FromSlice([]float32{0.3, 0.1, -0.7, 0.2}, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := obs.Observe(w); err != nil {
		t.Fatal(err)
	}
	q, err := obs.QParams()
	if err != nil {
		t.Fatal(err)
	}
	x, err := w.Quantize(q)
	if err != nil {
		t.Fatal(err)
	}
	if got := x.Int8s(); got[0] != 127 || got[2] != -127 || q.Scale[0] != 0.3/float32(127) || q.Scale[1] != 0.7/float32(127) {
		t.Errorf("%d with scales %v", got, q.Scale)
	}
}

// TestSymmetricBits checks that what is symmetric about 0 with 8 bits is so with 4 to 7, where the greatest weight is exact then, and takes all
// integers with fewer bits and in training.
func TestSymmetricBits(t *testing.T) {
	for bits, want := range map[int][3]int32{8: {-127, 127, -127}, 7: {-63, 63, -64}, 4: {-7, 7, -8}, 3: {-4, 3, -4}, 2: {-2, 1, -2}} {
		s := nativeS8.WithBits(bits)
		if got := [3]int32{s.Min, s.Max, s.trained().Min}; got != want {
			t.Errorf("%d bits: %v, want %v", bits, got, want)
		}
	}
	if s := nativeS8.WithBits(4).WithBits(8); s.Min != -128 {
		t.Errorf("8 bits of 4 are from %d on", s.Min)
	}
	for _, s := range []Spec{channelSymmetricS8.WithBits(4), nativeU8.WithBits(4)} {
		if s != s.trained() || s.levels() != 15 {
			t.Errorf("%v is %v in training", s, s.trained())
		}
	}
	m := build(t, []int{1, 8, 12}, func(c *nn.Context, x *graph.Value) *graph.Value {
		return c.Call("fc", nn.Linear{In: 12, Out: 6}, x)
	})
	q := New(Options{})
	calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{{randomInput(t, 1, 1, 8, 12)}}}, WithBits(8, 4))
	for _, least := range []int32{-7, -8} {
		p, err := q.Parameters(m)
		if err != nil {
			t.Fatal(err)
		}
		if have := p.Weights["fc"].Min; have != least {
			t.Errorf("weights are from %d on, want %d", have, least)
		}
		if _, err := q.QAT(m); err != nil {
			t.Fatal(err)
		}
	}
}

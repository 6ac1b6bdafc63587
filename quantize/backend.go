package quantize

import (
	"runtime"
	"strings"
)

// Backend names a set of defaults: which observers and specs activations,
// weights and biases get. All of them run on the same int8 kernels.
type Backend uint8

// The backends. Native is octet's own; the other three give the quantization
// parameters of BladeDISC's torch_quant toolkit.
const (
	// Native: uint8 affine activations whose range has the least mean square
	// error, int8 per-channel symmetric weights.
	Native Backend = iota
	// Reference: MinMax, uint8 per-tensor affine for activations and weights.
	Reference
	// DISC: MinMax, int8 symmetric activations and int8 symmetric weights, per
	// channel on x86 and per tensor on aarch64.
	DISC
	// FBGEMM: Histogram, uint8 affine activations over the full range (no
	// reduce_range), int8 per-channel symmetric weights.
	FBGEMM
)

var backendNames = []string{"native", "reference", "disc", "fbgemm"}

// String returns the name used on the command line.
func (b Backend) String() string {
	if int(b) < len(backendNames) {
		return backendNames[b]
	}
	return "unknown"
}

// ParseBackend returns the backend with the given name, in any case.
func ParseBackend(name string) (Backend, error) {
	for i, n := range backendNames {
		if strings.EqualFold(n, name) {
			return Backend(i), nil
		}
	}
	return 0, &BackendError{"backend", name, backendNames}
}

// MarshalText returns the name, and an error for a backend without one.
func (b Backend) MarshalText() ([]byte, error) {
	if _, err := ParseBackend(b.String()); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// UnmarshalText takes a name that ParseBackend takes.
func (b *Backend) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBackend(string(text))
	return err
}

// Device is the processor family a model is quantized for.
type Device uint8

// The devices. HostDevice resolves to one of the others.
const (
	HostDevice Device = iota
	X86
	AArch64
)

var deviceNames = []string{"host", "x86", "aarch64"}

// String returns the toolkit's name: "x86", "aarch64".
func (d Device) String() string {
	if int(d) < len(deviceNames) {
		return deviceNames[d]
	}
	return "unknown"
}

// ParseDevice returns the device with the given name, in any case.
func ParseDevice(name string) (Device, error) {
	for i, n := range deviceNames {
		if strings.EqualFold(n, name) {
			return Device(i), nil
		}
	}
	return 0, &BackendError{"device", name, deviceNames}
}

// MarshalText returns the name, and an error for a device without one.
func (d Device) MarshalText() ([]byte, error) {
	if _, err := ParseDevice(d.String()); err != nil {
		return nil, err
	}
	return []byte(d.String()), nil
}

// UnmarshalText takes a name that ParseDevice takes.
func (d *Device) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDevice(string(text))
	return err
}

// resolve returns the device of the running program for HostDevice. Processors
// other than arm64 are treated as x86.
func (d Device) resolve() Device {
	if d != HostDevice {
		return d
	}
	if runtime.GOARCH == "arm64" {
		return AArch64
	}
	return X86
}

// Observers says how each kind of value is observed. Biases need no
// configuration: their scale follows from the other two (see [BiasQParams]).
type Observers struct {
	Activation ObserverConfig `json:"activation"`
	Weight     ObserverConfig `json:"weight"`
}

// Observers returns the defaults of the backend on a device.
func (b Backend) Observers(device Device) (Observers, error) {
	switch b {
	case Native:
		return Observers{
			Activation: ObserverConfig{Kind: MSE, Spec: affineU8},
			Weight:     ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8},
		}, nil
	case Reference:
		return Observers{
			Activation: ObserverConfig{Kind: MinMax, Spec: affineU8},
			Weight:     ObserverConfig{Kind: MinMax, Spec: affineU8},
		}, nil
	case DISC:
		o := Observers{
			Activation: ObserverConfig{Kind: MinMax, Spec: symmetricS8},
			Weight:     ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8},
		}
		if device.resolve() == AArch64 {
			o.Weight.Spec = symmetricS8
		}
		return o, nil
	case FBGEMM:
		return Observers{
			Activation: ObserverConfig{Kind: Histogram, Spec: affineU8},
			Weight:     ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8},
		}, nil
	}
	return Observers{}, &BackendError{"backend", b.String(), backendNames}
}

package quantize

import (
	"runtime"
	"strings"
)

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

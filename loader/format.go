package loader

import (
	"github.com/octet-ml/octet/internal/filekind"
	"github.com/octet-ml/octet/loader/internal/container"
)

// Format is a format that models or weights come in.
type Format string

// The formats, as File.Format tells them by the content of a file.
const (
	FormatOctet       Format = "octet safetensors"       // graph and weights, see Save
	FormatSafetensors Format = "safetensors"             // weights
	FormatTorchScript Format = "TorchScript"             // graph and weights
	FormatExported    Format = "torch.export"            // graph and weights
	FormatTorchZip    Format = "torch.save (zip)"        // weights, PyTorch 1.6 and later
	FormatTorchLegacy Format = "torch.save (before 1.6)" // weights
)

// HasGraph reports whether files of the format hold a graph, which Load reads;
// the others hold weights only, which StateDict reads.
func (f Format) HasGraph() bool {
	return f == FormatOctet || f == FormatTorchScript || f == FormatExported
}

func (f *modelFile) format() (Format, error) {
	if err := f.readHead(); err != nil {
		return "", err
	}
	switch {
	case isSafetensors(f.head, f.size):
		_, metadata, _, err := readSafetensorsHeader(f.r, f.size)
		if err != nil {
			return "", err
		}
		if _, ok := metadata[modelMetadata]; ok {
			return FormatOctet, nil
		}
		return FormatSafetensors, nil
	case isTorchScript(f):
		return FormatTorchScript, nil
	case isExported(f):
		return FormatExported, nil
	case container.IsZip(f.head):
		a, err := container.OpenWithin(f.r, f.size, f.budget())
		switch {
		case err != nil:
			return "", err
		case !a.Has(pickleRecord):
			return "", &FileError{Err: filekind.OfRecords(a.Names())}
		}
		return FormatTorchZip, nil
	case f.head[0] == pickleStart:
		return FormatTorchLegacy, nil
	}
	return "", f.unknown()
}

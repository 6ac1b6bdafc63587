package loader

import (
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
	f.head = make([]byte, min(f.size, 512))
	if err := readAt(f.r, f.head, 0); err != nil {
		return "", err
	}
	switch {
	case len(f.head) == 0:
		return "", &FileError{Reason: "empty file"}
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
		return FormatTorchZip, nil
	case f.head[0] == 0x80:
		return FormatTorchLegacy, nil
	}
	return "", &FileError{Reason: unknownFormat(f.head)}
}

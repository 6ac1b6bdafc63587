// Package loader reads the files models come in. Files are not trusted: sizes
// they claim are compared with the bytes they have before memory is taken, nothing
// in them is run, and a file that is wrong gives a *FileError.
package loader

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/tensor"
)

// FileError says which file was rejected, which record of it, and why.
type FileError = tensor.FileError

// Named is a tensor with the name it has in a file.
type Named = tensor.Named

// StateDict reads the weights of a model from the file at path, whatever way
// they were saved: by torch.save, in its zip format or the older one, or as
// safetensors. The format is told by the content.
//
// The file may hold a state_dict (names and tensors) or a checkpoint with one
// inside, under "state_dict", "model_state_dict", "model" or any other name if
// it is the only one. The prefix "module." of DataParallel is dropped when all
// names have it. Tensors keep their element type, quantized ones their
// parameters, and tensors that shared memory share it.
//
// What is not read, and rejected with advice: pickled modules, TorchScript, tar
// archives, sparse tensors, element types octet does not have.
func StateDict(path string, opts ...Option) (*Weights, error) {
	f, err := Open(path, opts...)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.StateDict()
}

// Build reads the weights of a model from the file at path, as StateDict does, and builds the
// architecture with them. Weights that do not fit it give an *nn.BindError behind the file's name.
func Build(path string, a nn.Architecture, opts ...Option) (*graph.Graph, error) {
	f, err := Open(path, opts...)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Build(a)
}

// StateDictFrom is StateDict of the first size bytes of r.
func StateDictFrom(r io.ReaderAt, size int64) (*Weights, error) {
	return (&modelFile{r: r, size: size}).stateDict()
}

func (f *modelFile) stateDict() (*Weights, error) {
	if err := f.fits(); err != nil {
		return nil, err
	}
	r, size, head := f.r, f.size, make([]byte, min(f.size, 512))
	if err := readAt(r, head, 0); err != nil {
		return nil, err
	}
	switch {
	case len(head) == 0:
		return nil, &FileError{Reason: "empty file"}
	case container.IsZip(head):
		return f.zipStateDict()
	case isTar(head):
		return nil, &FileError{Reason: "a tar archive, as PyTorch wrote before 0.2: " + howToSave}
	case isSafetensors(head, size):
		tensors, _, err := ReadSafetensorsFrom(r, size)
		if err != nil {
			return nil, err
		}
		w := newWeights(len(tensors))
		for _, t := range tensors {
			w.add(t.Name, t.Tensor)
		}
		return w.finish()
	case head[0] == 0x80:
		return f.legacyStateDict()
	}
	return nil, &FileError{Reason: unknownFormat(head)}
}

// howToSave is the advice for a file whose content is something else.
const howToSave = "load it in PyTorch and save torch.save(model.state_dict(), path)"

// isTar reports whether a file begins with the header of a tar archive, whose
// magic is at byte 257.
func isTar(head []byte) bool {
	return len(head) >= 263 && bytes.HasPrefix(head[257:], []byte("ustar"))
}

// isSafetensors reports whether a file begins with the length of a JSON object
// and its opening brace.
func isSafetensors(head []byte, size int64) bool {
	return len(head) > 8 && head[8] == '{' && binary.LittleEndian.Uint64(head) <= uint64(size)
}

func unknownFormat(head []byte) string {
	for _, known := range []struct{ magic, reason string }{
		{"\x1f\x8b", "compressed with gzip: decompress it first"},
		{"BZh", "compressed with bzip2: decompress it first"},
		{"\x28\xb5\x2f\xfd", "compressed with zstd: decompress it first"},
		{"\xfd7zXZ", "compressed with xz: decompress it first"},
		{"\x89HDF", "an HDF5 file, as Keras writes"},
		{"\x93NUMPY", "a NumPy array"},
		{"GGUF", "a GGUF file"},
		{"version https://git-lfs", "a Git LFS pointer, not the file itself: fetch it with git lfs pull"},
		{"<", "a web page, not a model: the download went wrong"},
	} {
		if bytes.HasPrefix(head, []byte(known.magic)) {
			return known.reason
		}
	}
	return "not a format that is read: a state_dict saved by torch.save, or safetensors"
}

// readAt fills b from r; that the bytes are not there is an error, not a
// rejection, since the caller said they are.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// inFile adds the file's name to a rejection.
func inFile(err error, path string) error {
	var fe *FileError
	if errors.As(err, &fe) && fe.File == "" {
		fe.File = path
	}
	return err
}

// reject makes err the reason that a record is rejected, unless it names one
// itself or is about reading.
func reject(record string, err error) error {
	var fe *FileError
	var pe *os.PathError
	if err == nil || errors.As(err, &fe) || errors.As(err, &pe) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return &FileError{Record: record, Reason: err.Error()}
}

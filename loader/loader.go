// Package loader reads the files models come in. Files are not trusted: sizes
// they claim are compared with the bytes they have before memory is taken, nothing
// in them is run, and a file that is wrong gives a *FileError.
package loader

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/loader/internal/pickle"
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
// it is the only one, also beside tensors that are no weights, such as a loss. Of several
// the option Key names one, without which they give a *KeyError; states of optimizers are
// not among them. What DataParallel, torch.compile, FSDP and averaged models put into
// names is dropped. Tensors keep their element type, quantized ones their
// parameters, and tensors that shared memory share it.
//
// What is not read is rejected with advice: a *KindError says what the file is instead, such as a
// pickled module or TorchScript, a *GlobalError names a class that no state_dict has. Sparse tensors and
// element types that octet does not have are not read either.
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
	if err := f.readHead(); err != nil {
		return nil, err
	}
	switch {
	case isSafetensors(f.head, f.size):
		tensors, _, err := f.safetensors()
		if err != nil {
			return nil, err
		}
		w := newWeights(len(tensors))
		for _, t := range tensors {
			w.add(t.Name, t.Tensor)
		}
		return w.finish()
	case container.IsZip(f.head), f.head[0] == pickleStart:
		top, storages, err := f.checkpoint()
		if err != nil {
			return nil, err
		}
		return f.weightsOf(top, newRebuilder(storages, f.size))
	}
	return nil, f.unknown()
}

// pickleStart is the first byte of a pickle, of a file that torch.save wrote before PyTorch 1.6.
const pickleStart = 0x80

// checkpoint reads the object that torch.save wrote, and says where its storages are.
func (f *modelFile) checkpoint() (pickle.Value, storageSource, error) {
	if container.IsZip(f.head) {
		return f.zipCheckpoint()
	}
	return f.legacyCheckpoint()
}

// howToSave is the advice for a file whose content is something else.
const howToSave = "load it in PyTorch and save torch.save(model.state_dict(), path)"

// isSafetensors reports whether a file begins with the length of a JSON object
// and its opening brace.
func isSafetensors(head []byte, size int64) bool {
	return len(head) > 8 && head[8] == '{' && binary.LittleEndian.Uint64(head) <= uint64(size)
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

//go:build !nopytorch

package loader

import (
	"errors"
	"fmt"
	"io"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/loader/internal/exported"
	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/tensor"
)

// ExportedError is something that went wrong in an exported program, at a node of its graph.
type ExportedError = exported.Error

// UnsupportedFileError says that a file is sound but holds something that octet does not
// run: compiled code, for one.
type UnsupportedFileError = exported.UnsupportedFileError

// ChoiceError says that an archive holds several models, or not the one asked for.
type ChoiceError = exported.ChoiceError

// Model names the program to load, of an archive that holds several.
func Model(name string) Option { return func(f *modelFile) { f.model = name } }

// isExported reports whether a file is an archive of torch.export.save, or of what is
// made of exported programs.
func isExported(f *modelFile) bool {
	return container.IsZip(f.head) && exported.Is(f.r, f.size)
}

// loadExported reads what torch.export.save wrote. A program whose inputs all have fixed
// shapes, and that keeps nothing between runs, is a graph at once; the graph of others is open.
func loadExported(f *modelFile) (*graph.Graph, error) {
	m, _, err := openExported(f)
	if err != nil {
		return nil, err
	}
	if err := m.CheckOperators(); err != nil {
		return nil, err
	}
	g := graph.NewOpen(m.Inputs(), m)
	for i, v := range g.Inputs {
		v.Guard = m.Contract.Guard(i)
	}
	if !m.IsStatic() {
		return g, nil
	}
	types, ok := g.Example()
	if !ok {
		return g, nil
	}
	s, err := g.SpecializeContext(f.context(), types...)
	if err != nil {
		if _, unsupported := errors.AsType[*UnsupportedError](err); unsupported || f.context().Err() != nil {
			return nil, err
		}
		met := false
		_, _ = m.SpecializeContext(f.context(), types, "", graph.Items{Find: func(*graph.Graph, *graph.Value, int) (int64, error) {
			met = true
			return 0, errItem
		}})
		if met {
			return g, nil // a run may have numbers that suit it
		}
		return nil, &FileError{Err: err} // its shapes are the file's, too
	}
	if s.State != nil || s.HasItems() {
		return g, nil
	}
	return s, nil
}

// errItem ends a program at a number that only a run knows.
var errItem = errors.New("a number that only the run knows")

func openExported(f *modelFile) (*exported.Model, *exported.Archive, error) {
	a, err := exported.Open(f.r, f.size, f.budget(), f.openSaved)
	if err != nil {
		return nil, nil, err
	}
	a.OnDemand = f.onDemandStorage
	name, err := a.Choose(f.model)
	if err != nil {
		return nil, nil, &FileError{Err: err}
	}
	p, err := a.Program(name)
	if err != nil {
		return nil, nil, err
	}
	weights, err := a.Weights(p)
	if err != nil {
		return nil, nil, err
	}
	m, err := exported.NewModel(p, weights, f.programLimits())
	return m, a, err
}

// ExportedDescription says what an exported program is, without executing it.
type ExportedDescription = exported.Description

// DescribeExported describes the program that the option Model names, the only one without it, in
// the archive of torch.export.save at path. Other files, and damaged ones, are rejected with a *FileError.
func DescribeExported(path string, opts ...Option) (*ExportedDescription, error) {
	f, err := Open(path, opts...)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.DescribeExported()
}

// savedTensors are the tensors of a dict that torch.save wrote, each made when it is asked for.
type savedTensors struct {
	values map[string]pickle.Value
	from   *rebuilder
}

// openSaved opens a file of torch.save that holds a dict of names and tensors.
func (f *modelFile) openSaved(r io.ReaderAt, size int64) (exported.Tensors, error) {
	a, err := container.Open(r, size)
	if err != nil {
		return nil, err
	}
	if err := checkByteOrder(a); err != nil {
		return nil, err
	}
	data, err := a.Read(pickleRecord, maxPickle)
	if err != nil {
		return nil, err
	}
	top, n, err := pickle.Load(data, pickle.Options{Global: savedGlobal, Call: standIn})
	if err != nil {
		return nil, &FileError{Record: pickleRecord, Reason: "rejected", Err: err}
	}
	if n != len(data) {
		return nil, &FileError{Record: pickleRecord, Reason: fmt.Sprintf("%d bytes follow after the pickle", len(data)-n)}
	}
	dict, ok := top.(*pickle.Dict)
	if !ok {
		return nil, &FileError{Record: pickleRecord, Reason: fmt.Sprintf("holds %s, not a dict of tensors", pickle.Describe(top))}
	}
	s := &savedTensors{values: make(map[string]pickle.Value), from: newRebuilder(f.zipStorages(a, storageFolder), size)}
	for i := range dict.Len() {
		if k, v := dict.At(i); isTensor(v) {
			s.values[keyName(k)] = v
		}
	}
	return s, nil
}

// Tensor returns the tensor of a name, nil if there is none.
func (s *savedTensors) Tensor(name string) (*tensor.Tensor, error) {
	v, ok := s.values[name]
	if !ok {
		return nil, nil
	}
	t, err := s.from.tensor(v)
	return t, reject(name, err)
}

// savedGlobal decides which names the weights of an exported program may refer to.
func savedGlobal(module, name string) error {
	if err := stateDictGlobal(module, name); err != nil {
		return errors.New("weights and constants of an exported program do not: objects of classes are not read")
	}
	return nil
}

// DescribeExported is the function DescribeExported.
func (f *File) DescribeExported() (*ExportedDescription, error) {
	m, a, err := openExported(f.f)
	if err != nil {
		return nil, f.name(err)
	}
	return m.Describe(a), nil
}

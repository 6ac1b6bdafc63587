package exported

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/tensor"
)

// The records of both forms of archives. PyTorch wrote the flat one, without a
// folder at the top, up to 2.7, and the other, which is named after its file, since 2.8.
const (
	flatProgram   = "serialized_exported_program.json"
	flatWeights   = "serialized_state_dict.pt"
	flatConstants = "serialized_constants.pt"
	oldWeights    = "serialized_state_dict.json" // of PyTorch 2.1

	formatRecord    = "archive_format"
	versionRecord   = "archive_version"
	byteOrderRecord = "byteorder"
	modelsFolder    = "models/"
	weightsFolder   = "data/weights/"
	constantsFolder = "data/constants/"
	compiledFolder  = "data/aotinductor/"
	executorFolder  = "data/executorch/"
)

const jsonExt = ".json"

// Tensors gives tensors by name, nil for one that is not there.
type Tensors interface {
	Tensor(name string) (*tensor.Tensor, error)
}

// Archive is an archive of exported programs. It keeps the file, and reads of it what is asked for.
type Archive struct {
	zip  *container.Archive
	flat bool
	size int64 // of the file
	// open reads what torch.save wrote: a dict of names and tensors.
	open  func(r io.ReaderAt, size int64) (Tensors, error)
	names []string
	views int64
	// OnDemand returns memory of so many bytes that read writes when it is needed, nil where it is read at once; nil: all is.
	OnDemand func(size int64, read func(dst []byte) error) *tensor.Storage
}

// Is reports whether a zip archive is one of exported programs, or of what is made
// of them: compiled code, programs of ExecuTorch.
func Is(r io.ReaderAt, size int64) bool {
	_, _, err := find(r, size, math.MaxInt64)
	return err == nil
}

// find opens a zip archive in the form it has.
func find(r io.ReaderAt, size, budget int64) (z *container.Archive, flat bool, err error) {
	if z, err := container.OpenWithin(r, size, budget); err == nil && isPackage(z) {
		return z, false, nil
	}
	z, err = container.OpenFlat(r, size, budget)
	if err != nil {
		return nil, false, err
	}
	if z.Has(flatProgram) || z.Has(oldWeights) || isPackage(z) {
		return z, true, nil
	}
	return nil, false, &tensor.FileError{Reason: "a zip file, but not one of torch.export.save"}
}

// isPackage reports whether an archive has the folders of PyTorch 2.8 and later.
func isPackage(z *container.Archive) bool {
	if format, err := z.Read(formatRecord, 16); err == nil && string(format) == "pt2" {
		return true
	}
	return has(z, compiledFolder) || has(z, executorFolder)
}

func has(z *container.Archive, folder string) bool {
	return slices.ContainsFunc(z.Names(), func(name string) bool { return strings.HasPrefix(name, folder) })
}

// Open opens the archive in the first size bytes of r, whose records take at most budget bytes together. open reads a file inside of
// it that torch.save wrote. What is not an exported program, or is one that is not
// read, gives a *tensor.FileError.
func Open(r io.ReaderAt, size, budget int64, open func(r io.ReaderAt, size int64) (Tensors, error)) (*Archive, error) {
	z, flat, err := find(r, size, budget)
	if err != nil {
		return nil, err
	}
	a := &Archive{zip: z, flat: flat, size: size, open: open}
	a.views = min(size, math.MaxInt64/(2*viewsPerByte))*viewsPerByte + viewsAllowed
	if z.Has(oldWeights) && !z.Has(flatWeights) {
		return nil, unsupported("an exported program of PyTorch 2.1, whose format is another",
			"export the model again with PyTorch 2.6 or later, torch.export.save(torch.export.export(model, args), path)")
	}
	if err := a.findPrograms(); err != nil {
		return nil, err
	}
	return a, a.checkForm()
}

func unsupported(what, advice string) error {
	return &tensor.FileError{Err: &UnsupportedFileError{what, advice}}
}

func (a *Archive) findPrograms() error {
	if a.flat && a.zip.Has(flatProgram) {
		a.names = []string{"model"}
		return nil
	}
	for _, record := range a.zip.Names() {
		inside, ok := strings.CutPrefix(record, modelsFolder)
		if name, isJSON := strings.CutSuffix(inside, jsonExt); ok && isJSON && name != "" {
			a.names = append(a.names, name)
		}
	}
	const advice = "save the program itself, torch.export.save(torch.export.export(model, args), path)"
	switch {
	case len(a.names) > 0:
		return nil
	case has(a.zip, compiledFolder):
		return unsupported("an AOTInductor package, which holds compiled code for one machine and no program", advice)
	case has(a.zip, executorFolder):
		return unsupported("a package with a program of ExecuTorch, which only its runtime reads", advice)
	}
	return &tensor.FileError{Reason: "a package of PyTorch without a program: no record " + modelsFolder + "*" + jsonExt}
}

// checkForm refuses archives of other versions, and those of big-endian machines: PyTorch
// itself does not look at the byte order, and reads garbage.
func (a *Archive) checkForm() error {
	for _, is := range [][2]string{{versionRecord, "0"}, {byteOrderRecord, "little"}} {
		record, want := is[0], is[1]
		if a.flat || !a.zip.Has(record) {
			continue
		}
		text, err := a.zip.Read(record, 16)
		if err != nil {
			return err
		}
		if have := strings.TrimSpace(string(text)); have != want {
			return &tensor.FileError{Record: record, Reason: fmt.Sprintf("%q where only %q is read: save the program again, on a little-endian machine and with PyTorch 2.6 to 2.14", have, want)}
		}
	}
	return nil
}

// Names returns the names of the programs in the archive, in its order.
func (a *Archive) Names() []string { return a.names }

// Choose returns the name of the program to load: the one asked for, or the only one.
func (a *Archive) Choose(name string) (string, error) {
	switch {
	case slices.Contains(a.names, name):
		return name, nil
	case name != "":
		return "", &ChoiceError{Asked: name, Names: a.names}
	case len(a.names) > 1:
		return "", &ChoiceError{Names: a.names}
	}
	return a.names[0], nil
}

// ChoiceError says that an archive holds several programs, or not the one asked for.
type ChoiceError struct {
	Asked string // "" when none was
	Names []string
}

func (e *ChoiceError) Error() string {
	if e.Asked == "" {
		return fmt.Sprintf("holds several models, %s: name one", strings.Join(e.Names, ", "))
	}
	return fmt.Sprintf("holds no model %q: it has %s", e.Asked, strings.Join(e.Names, ", "))
}

// Program reads a program.
func (a *Archive) Program(name string) (*Program, error) {
	record := modelsFolder + name + jsonExt
	if a.flat {
		record = flatProgram
	}
	data, err := a.zip.Read(record, maxJSONBytes)
	if err != nil {
		return nil, err
	}
	p, err := ParseProgram(record, data)
	if err != nil {
		return nil, err
	}
	p.Name = name
	return p, nil
}

// Weights reads the parameters, buffers and constants of a program's inputs, in their
// order, nil for the inputs of a user. Tensors that share memory in the file do so.
func (a *Archive) Weights(p *Program) ([]*tensor.Tensor, error) {
	weights, err := a.tensors(p.Name, flatWeights, weightsFolder, "_weights_config.json")
	if err != nil {
		return nil, err
	}
	constants, err := a.tensors(p.Name, flatConstants, constantsFolder, "_constants_config.json")
	if err != nil {
		return nil, err
	}
	out := make([]*tensor.Tensor, len(p.Inputs))
	for i, in := range p.Inputs {
		from := weights
		switch {
		case in.Kind == TensorConstant, in.Kind == Buffer && !in.Persistent:
			from = constants
		case in.Kind != Parameter && in.Kind != Buffer:
			continue
		}
		t, err := from.Tensor(in.Target)
		if err != nil {
			return nil, err
		}
		if t == nil {
			return nil, &tensor.FileError{Record: in.Target, Reason: "the archive has no tensor of this name, which the program needs"}
		}
		if err := p.Graph.Tensors[in.Name].fits(t); err != nil {
			return nil, &tensor.FileError{Record: in.Target, Err: err}
		}
		out[i] = t
	}
	return out, nil
}

// tensors opens the weights or the constants of a program, of whichever form.
func (a *Archive) tensors(name, flat, folder, config string) (Tensors, error) {
	saved := flat
	if !a.flat {
		saved = folder + name + ".pt"
	}
	if record := folder + name + config; !a.flat && a.zip.Has(record) {
		data, err := a.zip.Read(record, maxJSONBytes)
		if err != nil {
			return nil, err
		}
		list, err := parsePayloads(record, data)
		if err != nil {
			return nil, err
		}
		return &payloads{archive: a.zip, folder: folder, config: list, read: make(map[recordKey][]byte), seen: make(map[string]bool), views: &a.views, onDemand: a.OnDemand}, nil
	}
	if !a.zip.Has(saved) {
		return noTensors{}, nil
	}
	r, n, err := a.zip.Section(saved, a.size*viewsPerByte+viewsAllowed)
	if err != nil {
		return nil, err
	}
	t, err := a.open(r, n)
	if err != nil {
		return nil, &tensor.FileError{Record: saved, Err: err}
	}
	return &saveFile{saved, t}, nil
}

// saveFile is a file of torch.save inside of the archive.
type saveFile struct {
	record string
	from   Tensors
}

func (s *saveFile) Tensor(name string) (*tensor.Tensor, error) {
	t, err := s.from.Tensor(name)
	if err != nil {
		return nil, &tensor.FileError{Record: s.record, Err: err}
	}
	return t, nil
}

type noTensors struct{}

func (noTensors) Tensor(string) (*tensor.Tensor, error) { return nil, nil }

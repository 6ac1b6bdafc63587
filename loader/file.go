package loader

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/internal/rawfile"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/tensor"
)

// Context makes reading a file fail once ctx has ended, and making a graph of a program while it is read. Later runs have
// contexts of their own.
func Context(ctx context.Context) Option { return func(f *modelFile) { f.ctx = ctx } }

// MaxMemory bounds the bytes that what is read of a file may take, and what a program may make while its graph is made, for which
// a *LimitError comes: a file that takes more is rejected with a *FileError whose
// Err is a *tensor.BudgetError. Without it the bound is 16 GiB, and that of the pickles in a file 4 GiB.
func MaxMemory(bytes int64) Option { return func(f *modelFile) { f.maxMemory = bytes } }

const (
	defaultMaxMemory = 16 << 30
	defaultForPickle = 4 << 30
)

// File is an open file with a model or weights in it. A pipe can be one, of which all is read at once; the functions that
// take a path open and close a File.
type File struct {
	path   string
	raw    *rawfile.File
	f      *modelFile
	folder *hubFolder // of the weights of a folder of Hugging Face
	shards []*File    // the other files of its weights
}

// FS makes the functions that take a path read from fsys, such as files that are embedded in a program, and not from the system. Paths are
// those of fs.FS: with slashes, from its root. What fsys gives in order only is read into memory, within MaxMemory; what is no file of the system
// is read at once where OnDemand is given, and cannot be mapped.
func FS(fsys fs.FS) Option { return func(f *modelFile) { f.fsys = fsys } }

// newModelFile is a file that is not open yet.
func newModelFile(opts []Option) *modelFile {
	f := &modelFile{}
	for _, o := range opts {
		if o != nil {
			o(f)
		}
	}
	if f.ctx == nil {
		f.ctx = context.Background()
	}
	if f.fsys == nil {
		f.fsys = rawfile.System{}
	}
	return f
}

// Open opens the file at path. That it is of a kind which is read is not checked yet. Of a folder of Hugging Face, which has a
// config.json, it is the file or files of weights, and Load builds the architecture that the folder describes.
func Open(path string, opts ...Option) (*File, error) {
	folder, err := openHubFolder(newModelFile(opts).fsys, path)
	if err != nil {
		return nil, err
	}
	if folder == nil {
		return openFile(path, opts)
	}
	f, err := openShards(folder, opts)
	if err != nil {
		return nil, err
	}
	f.folder = folder
	return f, nil
}

// openFile opens what is no folder.
func openFile(path string, opts []Option) (*File, error) {
	f := newModelFile(opts)
	raw, err := rawfile.OpenIn(f.ctx, f.fsys, path, f.budget())
	switch {
	case isA[*rawfile.TooLargeError](err):
		return nil, &FileError{File: path, Err: &tensor.BudgetError{What: "what the pipe gives", Need: f.budget() + 1, Limit: f.budget()}}
	case errors.Is(err, rawfile.ErrFolder):
		return nil, folderError(path)
	case err != nil:
		return nil, err
	}
	f.r, f.size, f.file = raw, raw.Size, raw.Disk
	f.maxMemory = max(f.budget()-raw.InMemory(), 1)
	if f.onDemand && raw.Disk != nil {
		if f.watched, err = watchFile(raw.Disk, path); err != nil {
			return nil, errors.Join(err, raw.Close())
		}
	}
	return &File{path: path, raw: raw, f: f}, nil
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// Close closes the file. What was read of it stays, but for what Mapped says. With the option OnDemand it
// stays open until nothing needs it any more.
func (f *File) Close() error {
	var errs []error
	for _, s := range f.shards {
		errs = append(errs, s.Close())
	}
	if f.f.watched != nil {
		f.raw.Detach()
	} else {
		errs = append(errs, f.raw.Close())
	}
	return errors.Join(errs...)
}

// Size returns the bytes of the file, of a folder those of all files of weights.
func (f *File) Size() int64 {
	size := f.raw.Size
	for _, s := range f.shards {
		size += s.Size()
	}
	return size
}

// Format tells the format of the file by its content, without reading all of it. A file of no known format gives
// a *FileError.
func (f *File) Format() (Format, error) {
	format, err := f.f.format()
	return format, f.name(err)
}

// Load is the function Load.
func (f *File) Load() (*graph.Graph, error) {
	if f.folder != nil {
		return f.folder.build(f)
	}
	g, err := f.f.load(nil)
	return g, f.name(err)
}

// StateDict is the function StateDict.
func (f *File) StateDict() (*Weights, error) {
	if f.shards != nil || f.folder != nil && f.folder.index != "" {
		return f.joinShards()
	}
	w, err := f.f.stateDict()
	return w, f.name(err)
}

// Build is the function Build.
func (f *File) Build(a nn.Architecture) (*graph.Graph, error) {
	w, err := f.StateDict()
	if err != nil {
		return nil, err
	}
	g, err := nn.Build(a, w)
	if inner := w.under(); inner != nil && isA[*nn.BindError](err) {
		// A training program, such as a LightningModule, has the model as an attribute.
		if sub, e := nn.Build(a, inner); e == nil {
			return sub, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	return g, nil
}

// name adds the path to a rejection; what went wrong because the context has ended, did so for that.
func (f *File) name(err error) error {
	if err != nil && f.f.ctx.Err() != nil {
		return f.f.ctx.Err()
	}
	return inFile(err, f.path)
}

// context returns that of reading.
func (f *modelFile) context() context.Context {
	if f.ctx == nil {
		return context.Background()
	}
	return f.ctx
}

// programLimits bound what a program does while its graph is made, also at runs with other inputs.
func (f *modelFile) programLimits() build.Limits {
	if f.limits != (build.Limits{}) {
		return f.limits
	}
	return build.DefaultLimits.Within(f.maxMemory)
}

// budget returns the bytes that may be taken.
func (f *modelFile) budget() int64 {
	if f.maxMemory <= 0 {
		return defaultMaxMemory
	}
	return f.maxMemory
}

// fits rejects a file whose tensors take more than is allowed: what it stores it holds in full.
func (f *modelFile) fits() error {
	if limit := f.budget(); f.size > limit {
		return &FileError{Err: &tensor.BudgetError{What: "the file", Need: f.size, Limit: limit}}
	}
	return nil
}

// pickleLimits are those of the pickles of a file. A value takes some hundred bytes while it is decoded.
func (f *modelFile) pickleLimits() pickle.Limits {
	limit := int64(defaultForPickle)
	if f.maxMemory > 0 {
		limit = f.maxMemory
	}
	limit = min(limit, math.MaxInt/2)
	return pickle.Limits{
		Bytes:      int(min(limit/8, 256<<20)),
		Values:     int(min(limit/96, 64<<20)),
		Containers: int(min(limit/384, 16<<20)),
	}
}

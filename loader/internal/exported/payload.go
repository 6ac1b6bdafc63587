package exported

import (
	"fmt"
	"math"
	"path"
	"slices"

	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/tensor"
)

// payload is a weight or constant of an archive: a view of a record that holds
// the memory of one or more tensors.
type payload struct {
	record string
	pickle bool // in PyTorch's pickle: a tensor subclass, or an object
	meta   *TensorMeta
}

// parsePayloads reads a weights_config.json or constants_config.json: payloads by name.
func parsePayloads(record string, data []byte) (map[string]payload, error) {
	d := &decoder{jsonReader: newJSONReader(record, data), exprs: make(map[string]*Expr)}
	out := make(map[string]payload)
	d.object(func(key string) {
		if key != "config" {
			d.skip()
			return
		}
		d.object(func(name string) { out[name] = d.payload() })
	})
	return out, d.end()
}

func (d *decoder) payload() payload {
	var p payload
	d.object(func(key string) {
		switch key {
		case "path_name":
			p.record = d.str()
		case "use_pickle":
			p.pickle = d.bool()
		case "tensor_meta":
			if !d.null() {
				p.meta = d.tensorMeta()
			}
		default:
			d.skip()
		}
	})
	if p.record == "" || path.Base(p.record) != p.record || p.record == "." || p.record == ".." {
		d.fail("%q is no name of a record in the folder", p.record)
	}
	return p
}

// The views of a file may have this many bytes, each counted in full: a few bytes
// of a file can claim to be a large tensor.
const (
	viewsPerByte = 16
	viewsAllowed = 64 << 20
)

// payloads are the tensors of one folder of an archive. Tensors of one record and
// one element type share memory.
type payloads struct {
	archive *container.Archive
	folder  string
	config  map[string]payload
	read    map[recordKey][]byte
	seen    map[string]bool // records that were read
	views   *int64          // bytes that views may yet have

	onDemand func(size int64, read func(dst []byte) error) *tensor.Storage // Archive.OnDemand
	later    map[recordKey]*tensor.Storage                                 // what is read on demand
}

type recordKey struct {
	record string
	kind   string // the element type: a byte view of a float weight is stored by itself
}

// Tensor returns the tensor with a name, nil if there is none. Errors are *tensor.FileError.
func (p *payloads) Tensor(name string) (*tensor.Tensor, error) {
	c, ok := p.config[name]
	if !ok {
		return nil, nil
	}
	t, err := p.view(c)
	if err == nil {
		return t, nil
	}
	return nil, &tensor.FileError{Record: p.folder + c.record, Reason: "weight " + name, Err: err}
}

func (p *payloads) view(c payload) (*tensor.Tensor, error) {
	if c.pickle {
		return nil, &UnsupportedFileError{"it is saved in Python's pickle, as tensor subclasses and objects are", "export the model with plain tensors"}
	}
	if c.meta == nil {
		return nil, fmt.Errorf("nothing is said of the tensor")
	}
	if err := c.meta.readable(); err != nil {
		return nil, err
	}
	shape, err := fixedInts(c.meta.Sizes)
	if err != nil {
		return nil, err
	}
	strides, err := fixedInts(c.meta.Strides)
	if err != nil {
		return nil, err
	}
	offset, err := fixedInts([]Extent{c.meta.Offset})
	if err != nil {
		return nil, err
	}
	n, err := tensor.Shape(shape).Numel()
	if err != nil {
		return nil, err
	}
	size := int64(c.meta.DType.Size())
	if int64(n) > *p.views/size {
		return nil, p.tooLarge()
	}
	*p.views -= int64(n) * size
	if s := p.readLater(c, int64(n)*size, offset[0]); s != nil {
		return s.View(c.meta.DType, 0, shape, strides)
	}
	data, err := p.storage(c, n)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return tensor.FromBytes(c.meta.DType, nil, shape...)
	}
	return tensor.View(c.meta.DType, data, offset[0], shape, strides)
}

// readLater returns the memory of a record that is all of a tensor of so many bytes, nil where it is read at once.
func (p *payloads) readLater(c payload, bytes int64, offset int) *tensor.Storage {
	key, place := recordKey{c.record, c.meta.Type}, p.archive.Find(p.folder+c.record)
	if s := p.later[key]; s != nil && offset == 0 {
		return s
	}
	if p.onDemand == nil || p.seen[c.record] || offset != 0 || bytes != p.archive.SizeAt(place) || c.meta.DType == tensor.Bool || c.meta.Wide != nil {
		return nil
	}
	s := p.onDemand(bytes, func(dst []byte) error { return p.archive.ReadIntoAt(place, dst) })
	if s != nil {
		if p.later == nil {
			p.later = make(map[recordKey]*tensor.Storage)
		}
		p.later[key], p.seen[c.record] = s, true
	}
	return s
}

// storage returns the memory of a record as elements of a type.
func (p *payloads) storage(c payload, n int) ([]byte, error) {
	key := recordKey{c.record, c.meta.Type}
	if data, ok := p.read[key]; ok {
		return data, p.present(n, len(data))
	}
	name := p.folder + c.record
	bytes := p.archive.Size(name)
	if bytes < 0 {
		return nil, fmt.Errorf("the archive has no such record")
	}
	if err := p.present(n, int(min(bytes, 1))); err != nil {
		return nil, err
	}
	size := int64(c.meta.DType.Size())
	wide := c.meta.Wide
	if wide != nil {
		size = int64(wide.Size)
	}
	if bytes%size != 0 {
		return nil, fmt.Errorf("%d bytes are no whole number of elements of %s", bytes, c.meta.Type)
	}
	if err := p.again(c.record, bytes); err != nil {
		return nil, err
	}
	data, err := p.archive.Read(name, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	if wide != nil {
		if data, err = wide.Widen(data); err != nil {
			return nil, err
		}
	}
	if c.meta.DType == tensor.Bool {
		tensor.NormalizeBools(data)
	}
	p.read[key] = data
	return data, nil
}

// again counts a record that is read as another element type, too: each takes memory of its own.
func (p *payloads) again(record string, bytes int64) error {
	if !p.seen[record] {
		p.seen[record] = true
		return nil
	}
	if bytes > *p.views {
		return p.tooLarge()
	}
	*p.views -= bytes
	return nil
}

func (p *payloads) tooLarge() error {
	return fmt.Errorf("the tensors of this file, shared ones counted in full, have more than %d times its bytes", viewsPerByte)
}

// present refuses an empty record for a tensor that has elements.
func (p *payloads) present(n, bytes int) error {
	if n > 0 && bytes == 0 {
		return fmt.Errorf("its elements were not saved: the record is empty, as in a program exported without real weights (FakeTensorMode)")
	}
	return nil
}

// readable refuses tensors of element types, layouts and devices that are not read.
func (m *TensorMeta) readable() error {
	switch {
	case m.DType == tensor.Invalid:
		return &UnsupportedFileError{What: "tensors of " + m.Type + " are not read"}
	case m.Layout != Strided:
		return &UnsupportedFileError{What: fmt.Sprintf("tensors of layout %s are not read", m.Layout), Advice: "convert them to dense ones before exporting"}
	case m.Device == "meta":
		return &UnsupportedFileError{What: "a tensor on the device meta, which has no elements", Advice: "load the weights before exporting"}
	}
	return nil
}

var layoutNames = map[Layout]string{1: "sparse_coo", 2: "sparse_csr", 3: "sparse_csc", 4: "sparse_bsr", 5: "sparse_bsc", 6: "_mkldnn", Strided: "strided", 8: "jagged"}

func (l Layout) String() string {
	if s, ok := layoutNames[l]; ok {
		return s
	}
	return fmt.Sprintf("%d", uint8(l))
}

// fixedInts returns extents that must be fixed and not negative.
func fixedInts(extents []Extent) ([]int, error) {
	out := make([]int, len(extents))
	for i, e := range extents {
		if e.Expr != nil {
			return nil, fmt.Errorf("the weight has the extent %v, which is no number", e.Expr)
		}
		if e.Fixed < 0 || int64(int(e.Fixed)) != e.Fixed {
			return nil, fmt.Errorf("the weight has the extent, stride or offset %d", e.Fixed)
		}
		out[i] = int(e.Fixed)
	}
	return out, nil
}

// Fixed returns the extents of a tensor that are the same in every run, -1 for the others.
func (m *TensorMeta) Fixed() []int {
	out := make([]int, len(m.Sizes))
	for i, e := range m.Sizes {
		out[i] = -1
		if e.Expr == nil && e.Fixed >= 0 && e.Fixed <= math.MaxInt {
			out[i] = int(e.Fixed)
		}
	}
	return out
}

// fits refuses a weight that is not what the program says of it.
func (m *TensorMeta) fits(t *tensor.Tensor) error {
	if t.DType() != m.DType || !slices.EqualFunc(t.Shape(), m.Fixed(), func(have, want int) bool { return have == want }) {
		return fmt.Errorf("the weight is %v%v where the program has %v%v", t.DType(), t.Shape(), m.DType, tensor.Shape(m.Fixed()))
	}
	return nil
}

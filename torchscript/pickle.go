package torchscript

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// pickler writes a pickle of protocol 2 as torch.jit.save does: the opcodes that its reader knows, without a memo.
type pickler struct {
	bytes   []byte
	records []record // the storages, by their number
}

// record is the bytes of a storage: those of a tensor, or given ones.
type record struct {
	tensor *tensor.Tensor
	bytes  []byte
}

// scalarTypes are PyTorch's element types in the order of their numbers.
const scalarTypes = "Byte Char Short Int Long Half Float Double ComplexHalf ComplexFloat ComplexDouble Bool QInt8 QUInt8 QInt32 BFloat16"

// scalarType returns the number of an element type, -1 where PyTorch has none.
//
//go:noinline
func scalarType(d tensor.DType) int {
	for number, t := range []tensor.DType{
		tensor.Uint8, tensor.Int8, none, tensor.Int32, tensor.Int64, tensor.Float16, tensor.Float32, tensor.Float64, none, none, none, tensor.Bool,
		none, none, none, tensor.BFloat16,
	} {
		if t == d {
			return number
		}
	}
	return -1
}

const none tensor.DType = 255

// storageClass returns the class of a tensor's storage, "" where PyTorch has none.
//
//go:noinline
func storageClass(t *tensor.Tensor) string {
	number := scalarType(t.DType())
	if t.QParams() != nil {
		switch t.DType() {
		case tensor.Int8:
			number = 12
		case tensor.Uint8:
			number = 13
		case tensor.Int32:
			number = 14
		}
	}
	if number < 0 {
		return ""
	}
	return strings.Fields(scalarTypes)[number] + "Storage"
}

//go:noinline
func (p *pickler) text(s string) { p.bytes = append(p.bytes, s...) }

//go:noinline
func (p *pickler) global(module, name string) { p.text("c" + module + "\n" + name + "\n") }

//go:noinline
func (p *pickler) string(s string) {
	p.bytes = binary.LittleEndian.AppendUint32(append(p.bytes, 'X'), uint32(len(s)))
	p.text(s)
}

//go:noinline
func (p *pickler) int(v int) {
	switch {
	case v >= 0 && v <= math.MaxUint8:
		p.bytes = append(p.bytes, 'K', byte(v))
	case v >= math.MinInt32 && v <= math.MaxInt32:
		p.bytes = binary.LittleEndian.AppendUint32(append(p.bytes, 'J'), uint32(v))
	default:
		p.bytes = binary.LittleEndian.AppendUint64(append(p.bytes, 0x8a, 8), uint64(v))
	}
}

//go:noinline
func (p *pickler) float(v float64) {
	p.bytes = binary.BigEndian.AppendUint64(append(p.bytes, 'G'), math.Float64bits(v))
}

//go:noinline
func (p *pickler) ints(list []int) {
	p.text("(")
	for _, v := range list {
		p.int(v)
	}
	p.text("t")
}

// storage writes the reference to a new storage of n elements.
//
//go:noinline
func (p *pickler) storage(class string, n int, r record) {
	p.text("(")
	p.string("storage")
	p.global("torch", class)
	p.string(number(len(p.records)))
	p.string("cpu")
	p.int(n)
	p.text("tQ")
	p.records = append(p.records, r)
}

// dense writes a tensor without quantization parameters.
//
//go:noinline
func (p *pickler) dense(class string, shape tensor.Shape, r record) {
	p.global("torch._utils", "_rebuild_tensor_v2")
	p.text("(")
	p.view(class, shape, r)
	p.hooks()
}

// view writes what all tensors begin with: storage, offset, shape and strides.
//
//go:noinline
func (p *pickler) view(class string, shape tensor.Shape, r record) {
	n := 1
	for _, d := range shape {
		n *= d
	}
	p.storage(class, n, r)
	p.int(0)
	p.ints(shape)
	p.ints(shape.Strides())
}

// hooks ends a tensor: it needs no gradient and has no hooks.
//
//go:noinline
func (p *pickler) hooks() {
	p.text("\x89")
	p.global("collections", "OrderedDict")
	p.text(")RtR")
}

func (p *pickler) tensor(t *tensor.Tensor) {
	q := t.QParams()
	if q == nil {
		p.dense(storageClass(t), t.Shape(), record{tensor: t})
		return
	}
	p.global("torch._utils", "_rebuild_qtensor")
	p.text("(")
	p.view(storageClass(t), t.Shape(), record{tensor: t})
	p.text("(")
	if !q.Scheme.PerChannel() {
		p.global("torch", "per_tensor_affine")
		p.float(float64(q.Scale[0]))
		p.int(int(q.ZeroPoint[0]))
	} else {
		p.global("torch", "per_channel_affine")
		scales, zeros := []byte{}, []byte{}
		for i, s := range q.Scale {
			scales = binary.LittleEndian.AppendUint64(scales, math.Float64bits(float64(s)))
			zeros = binary.LittleEndian.AppendUint64(zeros, uint64(q.ZeroPoint[i]))
		}
		p.dense("DoubleStorage", tensor.Shape{len(q.Scale)}, record{bytes: scales})
		p.dense("LongStorage", tensor.Shape{len(q.Scale)}, record{bytes: zeros})
		p.int(q.Axis)
	}
	p.text("t")
	p.hooks()
}

// packed writes the packed parameters of a layer: weight and bias, and of a convolution, whose config is not nil, the version of the
// form and the lists that these stand in.
func (p *pickler) packed(l *packed) {
	p.global("__torch__.torch.classes.quantized", l.class)
	p.text(")\x81(")
	if l.config != nil {
		p.string("2")
		p.global("torch.jit._pickle", "build_tensorlist")
		p.text("(](")
		var config []byte
		for _, v := range l.config {
			config = binary.LittleEndian.AppendUint16(config, uint16(v))
		}
		p.dense("ShortStorage", tensor.Shape{len(l.config)}, record{bytes: config})
	}
	p.tensor(l.weight)
	if l.config != nil {
		p.text("etR")
		p.global("torch.jit._pickle", "restore_type_tag")
		p.text("(](")
	}
	if l.bias == nil {
		p.text("N")
	} else {
		p.tensor(l.bias)
	}
	if l.config != nil {
		p.text("e")
		p.string("List[Optional[Tensor]]")
		p.text("tR")
	}
	p.text("tb")
}

package torchscript

import (
	"encoding/binary"
	"math"

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

// storages are the classes of storages, those of quantized elements behind them.
var storages = map[tensor.DType]string{
	tensor.Uint8: "ByteStorage", tensor.Int8: "CharStorage", tensor.Int32: "IntStorage", tensor.Int64: "LongStorage", tensor.Bool: "BoolStorage",
	tensor.Float16: "HalfStorage", tensor.BFloat16: "BFloat16Storage", tensor.Float32: "FloatStorage", tensor.Float64: "DoubleStorage",
}

var quantizedStorages = map[tensor.DType]string{tensor.Uint8: "QUInt8Storage", tensor.Int8: "QInt8Storage", tensor.Int32: "QInt32Storage"}

func (p *pickler) text(s string) { p.bytes = append(p.bytes, s...) }

func (p *pickler) global(module, name string) { p.text("c" + module + "\n" + name + "\n") }

func (p *pickler) string(s string) {
	p.bytes = binary.LittleEndian.AppendUint32(append(p.bytes, 'X'), uint32(len(s)))
	p.text(s)
}

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

func (p *pickler) float(v float64) {
	p.bytes = binary.BigEndian.AppendUint64(append(p.bytes, 'G'), math.Float64bits(v))
}

func (p *pickler) ints(list []int) {
	p.text("(")
	for _, v := range list {
		p.int(v)
	}
	p.text("t")
}

// storage writes the reference to a new storage of n elements.
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
func (p *pickler) dense(class string, shape tensor.Shape, r record) {
	p.global("torch._utils", "_rebuild_tensor_v2")
	p.text("(")
	p.view(class, shape, r)
	p.hooks()
}

// view writes what all tensors begin with: storage, offset, shape and strides.
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
func (p *pickler) hooks() {
	p.text("\x89")
	p.global("collections", "OrderedDict")
	p.text(")RtR")
}

func (p *pickler) tensor(t *tensor.Tensor) {
	q := t.QParams()
	if q == nil {
		p.dense(storages[t.DType()], t.Shape(), record{tensor: t})
		return
	}
	p.global("torch._utils", "_rebuild_qtensor")
	p.text("(")
	p.view(quantizedStorages[t.DType()], t.Shape(), record{tensor: t})
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

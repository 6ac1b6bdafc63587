package loader

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/tensor"
)

// maxRank is PyTorch's own limit of dimensions.
const maxRank = 64

// A file may hold few bytes and many or large views of them. Copying every
// tensor of a file must cost no more than these bounds, in bytes.
const (
	viewsPerByte = 16
	viewsAllowed = 64 << 20
)

// rebuilder makes tensors of the calls that PyTorch pickled them as.
type rebuilder struct {
	source  storageSource
	tensors map[*pickle.Object]*tensor.Tensor
	allowed int64 // bytes that views may yet have
}

func newRebuilder(source storageSource, fileSize int64) *rebuilder {
	return &rebuilder{
		source:  source,
		tensors: make(map[*pickle.Object]*tensor.Tensor),
		allowed: min(fileSize, math.MaxInt64/(2*viewsPerByte))*viewsPerByte + viewsAllowed,
	}
}

// tensor returns the tensor that v is: a call of one of PyTorch's rebuilding
// functions, or a storage by itself, which is a tensor of one dimension. It
// returns nil when v is something else.
func (r *rebuilder) tensor(v pickle.Value) (*tensor.Tensor, error) {
	switch v := v.(type) {
	case *pickle.Persistent:
		ref, s, err := r.open(v)
		if err != nil {
			return nil, err
		}
		if err := r.spend(int64(len(s.data))); err != nil {
			return nil, err
		}
		return tensor.FromBytes(ref.dtype, s.data, len(s.data)/ref.dtype.Size())
	case *pickle.Object:
		if t := r.tensors[v]; t != nil {
			return t, nil
		}
		t, err := r.call(v.Class, v.Args)
		if t != nil && err == nil {
			r.tensors[v] = t
		}
		return t, err
	}
	return nil, nil
}

func (r *rebuilder) call(f *pickle.Class, args pickle.Tuple) (*tensor.Tensor, error) {
	name := f.String()
	need := func(atLeast, atMost int) error {
		if len(args) < atLeast || len(args) > atMost {
			return fmt.Errorf("%s has %d arguments", name, len(args))
		}
		return nil
	}
	switch name {
	case rebuildTensor: // storage, offset, size, stride
		if err := need(4, 4); err != nil {
			return nil, err
		}
		return r.view(args, nil)
	case rebuildTensorV2: // ..., requires_grad, backward_hooks[, metadata]
		if err := need(6, 7); err != nil {
			return nil, err
		}
		return r.view(args, nil)
	case rebuildTensorV3: // ..., requires_grad, backward_hooks, dtype[, metadata]
		if err := need(7, 8); err != nil {
			return nil, err
		}
		dtype, ok := args[6].(*pickle.Class)
		if !ok {
			return nil, fmt.Errorf("the dtype of a tensor is %s", pickle.Describe(args[6]))
		}
		return r.view(args, dtype)
	case rebuildQTensor: // storage, offset, size, stride, quantizer, requires_grad, backward_hooks
		if err := need(7, 7); err != nil {
			return nil, err
		}
		return r.quantized(args)
	case rebuildParameter, rebuildParameterState: // data, requires_grad, backward_hooks[, state]
		if err := need(3, 4); err != nil {
			return nil, err
		}
		return r.wrapped(args[0])
	case rebuildFromType, rebuildFromTypeV2: // function, type, args, state
		if err := need(4, 4); err != nil {
			return nil, err
		}
		inner, ok := args[0].(*pickle.Class)
		innerArgs, ok2 := args[2].(pickle.Tuple)
		if !ok || !ok2 || inner.String() == name {
			return nil, fmt.Errorf("%s of %s and %s", name, pickle.Describe(args[0]), pickle.Describe(args[2]))
		}
		t, err := r.call(inner, innerArgs)
		if t == nil && err == nil {
			err = fmt.Errorf("%s does not make a tensor", inner)
		}
		return t, err
	}
	return nil, nil
}

// wrapped returns the tensor that must be v.
func (r *rebuilder) wrapped(v pickle.Value) (*tensor.Tensor, error) {
	t, err := r.tensor(v)
	if t == nil && err == nil {
		err = fmt.Errorf("%s where a tensor should be", pickle.Describe(v))
	}
	return t, err
}

func (r *rebuilder) open(p *pickle.Persistent) (storageRef, storage, error) {
	ref, err := parseStorageID(p.ID)
	if err != nil {
		return ref, storage{}, err
	}
	s, err := r.source.storage(ref)
	return ref, s, err
}

// view makes the strided tensor of (storage, offset, size, stride, ...). dtype
// overrides that of an untyped storage.
func (r *rebuilder) view(args pickle.Tuple, dtype *pickle.Class) (*tensor.Tensor, error) {
	p, ok := args[0].(*pickle.Persistent)
	if !ok {
		return nil, fmt.Errorf("the storage of a tensor is %s", pickle.Describe(args[0]))
	}
	offset, ok := args[1].(int64)
	if !ok {
		return nil, fmt.Errorf("the storage offset of a tensor is %s", pickle.Describe(args[1]))
	}
	shape, err := ints(args[2], "size")
	if err != nil {
		return nil, err
	}
	strides, err := ints(args[3], "stride")
	if err != nil {
		return nil, err
	}
	n, err := tensor.Shape(shape).Numel()
	if err != nil {
		return nil, err
	}
	// Before the storage is read: what is wrong without it.
	ref, err := parseStorageID(p.ID)
	if err != nil {
		return nil, err
	}
	elem := ref.dtype
	if dtype != nil {
		if elem = tensorDTypes[dtype.Name]; dtype.Module != "torch" || elem == tensor.Invalid {
			return nil, fmt.Errorf("tensors of %s are not read: convert them before saving", dtype)
		}
		if elem != ref.dtype && !ref.untyped {
			return nil, fmt.Errorf("a tensor of %s in a storage of %v", dtype, ref.dtype)
		}
	}
	at, ok := count(offset, elem)
	if !ok {
		return nil, fmt.Errorf("the storage offset of a tensor is %d", offset)
	}
	if err := r.spend(int64(n) * int64(elem.Size())); err != nil {
		return nil, err
	}
	s, err := r.source.storage(ref)
	if err != nil {
		return nil, err
	}
	if elem == tensor.Bool && s.untyped {
		return untypedBools(s, at, shape, strides)
	}
	return tensor.View(elem, s.data, at, shape, strides)
}

// untypedBools copies a view, since other views of the same bytes may mean
// something else by them.
func untypedBools(s storage, offset int, shape, strides []int) (*tensor.Tensor, error) {
	t, err := tensor.View(tensor.Uint8, s.data, offset, shape, strides)
	if err != nil {
		return nil, err
	}
	data := t.Clone().Bytes()
	tensor.NormalizeBools(data)
	return tensor.FromBytes(tensor.Bool, data, shape...)
}

func (r *rebuilder) spend(bytes int64) error {
	if bytes > r.allowed {
		return fmt.Errorf("the tensors of this file, expanded and shared ones counted in full, have more than %d times its bytes", viewsPerByte)
	}
	r.allowed -= bytes
	return nil
}

// ints returns a tuple of dimensions.
func ints(v pickle.Value, what string) ([]int, error) {
	tuple, ok := v.(pickle.Tuple)
	if !ok {
		// torch.Size pickles as a call with one tuple.
		o, isObject := v.(*pickle.Object)
		if !isObject || !o.Class.Is("torch", "Size") || len(o.Args) != 1 {
			return nil, fmt.Errorf("the %s of a tensor is %s", what, pickle.Describe(v))
		}
		if tuple, ok = o.Args[0].(pickle.Tuple); !ok {
			return nil, fmt.Errorf("the %s of a tensor is %s", what, pickle.Describe(o.Args[0]))
		}
	}
	if len(tuple) > maxRank {
		return nil, fmt.Errorf("a tensor of %d dimensions, at most %d are read", len(tuple), maxRank)
	}
	out := make([]int, len(tuple))
	for i, e := range tuple {
		n, ok := e.(int64)
		if !ok || int64(int(n)) != n {
			return nil, fmt.Errorf("the %s of a tensor holds %s", what, pickle.Describe(e))
		}
		out[i] = int(n)
	}
	return out, nil
}

// quantized makes a tensor with quantization parameters: (qscheme, scale, zero
// point) or (qscheme, scales, zero points, axis).
func (r *rebuilder) quantized(args pickle.Tuple) (*tensor.Tensor, error) {
	t, err := r.view(args, nil)
	if err != nil {
		return nil, err
	}
	quantizer, _ := args[4].(pickle.Tuple)
	if len(quantizer) < 3 {
		return nil, fmt.Errorf("the quantizer of a tensor is %s", pickle.Describe(args[4]))
	}
	class, ok := quantizer[0].(*pickle.Class)
	if !ok || class.Module != "torch" {
		return nil, fmt.Errorf("the quantization scheme of a tensor is %s", pickle.Describe(quantizer[0]))
	}
	scheme, err := tensor.ParseQScheme(class.Name)
	if err != nil {
		return nil, err
	}
	q := &tensor.QParams{DType: t.DType(), Scheme: scheme}
	q.Min, q.Max = tensor.QRange(t.DType())
	if scheme.PerChannel() {
		err = r.perChannel(q, quantizer)
	} else {
		err = perTensor(q, quantizer)
	}
	if err != nil {
		return nil, err
	}
	if err := q.Validate(t.Shape()); err != nil {
		return nil, err
	}
	return t.WithQParams(q), nil
}

func perTensor(q *tensor.QParams, quantizer pickle.Tuple) error {
	scale, ok := quantizer[1].(float64)
	zero, ok2 := quantizer[2].(int64)
	if !ok || !ok2 || len(quantizer) != 3 || zero < math.MinInt32 || zero > math.MaxInt32 {
		return fmt.Errorf("per-tensor quantization with %s and %s", pickle.Describe(quantizer[1]), pickle.Describe(quantizer[2]))
	}
	q.Scale, q.ZeroPoint = []float32{float32(scale)}, []int32{int32(zero)}
	return nil
}

func (r *rebuilder) perChannel(q *tensor.QParams, quantizer pickle.Tuple) error {
	if len(quantizer) != 4 {
		return fmt.Errorf("per-channel quantization with %d parameters", len(quantizer)-1)
	}
	axis, ok := quantizer[3].(int64)
	if !ok || axis < 0 || axis >= maxRank {
		return fmt.Errorf("per-channel quantization along %s", pickle.Describe(quantizer[3]))
	}
	q.Axis = int(axis)
	scales, err := r.wrapped(quantizer[1])
	if err != nil {
		return fmt.Errorf("quantization scales: %w", err)
	}
	zeros, err := r.wrapped(quantizer[2])
	if err != nil {
		return fmt.Errorf("zero points: %w", err)
	}
	if scales.Rank() != 1 || zeros.Rank() != 1 || !scales.DType().IsFloat() || zeros.DType().IsFloat() ||
		scales.QParams() != nil || zeros.QParams() != nil {
		return fmt.Errorf("per-channel quantization with %v and %v", scales, zeros)
	}
	if scales, err = scales.To(tensor.Float32); err != nil {
		return err
	}
	if zeros, err = zeros.To(tensor.Int64); err != nil {
		return err
	}
	q.Scale = scales.Contiguous().Float32s()
	for _, z := range zeros.Contiguous().Int64s() {
		if z < math.MinInt32 || z > math.MaxInt32 {
			return fmt.Errorf("zero point %d", z)
		}
		q.ZeroPoint = append(q.ZeroPoint, int32(z))
	}
	return nil
}

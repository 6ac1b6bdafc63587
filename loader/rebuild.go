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
		if err := r.spend(int64(s.size())); err != nil {
			return nil, err
		}
		return s.view(ref.dtype, 0, []int{s.size() / ref.dtype.Size()}, []int{1})
	case *savedTensor:
		return r.saved(v)
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
	switch name {
	case rebuildTensor, rebuildTensorV2, rebuildTensorV3:
		dtype, err := viewDType(f, args)
		if err != nil {
			return nil, err
		}
		return r.view(args, dtype)
	case rebuildQTensor: // storage, offset, size, stride, quantizer, requires_grad, backward_hooks
		if err := countArguments(f, args, 7, 7); err != nil {
			return nil, err
		}
		return r.quantized(args)
	case rebuildParameter, rebuildParameterState: // data, requires_grad, backward_hooks[, state]
		if err := countArguments(f, args, 3, 4); err != nil {
			return nil, err
		}
		return r.wrapped(args[0])
	case rebuildFromType, rebuildFromTypeV2: // function, type, args, state
		if err := countArguments(f, args, 4, 4); err != nil {
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

// view makes the tensor of (storage, offset, size, stride, ...).
func (r *rebuilder) view(args pickle.Tuple, dtype *pickle.Class) (*tensor.Tensor, error) {
	s, err := parseView(args, dtype)
	if err != nil {
		return nil, err
	}
	return r.saved(s)
}

// saved makes the tensor of a view, once.
func (r *rebuilder) saved(v *savedTensor) (t *tensor.Tensor, err error) {
	if v.made != nil {
		return v.made, nil
	}
	n, err := v.shape().Numel()
	if err != nil {
		return nil, err
	}
	if err := r.spend(int64(n) * int64(v.elem.Size())); err != nil {
		return nil, err
	}
	s, err := r.source.storage(v.ref)
	if err != nil {
		return nil, err
	}
	switch {
	case v.wide != nil:
		t, err = v.wide.View(s.data, v.offset, v.shape(), v.strides())
	case v.elem == tensor.Bool && s.untyped:
		t, err = untypedBools(s, v.offset, v.shape(), v.strides())
	default:
		t, err = s.view(v.elem, v.offset, v.shape(), v.strides())
	}
	v.made = t
	return t, err
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
	if class.Name == floatQParams {
		return r.dequantized(t, quantizer)
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

// floatQParams is the scheme of quantized embeddings, each row of which has a scale and a zero point that is no integer.
const floatQParams = "per_channel_affine_float_qparams"

// dequantized makes the float32 tensor that one of that scheme stands for: (q - zero point) * scale of its row.
func (r *rebuilder) dequantized(t *tensor.Tensor, quantizer pickle.Tuple) (*tensor.Tensor, error) {
	if len(quantizer) != 4 || quantizer[3] != int64(0) || t.DType() != tensor.Uint8 || t.Rank() != 2 {
		return nil, fmt.Errorf("a tensor of %v quantized by %s: of that scheme rows of quint8 are read", t, floatQParams)
	}
	if err := r.spend(3 * int64(t.Numel())); err != nil {
		return nil, err
	}
	var params [2][]float32
	for i := range params {
		p, err := r.wrapped(quantizer[1+i])
		if err != nil {
			return nil, err
		}
		if p.Rank() != 1 || p.Numel() != t.Dim(0) || !p.DType().IsFloat() || p.QParams() != nil {
			return nil, fmt.Errorf("quantization of %v with %v", t, p)
		}
		if p, err = p.To(tensor.Float32); err != nil {
			return nil, err
		}
		params[i] = p.Contiguous().Float32s()
	}
	out, err := t.Contiguous().To(tensor.Float32)
	if err != nil {
		return nil, err
	}
	values, width := out.Float32s(), t.Dim(1)
	for i := range values {
		values[i] = (values[i] - params[1][i/width]) * params[0][i/width]
	}
	return out, nil
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

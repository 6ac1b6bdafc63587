package loader

import (
	"fmt"

	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/tensor"
)

// savedTensor is a strided view of a storage, as a pickle says it. It takes the place of the call that PyTorch pickled the
// tensor as, which takes several times the memory, and is made a tensor when that is asked for.
type savedTensor struct {
	ref    storageRef
	offset int             // of the first element
	dims   []int           // the shape, and as many strides after it
	elem   tensor.DType    // of the tensor; the storage may be untyped
	wide   *container.Wide // its element type in an untyped storage, where elem only holds the values
	made   *tensor.Tensor
}

func (s *savedTensor) shape() tensor.Shape { return s.dims[:len(s.dims)/2] }
func (s *savedTensor) strides() []int      { return s.dims[len(s.dims)/2:] }

// String says what it is, for errors.
func (s *savedTensor) String() string { return "a tensor" }

// standIn returns the savedTensor that takes the place of a call, nil where it has none: it is no tensor, a tensor that
// needs more to be made, or wrong, which making it will say with its name.
func standIn(class *pickle.Class, args pickle.Tuple) pickle.Value {
	switch {
	case class.IsAny(rebuildTensor, rebuildTensorV2, rebuildTensorV3):
		dtype, err := viewDType(class, args)
		if err != nil {
			return nil
		}
		if s, err := parseView(args, dtype); err == nil {
			return s
		}
	case class.IsAny(rebuildParameter):
		if len(args) == 3 {
			if s, ok := args[0].(*savedTensor); ok {
				return s
			}
		}
	}
	return nil
}

// viewDType checks the number of arguments of a rebuilding function of strided tensors, and returns the dtype among them,
// nil where it is that of the storage.
func viewDType(f *pickle.Class, args pickle.Tuple) (*pickle.Class, error) {
	least, most := 6, 7 // storage, offset, size, stride, requires_grad, backward_hooks[, metadata]
	hasDType := f.IsAny(rebuildTensorV3)
	switch {
	case f.IsAny(rebuildTensor): // storage, offset, size, stride
		least, most = 4, 4
	case hasDType: // ..., requires_grad, backward_hooks, dtype[, metadata]
		least, most = 7, 8
	}
	if err := countArguments(f, args, least, most); err != nil || !hasDType {
		return nil, err
	}
	dtype, ok := args[6].(*pickle.Class)
	if !ok {
		return nil, fmt.Errorf("the dtype of a tensor is %s", pickle.Describe(args[6]))
	}
	return dtype, nil
}

func countArguments(f *pickle.Class, args pickle.Tuple, least, most int) error {
	if len(args) < least || len(args) > most {
		return fmt.Errorf("%s has %d arguments", f, len(args))
	}
	return nil
}

// parseView reads (storage, offset, size, stride, ...). dtype overrides that of an untyped storage.
func parseView(args pickle.Tuple, dtype *pickle.Class) (*savedTensor, error) {
	p, ok := args[0].(*pickle.Persistent)
	if !ok {
		return nil, fmt.Errorf("the storage of a tensor is %s", pickle.Describe(args[0]))
	}
	offset, ok := args[1].(int64)
	if !ok {
		return nil, fmt.Errorf("the storage offset of a tensor is %s", pickle.Describe(args[1]))
	}
	dims, err := ints(nil, args[2], "size")
	if err != nil {
		return nil, err
	}
	rank := len(dims)
	if dims, err = ints(dims, args[3], "stride"); err != nil {
		return nil, err
	}
	if len(dims) != 2*rank {
		return nil, fmt.Errorf("a tensor of %d dimensions has %d strides", rank, len(dims)-rank)
	}
	if _, err := tensor.Shape(dims[:rank]).Numel(); err != nil {
		return nil, err
	}
	ref, err := parseStorageID(p.ID)
	if err != nil {
		return nil, err
	}
	elem := ref.dtype
	var wide *container.Wide
	if dtype != nil {
		elem = tensorDTypes[dtype.Name]
		if wide = container.WideOf(dtype.Name); wide != nil {
			elem = wide.DType
		}
		if dtype.Module != "torch" || elem == tensor.Invalid {
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
	if !ref.untyped {
		wide = nil
	}
	return &savedTensor{ref: ref, offset: at, dims: dims, elem: elem, wide: wide}, nil
}

// ints appends a tuple of dimensions.
func ints(out []int, v pickle.Value, what string) ([]int, error) {
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
	if out == nil {
		out = make([]int, 0, 2*len(tuple))
	}
	for _, e := range tuple {
		n, ok := e.(int64)
		if !ok || int64(int(n)) != n {
			return nil, fmt.Errorf("the %s of a tensor holds %s", what, pickle.Describe(e))
		}
		out = append(out, int(n))
	}
	return out, nil
}

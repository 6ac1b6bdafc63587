package loader

import (
	"fmt"
	"strings"

	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/tensor"
)

// storageDTypes are PyTorch's storage classes, by the name after "torch.", with
// the element type they hold. UntypedStorage holds bytes.
var storageDTypes = map[string]tensor.DType{
	"FloatStorage": tensor.Float32, "HalfStorage": tensor.Float16, "BFloat16Storage": tensor.BFloat16,
	"DoubleStorage": tensor.Float64, "CharStorage": tensor.Int8, "ByteStorage": tensor.Uint8,
	"IntStorage": tensor.Int32, "LongStorage": tensor.Int64, "BoolStorage": tensor.Bool,
	"QInt8Storage": tensor.Int8, "QUInt8Storage": tensor.Uint8, "QInt32Storage": tensor.Int32,
	"ComplexFloatStorage": tensor.Complex64, "ComplexDoubleStorage": tensor.Complex128,
	untypedStorage: tensor.Uint8, "_UntypedStorage": tensor.Uint8,
}

const untypedStorage = "UntypedStorage"

// wideStorages are the classes of element types that are read in wider ones.
var wideStorages = map[string]*container.Wide{
	"ShortStorage": container.Int16, "UInt16Storage": container.Uint16, "UInt32Storage": container.Uint32, "UInt64Storage": container.Uint64,
}

// refusedStorages are the classes of element types that octet does not have.
var refusedStorages = map[string]string{
	"ComplexHalfStorage": "complex32",
	"QUInt4x2Storage":    "quint4x2", "QUInt2x4Storage": "quint2x4",
}

// tensorDTypes are PyTorch's dtypes, by the name after "torch.".
var tensorDTypes = map[string]tensor.DType{
	"float32": tensor.Float32, "float16": tensor.Float16, "bfloat16": tensor.BFloat16, "float64": tensor.Float64,
	"int8": tensor.Int8, "uint8": tensor.Uint8, "int32": tensor.Int32, "int64": tensor.Int64, "bool": tensor.Bool,
	"complex64": tensor.Complex64, "complex128": tensor.Complex128,
	"qint8": tensor.Int8, "quint8": tensor.Uint8, "qint32": tensor.Int32,
}

// The functions that PyTorch pickles tensors with.
const (
	rebuildTensor         = "torch._utils._rebuild_tensor"
	rebuildTensorV2       = "torch._utils._rebuild_tensor_v2"
	rebuildTensorV3       = "torch._utils._rebuild_tensor_v3"
	rebuildQTensor        = "torch._utils._rebuild_qtensor"
	rebuildParameter      = "torch._utils._rebuild_parameter"
	rebuildParameterState = "torch._utils._rebuild_parameter_with_state"
	rebuildFromType       = "torch._tensor._rebuild_from_type"
	rebuildFromTypeV2     = "torch._tensor._rebuild_from_type_v2"
)

// knownGlobals are the names a checkpoint may refer to besides storages and
// dtypes: what tensors are rebuilt with, and harmless values that stand beside
// the weights in checkpoints, which are read over.
var knownGlobals = func() map[string]bool {
	names := []string{
		rebuildTensor, rebuildTensorV2, rebuildTensorV3, rebuildQTensor, rebuildParameter, rebuildParameterState,
		rebuildFromType, rebuildFromTypeV2, "torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer",
		"torch.per_tensor_affine", "torch.per_tensor_symmetric", "torch.per_channel_affine", "torch.per_channel_symmetric", "torch." + floatQParams,
		"torch.Size", "torch.device", "torch.strided", "torch.serialization._get_layout",
		"collections.OrderedDict", "collections.defaultdict", "collections.Counter", "argparse.Namespace", "_codecs.encode",
		"numpy.core.multiarray.scalar", "numpy.core.multiarray._reconstruct", "numpy._core.multiarray.scalar",
		"numpy._core.multiarray._reconstruct", "numpy.dtype", "numpy.ndarray", "datetime.datetime", "datetime.timedelta",
		"pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.Path",
	}
	for _, builtin := range []string{"set", "frozenset", "list", "dict", "tuple", "int", "float", "bool", "str", "bytes", "complex", "slice", "range", "bytearray"} {
		names = append(names, "builtins."+builtin, "__builtin__."+builtin)
	}
	known := make(map[string]bool, len(names))
	for _, n := range names {
		known[n] = true
	}
	return known
}()

// storageClass returns the name of a storage class without its module.
func storageClass(module, name string) (string, bool) {
	switch module {
	case "torch", "torch.storage", "torch.cuda":
		return name, strings.HasSuffix(name, "Storage")
	}
	return "", false
}

// stateDictGlobal decides which names the pickle of a checkpoint may refer to.
func stateDictGlobal(module, name string) error {
	if class, ok := storageClass(module, name); ok {
		if _, ok := storageDTypes[class]; ok || wideStorages[class] != nil {
			return nil
		}
		if dtype, ok := refusedStorages[class]; ok {
			return fmt.Errorf("tensors of %s are not read: convert them before saving", dtype)
		}
	}
	if module == "torch" {
		if _, ok := tensorDTypes[name]; ok || container.WideOf(name) != nil {
			return nil
		}
	}
	if full := module + "." + name; knownGlobals[full] || dictClasses[full] {
		return nil
	}
	return &GlobalError{Name: module + "." + name}
}

// dictClasses are classes derived from dict.
var dictClasses = map[string]bool{
	"collections.defaultdict": true, "builtins.dict": true, "__builtin__.dict": true,
	"pytorch_lightning.utilities.parsing.AttributeDict": true, "lightning_fabric.utilities.data.AttributeDict": true,
	"lightning.fabric.utilities.data.AttributeDict": true, "lightning.pytorch.utilities.parsing.AttributeDict": true,
}

// GlobalError says that a file refers to a class or function that is not part of a state_dict. Nothing that a file names is ever
// run; those that PyTorch's tensors and plain values are made with are known, and no others.
type GlobalError struct{ Name string } // "package.module.Class"

func (e *GlobalError) Error() string {
	return e.Name + " is no part of a state_dict: save model.state_dict() and plain values only"
}

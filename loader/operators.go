package loader

import (
	"reflect"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
)

// operators are the operators of octet's own files, by the names they have
// there. A name is never given to another operator, since files keep it.
var operators = []struct {
	name string
	op   ops.Op
}{
	{"adaptive_avg_pool", ops.AdaptiveAvgPool{}},
	{"adaptive_avg_pool_grad", ops.AdaptiveAvgPoolGrad{}},
	{"addmm", ops.AddMM{}},
	{"arange", ops.Arange{}},
	{"argmax", ops.ArgMax{}},
	{"assert", ops.Assert{}},
	{"attention", ops.Attention{}},
	{"avg_pool", ops.AvgPool{}},
	{"avg_pool_grad", ops.AvgPoolGrad{}},
	{"batch_norm", ops.BatchNorm{}},
	{"batch_norm_grad", ops.BatchNormGrad{}},
	{"batch_norm_train", ops.BatchNormTrain{}},
	{"binary", ops.Binary{}},
	{"cast", ops.Cast{}},
	{"channel_shuffle", ops.ChannelShuffle{}},
	{"clamp_grad", ops.ClampGrad{}},
	{"concat", ops.Concat{}},
	{"conv", ops.Conv{}},
	{"conv64", ops.Conv64{}},
	{"conv_transpose", ops.ConvTranspose{}},
	{"conv_transpose64", ops.ConvTranspose64{}},
	{"conv_weight_grad", ops.ConvWeightGrad{}},
	{"cross_entropy", ops.CrossEntropy{}},
	{"cross_entropy_grad", ops.CrossEntropyGrad{}},
	{"cumulative", ops.Cumulative{}},
	{"diagonal", ops.Diagonal{}},
	{"einsum", ops.Einsum{}},
	{"embedding", ops.Embedding{}},
	{"embedding_grad", ops.EmbeddingGrad{}},
	{"expand", ops.Expand{}},
	{"flatten", ops.Flatten{}},
	{"flip", ops.Flip{}},
	{"fold", ops.Fold{}},
	{"full", ops.Full{}},
	{"gather", ops.Gather{}},
	{"group_norm", ops.GroupNorm{}},
	{"index", ops.Index{}},
	{"index_put", ops.IndexPut{}},
	{"index_select", ops.IndexSelect{}},
	{"instance_norm", ops.InstanceNorm{}},
	{"interpolate", ops.Interpolate{}},
	{"layer_norm", ops.LayerNorm{}},
	{"layer_norm_grad", ops.LayerNormGrad{}},
	{"linear", ops.Linear{}},
	{"matmul", ops.MatMul{}},
	{"matmul64", ops.MatMul64{}},
	{"max_pool", ops.MaxPool{}},
	{"max_pool_grad", ops.MaxPoolGrad{}},
	{"numel_of", ops.NumelOf{}},
	{"one_hot", ops.OneHot{}},
	{"pad", ops.Pad{}},
	{"pad_mode", ops.PadMode{}},
	{"permute", ops.Permute{}},
	{"pixel_shuffle", ops.PixelShuffle{}},
	{"reduce", ops.Reduce{}},
	{"regroup", ops.Regroup{}},
	{"reshape", ops.Reshape{}},
	{"reshape_to", ops.ReshapeTo{}},
	{"rfft", ops.RFFT{}},
	{"rnn", ops.RNN{}},
	{"rnn64", ops.RNN64{}},
	{"roll", ops.Roll{}},
	{"scatter", ops.Scatter{}},
	{"shape_of", ops.ShapeOf{}},
	{"size_of", ops.SizeOf{}},
	{"slice", ops.Slice{}},
	{"slice_grad", ops.SliceGrad{}},
	{"slice_to", ops.SliceTo{}},
	{"softmax", ops.Softmax{}},
	{"softmax_grad", ops.SoftmaxGrad{}},
	{"sort", ops.Sort{}},
	{"stack", ops.Stack{}},
	{"stft", ops.STFT{}},
	{"tile", ops.Tile{}},
	{"topk", ops.TopK{}},
	{"triangle", ops.Triangle{}},
	{"unary", ops.Unary{}},
	{"unary_grad", ops.UnaryGrad{}},
	{"unfold", ops.Unfold{}},
	{"where", ops.Where{}},
	{"windows", ops.Windows{}},

	{"int8.adaptive_avg_pool", int8.AdaptiveAvgPool{}},
	{"int8.add", int8.Add{}},
	{"int8.avg_pool", int8.AvgPool{}},
	{"int8.conv", int8.Conv{}},
	{"int8.dequantize", int8.Dequantize{}},
	{"int8.dynamic_linear", int8.DynamicLinear{}},
	{"int8.linear", int8.Linear{}},
	{"int8.min", int8.Min{}},
	{"int8.mul", int8.Mul{}},
	{"int8.quantize", int8.Quantize{}},
	{"int8.table", int8.Table{}},
}

// operatorName returns the name of an operator in files, "" for one that
// cannot be saved.
func operatorName(op ops.Op) string {
	t := reflect.TypeOf(op)
	for _, o := range operators {
		if reflect.TypeOf(o.op) == t {
			return o.name
		}
	}
	return ""
}

// operatorType returns the type of the operator with a name in files, nil for
// an unknown one.
func operatorType(name string) reflect.Type {
	for _, o := range operators {
		if o.name == name {
			return reflect.TypeOf(o.op)
		}
	}
	return nil
}

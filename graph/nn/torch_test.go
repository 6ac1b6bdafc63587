package nn_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// attn is a module with the given one as its attribute attn.
type attn struct{ nn.Module }

func (attn) Class() string { return "Attention" }

func (m attn) Forward(c *nn.Context, x ...*graph.Value) *graph.Value {
	return c.Call("attn", m.Module, x...)
}

// layers are the cases of testdata/gen/layers.py.
var layers = map[string]nn.Module{
	"conv1d":             nn.Conv1d{In: 4, Out: 6, Kernel: 3, Stride: 2, Padding: 1, Dilation: 2, Groups: 2},
	"conv2d_rectangular": nn.Conv2d{In: 3, Out: 5, KernelHW: [2]int{1, 3}, StrideHW: [2]int{2, 1}, PaddingHW: [2]int{0, 2}, DilationHW: [2]int{1, 2}},
	"conv2d_square":      nn.Conv2d{In: 3, Out: 5, Kernel: 3, Padding: 1, NoBias: true},
	"conv3d":             nn.Conv3d{In: 2, Out: 3, Kernel: [3]int{1, 2, 3}, Stride: [3]int{1, 2, 1}, Padding: [3]int{0, 1, 1}},
	"conv_transpose1d":   nn.ConvTranspose1d{In: 4, Out: 6, Kernel: 3, Stride: 2, Padding: 1, OutputPadding: 1, Groups: 2},
	"conv_transpose2d":   nn.ConvTranspose2d{In: 3, Out: 4, Kernel: 4, Stride: 2, Padding: 1, NoBias: true},
	"conv_transpose2d_rectangular": nn.ConvTranspose2d{
		In: 2, Out: 3, KernelHW: [2]int{2, 3}, StrideHW: [2]int{2, 1}, PaddingHW: [2]int{0, 1}, OutputPaddingHW: [2]int{1, 0}, DilationHW: [2]int{1, 2},
	},
	"conv_transpose3d": nn.ConvTranspose3d{In: 2, Out: 3, Kernel: [3]int{1, 2, 3}, Stride: [3]int{1, 2, 2}, Padding: [3]int{0, 0, 1}, OutputPadding: [3]int{0, 0, 1}},

	"batch_norm1d":           nn.BatchNorm1d{Features: 5},
	"batch_norm1d_flat":      nn.BatchNorm1d{Features: 5},
	"batch_norm2d":           nn.BatchNorm2d{Features: 3, Eps: 1e-3},
	"batch_norm3d":           nn.BatchNorm3d{Features: 3},
	"group_norm":             nn.GroupNorm{Groups: 2, Channels: 6},
	"instance_norm2d":        nn.InstanceNorm2d{Features: 3},
	"instance_norm2d_affine": nn.InstanceNorm2d{Features: 3, Affine: true},
	"layer_norm":             nn.LayerNorm{Features: 7},

	"max_pool1d":                      nn.MaxPool1d{Kernel: 3, Stride: 2, Padding: 1, CeilMode: true},
	"max_pool2d_rectangular":          nn.MaxPool2d{KernelHW: [2]int{2, 3}, StrideHW: [2]int{2, 1}, PaddingHW: [2]int{0, 1}},
	"avg_pool1d":                      nn.AvgPool1d{Kernel: 3, Padding: 1},
	"avg_pool2d_rectangular":          nn.AvgPool2d{KernelHW: [2]int{3, 2}},
	"adaptive_avg_pool1d":             nn.AdaptiveAvgPool1d{Size: 3},
	"adaptive_avg_pool2d_rectangular": nn.AdaptiveAvgPool2d{SizeHW: [2]int{2, 3}},
	"upsample_nearest":                nn.Upsample{Scale: 2},
	"upsample_bilinear":               nn.Upsample{Size: []int{5, 7}, Mode: ops.Linearly, AlignCorners: true},
	"pixel_shuffle":                   nn.PixelShuffle{Factor: 2},
	"zero_pad2d":                      nn.ZeroPad2d{Left: 1, Right: 2, Top: 3},

	"elu": nn.ELU{Alpha: 0.7}, "gelu": nn.GELU{}, "hardsigmoid": nn.Hardsigmoid{}, "hardswish": nn.Hardswish{}, "leaky_relu": nn.LeakyReLU{Slope: 0.2},
	"leaky_relu_default": nn.LeakyReLU{}, "log_sigmoid": nn.LogSigmoid{}, "mish": nn.Mish{}, "relu": nn.ReLU{}, "relu6": nn.ReLU6{}, "selu": nn.SELU{},
	"sigmoid": nn.Sigmoid{}, "silu": nn.SiLU{}, "softplus": nn.Softplus{Beta: 2, Threshold: 3}, "softsign": nn.Softsign{}, "tanh": nn.Tanh{},
	"softmax": nn.Softmax{Dim: 1}, "log_softmax": nn.LogSoftmax{Dim: -1}, "prelu_one": nn.PReLU{}, "prelu_channels": nn.PReLU{Channels: 3},

	"linear":    nn.Linear{In: 4, Out: 3},
	"embedding": nn.Embedding{Num: 9, Dim: 4},
	"container": nn.Container{
		{"fc", nn.Linear{In: 4, Out: 6}}, {"act", nn.Hardswish{}}, {"drop", nn.Dropout{}}, {"id", nn.Identity{}}, {"out", nn.Linear{In: 6, Out: 2}},
	},

	"lstm":           nn.LSTM{Input: 4, Hidden: 5},
	"lstm_deep":      nn.LSTM{Input: 4, Hidden: 3, Layers: 2, Bidirectional: true, BatchFirst: true},
	"lstm_unbatched": nn.LSTM{Input: 4, Hidden: 3, NoBias: true},
	"gru":            nn.GRU{Input: 4, Hidden: 5, Layers: 2},
	"gru_state":      nn.GRU{Input: 4, Hidden: 3, Bidirectional: true, BatchFirst: true},
	"rnn_tanh":       nn.RNN{Input: 4, Hidden: 3},
	"rnn_relu":       nn.RNN{Input: 4, Hidden: 3, ReLU: true, NoBias: true},

	"attention":            attn{nn.MultiheadAttention{Embed: 6, Heads: 2}},
	"attention_cross":      attn{nn.MultiheadAttention{Embed: 6, Heads: 3, KeyDim: 4, ValueDim: 5, BatchFirst: true}},
	"attention_keys":       attn{nn.MultiheadAttention{Embed: 6, Heads: 2, NoBias: true, BatchFirst: true}},
	"attention_unbatched":  attn{nn.MultiheadAttention{Embed: 6, Heads: 2}},
	"attention_padding":    attn{nn.MultiheadAttention{Embed: 6, Heads: 2, BatchFirst: true}},
	"attention_masks":      attn{nn.MultiheadAttention{Embed: 6, Heads: 2}},
	"attention_heads_mask": attn{nn.MultiheadAttention{Embed: 6, Heads: 2}},
	"encoder_layer":        nn.TransformerEncoderLayer{Model: 6, Heads: 2, Feedforward: 8, BatchFirst: true},
	"encoder": nn.TransformerEncoder{
		Layer: nn.TransformerEncoderLayer{Model: 6, Heads: 3, Feedforward: 8, NormFirst: true, GELU: true}, Num: 2, Norm: true,
	},
	"conv1d_reflect":           nn.Conv1d{In: 2, Out: 3, Kernel: 3, Padding: 2, Stride: 2, PaddingMode: nn.PadReflect},
	"conv1d_replicate":         nn.Conv1d{In: 2, Out: 3, Kernel: 3, Padding: 2, Stride: 2, PaddingMode: nn.PadReplicate},
	"conv1d_circular":          nn.Conv1d{In: 2, Out: 3, Kernel: 3, Padding: 2, Stride: 2, PaddingMode: nn.PadCircular},
	"conv1d_same":              nn.Conv1d{In: 2, Out: 3, Kernel: 4, Dilation: 2, Same: true},
	"conv1d_same_odd":          nn.Conv1d{In: 2, Out: 3, Kernel: 3, Same: true},
	"conv1d_same_circular":     nn.Conv1d{In: 2, Out: 3, Kernel: 4, Same: true, PaddingMode: nn.PadCircular},
	"constant_pad1d_uneven":    nn.ConstantPad1d{Left: 1, Right: 2, Value: 0.5},
	"reflection_pad1d_uneven":  nn.ReflectionPad1d{Left: 1, Right: 2},
	"replication_pad1d_uneven": nn.ReplicationPad1d{Left: 1, Right: 2},

	"conv2d_reflect":           nn.Conv2d{In: 2, Out: 3, Kernel: 3, Padding: 2, Stride: 2, PaddingMode: nn.PadReflect},
	"conv2d_replicate":         nn.Conv2d{In: 2, Out: 3, Kernel: 3, Padding: 2, Stride: 2, PaddingMode: nn.PadReplicate},
	"conv2d_circular":          nn.Conv2d{In: 2, Out: 3, Kernel: 3, Padding: 2, Stride: 2, PaddingMode: nn.PadCircular},
	"conv2d_same":              nn.Conv2d{In: 2, Out: 3, Kernel: 4, Dilation: 2, Same: true},
	"conv2d_same_odd":          nn.Conv2d{In: 2, Out: 3, Kernel: 3, Same: true},
	"conv2d_same_circular":     nn.Conv2d{In: 2, Out: 3, Kernel: 4, Same: true, PaddingMode: nn.PadCircular},
	"zero_pad2d_uneven":        nn.ZeroPad2d{Left: 1, Right: 2, Bottom: 3},
	"constant_pad2d_uneven":    nn.ConstantPad2d{Left: 1, Right: 2, Bottom: 3, Value: 0.5},
	"reflection_pad2d_uneven":  nn.ReflectionPad2d{Left: 1, Right: 2, Bottom: 3},
	"replication_pad2d_uneven": nn.ReplicationPad2d{Left: 1, Right: 2, Bottom: 3},

	"conv3d_reflect":           nn.Conv3d{In: 2, Out: 3, Kernel: [3]int{3, 3, 3}, Padding: [3]int{2, 2, 2}, Stride: [3]int{2, 2, 2}, PaddingMode: nn.PadReflect},
	"conv3d_replicate":         nn.Conv3d{In: 2, Out: 3, Kernel: [3]int{3, 3, 3}, Padding: [3]int{2, 2, 2}, Stride: [3]int{2, 2, 2}, PaddingMode: nn.PadReplicate},
	"conv3d_circular":          nn.Conv3d{In: 2, Out: 3, Kernel: [3]int{3, 3, 3}, Padding: [3]int{2, 2, 2}, Stride: [3]int{2, 2, 2}, PaddingMode: nn.PadCircular},
	"conv3d_same":              nn.Conv3d{In: 2, Out: 3, Kernel: [3]int{4, 4, 4}, Same: true},
	"conv3d_same_odd":          nn.Conv3d{In: 2, Out: 3, Kernel: [3]int{3, 3, 3}, Same: true},
	"conv3d_same_circular":     nn.Conv3d{In: 2, Out: 3, Kernel: [3]int{4, 4, 4}, Same: true, PaddingMode: nn.PadCircular},
	"constant_pad3d_uneven":    nn.ConstantPad3d{Left: 1, Right: 2, Bottom: 3, Front: 2, Back: 1, Value: 0.5},
	"reflection_pad3d_uneven":  nn.ReflectionPad3d{Left: 1, Right: 2, Bottom: 3, Front: 2, Back: 1},
	"replication_pad3d_uneven": nn.ReplicationPad3d{Left: 1, Right: 2, Bottom: 3, Front: 2, Back: 1},

	"circular_pad1d":          nn.CircularPad1d{Left: 1, Right: 2},
	"circular_pad2d":          nn.CircularPad2d{Left: 1, Right: 2, Bottom: 3},
	"circular_pad3d":          nn.CircularPad3d{Left: 1, Right: 2, Bottom: 3, Front: 2, Back: 1},
	"zero_pad1d":              nn.ZeroPad1d{Left: 1, Right: 2},
	"zero_pad3d":              nn.ZeroPad3d{Left: 1, Right: 2, Bottom: 3, Front: 2, Back: 1},
	"adaptive_max_pool1d":     nn.AdaptiveMaxPool1d{Size: 3},
	"adaptive_max_pool2d":     nn.AdaptiveMaxPool2d{SizeHW: [2]int{2, 3}},
	"adaptive_max_pool2d_one": nn.AdaptiveMaxPool2d{Size: 1},
	"adaptive_max_pool3d":     nn.AdaptiveMaxPool3d{Size: [3]int{1, 2, 3}},
	"adaptive_avg_pool3d":     nn.AdaptiveAvgPool3d{Size: [3]int{1, 2, 3}},
	"max_pool3d":              nn.MaxPool3d{Kernel: [3]int{1, 2, 3}, Stride: [3]int{1, 2, 1}, Padding: [3]int{0, 1, 1}},
	"avg_pool3d":              nn.AvgPool3d{Kernel: [3]int{1, 2, 3}, Padding: [3]int{0, 1, 1}},
	"pixel_unshuffle":         nn.PixelUnshuffle{Factor: 2},
	"channel_shuffle":         nn.ChannelShuffle{Groups: 3},
	"instance_norm1d":         nn.InstanceNorm1d{Features: 3, Affine: true},
	"instance_norm3d":         nn.InstanceNorm3d{Features: 3},

	"celu": nn.CELU{Alpha: 0.7}, "hardshrink": nn.Hardshrink{}, "softshrink": nn.Softshrink{Lambda: 0.8}, "threshold": nn.Threshold{Above: 0.3, Value: -1.5},
	"hardtanh": nn.Hardtanh{}, "hardtanh_range": nn.Hardtanh{Min: -0.5, Max: 2}, "tanhshrink": nn.Tanhshrink{}, "softmin": nn.Softmin{Dim: 1},
	"glu": nn.GLU{Dim: -1}, "glu_channels": nn.GLU{Dim: 1},

	"lstm_projected":           nn.LSTM{Input: 4, Hidden: 5, Projection: 3},
	"lstm_projected_deep":      nn.LSTM{Input: 4, Hidden: 5, Layers: 2, Bidirectional: true, BatchFirst: true, Projection: 2},
	"lstm_projected_states":    lstm{nn.LSTM{Input: 4, Hidden: 5, Layers: 2, Bidirectional: true, Projection: 2}},
	"lstm_projected_unbatched": nn.LSTM{Input: 4, Hidden: 3, NoBias: true, Projection: 2},
	"rnn_bidirectional":        nn.RNN{Input: 4, Hidden: 3, Layers: 2, Bidirectional: true, BatchFirst: true},

	"lstm_cell":           nn.LSTMCell{Input: 4, Hidden: 3},
	"lstm_cell_start":     nn.LSTMCell{Input: 4, Hidden: 3, NoBias: true},
	"lstm_cell_unbatched": nn.LSTMCell{Input: 4, Hidden: 3},
	"gru_cell":            nn.GRUCell{Input: 4, Hidden: 3},
	"gru_cell_unbatched":  nn.GRUCell{Input: 4, Hidden: 3, NoBias: true},
	"rnn_cell":            nn.RNNCell{Input: 4, Hidden: 3},
	"rnn_cell_relu":       nn.RNNCell{Input: 4, Hidden: 3, ReLU: true},

	"decoder_layer":        nn.TransformerDecoderLayer{Model: 6, Heads: 2, Feedforward: 8},
	"decoder_layer_masks":  nn.TransformerDecoderLayer{Model: 6, Heads: 2, Feedforward: 8, BatchFirst: true, NormFirst: true, GELU: true, Eps: 1e-3},
	"decoder_layer_memory": nn.TransformerDecoderLayer{Model: 6, Heads: 2, Feedforward: 8, BatchFirst: true},
	"decoder":              nn.TransformerDecoder{Layer: nn.TransformerDecoderLayer{Model: 6, Heads: 3, Feedforward: 8}, Num: 2, Norm: true},
	"transformer":          nn.Transformer{Layer: nn.TransformerEncoderLayer{Model: 6, Heads: 2, Feedforward: 8}, Encoders: 1, Decoders: 2},
	"transformer_masks":    nn.Transformer{Layer: nn.TransformerEncoderLayer{Model: 6, Heads: 2, Feedforward: 8, NormFirst: true, Eps: 1e-3}, Encoders: 1, Decoders: 1},

	"bag_mean":            nn.EmbeddingBag{Num: 9, Dim: 4},
	"bag_max":             nn.EmbeddingBag{Num: 9, Dim: 4, Mode: nn.BagMax},
	"bag_weights":         nn.EmbeddingBag{Num: 9, Dim: 4, Mode: nn.BagSum},
	"bag_mean_offsets":    nn.EmbeddingBag{Num: 9, Dim: 4},
	"bag_sum_offsets":     nn.EmbeddingBag{Num: 9, Dim: 4, Mode: nn.BagSum},
	"bag_max_offsets":     nn.EmbeddingBag{Num: 9, Dim: 4, Mode: nn.BagMax},
	"bag_offsets_weights": nn.EmbeddingBag{Num: 9, Dim: 4, Mode: nn.BagSum},

	"bilinear":               nn.Bilinear{In1: 3, In2: 4, Out: 5},
	"bilinear_deep":          nn.Bilinear{In1: 3, In2: 4, Out: 2, NoBias: true},
	"cosine_similarity":      nn.CosineSimilarity{Dim: 1},
	"cosine_similarity_last": nn.CosineSimilarity{Dim: -1, Eps: 2},
	"pairwise_distance":      nn.PairwiseDistance{},
	"pairwise_distance_keep": nn.PairwiseDistance{P: 1, Eps: 0.1, KeepDim: true},

	"unfold":         nn.Unfold{KernelHW: [2]int{2, 3}, StrideHW: [2]int{1, 2}, PaddingHW: [2]int{1, 0}, DilationHW: [2]int{2, 1}},
	"fold":           nn.Fold{Size: [2]int{5, 6}, Kernel: 3, Padding: 1, Stride: 2},
	"unflatten":      nn.Unflatten{Dim: 1, Sizes: []int{2, -1}},
	"unflatten_last": nn.Unflatten{Dim: -1, Sizes: []int{3, 2}},

	"lp_pool1d":            nn.LPPool1d{P: 2, Kernel: 3, Stride: 2, CeilMode: true},
	"lp_pool2d":            nn.LPPool2d{P: 1.5, KernelHW: [2]int{2, 3}},
	"lp_pool3d":            nn.LPPool3d{P: 3, Kernel: [3]int{2, 2, 2}, Stride: [3]int{1, 1, 1}},
	"max_unpool1d":         nn.MaxUnpool1d{Kernel: 2},
	"max_unpool2d":         nn.MaxUnpool2d{Kernel: 2},
	"max_unpool3d":         nn.MaxUnpool3d{Kernel: [3]int{2, 2, 2}},
	"max_unpool2d_padding": nn.MaxUnpool2d{KernelHW: [2]int{3, 2}, Stride: 2, PaddingHW: [2]int{1, 0}},

	"rms_norm":                 nn.RMSNorm{Features: 7},
	"rms_norm_eps":             nn.RMSNorm{Features: 4, Eps: 0.5},
	"sync_batch_norm":          nn.SyncBatchNorm{Features: 3},
	"local_response_norm":      nn.LocalResponseNorm{Size: 3, Alpha: 0.5, Beta: 0.6, K: 2},
	"local_response_norm_even": nn.LocalResponseNorm{Size: 4},
	"local_response_norm3d":    nn.LocalResponseNorm{Size: 5, Alpha: 0.5},
	"upsampling_nearest2d":     nn.UpsamplingNearest2d{Scale: 3},
	"upsampling_bilinear2d":    nn.UpsamplingBilinear2d{Size: []int{5, 7}},

	"softmax2d": nn.Softmax2d{}, "rrelu": nn.RReLU{}, "rrelu_range": nn.RReLU{Lower: 0.2, Upper: 0.3},
	"dropout1d": nn.Dropout1d{}, "dropout2d": nn.Dropout2d{}, "dropout3d": nn.Dropout3d{}, "alpha_dropout": nn.AlphaDropout{}, "feature_alpha_dropout": nn.FeatureAlphaDropout{},
}

// lstm is a module with an LSTM as its attribute lstm.
type lstm struct{ nn.LSTM }

func (m lstm) ForwardAll(c *nn.Context, x ...*graph.Value) []*graph.Value {
	return c.CallAll("lstm", m.LSTM, x...)
}

// sparse calls a module with inputs of which some are missing, and gives all of its outputs.
type sparse struct {
	nn.Module
	at []int // where the inputs stand
}

func (m sparse) Outputs(c *nn.Context, x ...*graph.Value) []nn.Output {
	in := make([]*graph.Value, m.at[len(m.at)-1]+1)
	for i, at := range m.at {
		in[at] = x[i]
	}
	if all, ok := m.Module.(nn.MultiModule); ok {
		var out []nn.Output
		for i, v := range all.ForwardAll(c, in...) {
			out = append(out, nn.Output{Name: fmt.Sprint("y", i), Value: v})
		}
		return out
	}
	return []nn.Output{{Name: "y0", Value: m.Forward(c, in...)}}
}

// recordedLayer is a case of layers.npz.
type recordedLayer struct {
	weights tensor.Arrays
	at      []int
	x, y    [2][]*tensor.Tensor
}

func recordedLayers(t *testing.T) map[string]*recordedLayer {
	t.Helper()
	arrays, err := tensor.ReadNPZ("testdata/layers.npz", 0)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]*recordedLayer{}
	for _, a := range arrays {
		name, rest, _ := strings.Cut(a.Name, "/")
		kind, rest, _ := strings.Cut(rest, "/")
		c := cases[name]
		if c == nil {
			c = &recordedLayer{}
			cases[name] = c
		}
		if kind == "w" {
			c.weights = append(c.weights, tensor.Named{Name: rest, Tensor: a.Tensor})
			continue
		}
		run := int(kind[0] - '0')
		if rest[0] == 'y' {
			c.y[run] = append(c.y[run], a.Tensor)
			continue
		}
		c.x[run] = append(c.x[run], a.Tensor)
		if run == 0 {
			c.at = append(c.at, int(rest[1]-'0'))
		}
	}
	return cases
}

// TestLayersAsTorch compares each layer, with the weights of its state_dict, with what PyTorch computes, for the shapes that it was built with
// and for others.
func TestLayersAsTorch(t *testing.T) {
	cases := recordedLayers(t)
	if have, want := slices.Sorted(maps.Keys(cases)), slices.Sorted(maps.Keys(layers)); !slices.Equal(have, want) {
		t.Fatalf("recorded are %v, tested %v", have, want)
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			arch := nn.Architecture{Name: name, Root: sparse{layers[name], c.at}}
			for i, x := range c.x[0] {
				arch.Inputs = append(arch.Inputs, nn.Input{Name: fmt.Sprint("x", i), DType: x.DType(), Shape: x.Shape()})
			}
			g, err := nn.Build(arch, c.weights)
			if err != nil {
				t.Fatal(err)
			}
			s, err := g.Compile(graph.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for run, x := range c.x {
				y, err := s.Run(context.Background(), x...)
				if err != nil {
					t.Fatal(err)
				}
				if len(y) != len(c.y[run]) || len(y) == 0 {
					t.Fatalf("%d outputs, PyTorch has %d", len(y), len(c.y[run]))
				}
				for i := range y {
					compareTensors(t, y[i], c.y[run][i])
				}
			}
		})
	}
}

// compareTensors allows a difference of 1e-5, absolute below 1 and else relative.
func compareTensors(t *testing.T, have, want *tensor.Tensor) {
	t.Helper()
	if have.DType() != want.DType() || !have.Shape().Equal(want.Shape()) {
		t.Fatalf("%v, PyTorch has %v", have, want)
	}
	a, b := have.Contiguous().Float32s(), want.Float32s()
	for i := range b {
		if d := math.Abs(float64(a[i] - b[i])); !(d <= 1e-5*max(1, math.Abs(float64(b[i])))) {
			t.Fatalf("element %d is %v, PyTorch has %v", i, a[i], b[i])
		}
	}
}

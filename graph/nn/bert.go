package nn

import (
	"math"
	"strconv"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// BERTBase is a sequence classifier of the size of bert-base-uncased.
func BERTBase() Architecture { return BERTClassifier(bertBase) }

// BERTClassifier is Hugging Face's BertForSequenceClassification (Devlin et
// al., "BERT: Pre-training of Deep Bidirectional Transformers", 2018), and the same of the other families.
//
// Inputs: input_ids, attention_mask (1 for tokens, 0 for padding) and, where the family has types of tokens,
// token_type_ids, int64 [N, S]. Output: logits [N, Labels].
func BERTClassifier(c BERTConfig) Architecture {
	c.Task = SequenceClassification
	return BERT(c)
}

// BERT is a model of the family of BERT: BertModel, DistilBertModel, RobertaModel, XLMRobertaModel or MPNetModel of Hugging Face, with the
// head that Task says. The inputs are those of BERTClassifier. The outputs are
//
//   - of Features last_hidden_state [N, S, Hidden] and, with Pooler, pooler_output [N, Hidden];
//   - of SentenceEmbedding sentence_embedding [N, Hidden], by Pooling and Normalize;
//   - of SequenceClassification logits [N, Labels];
//   - of TokenClassification logits [N, S, Labels].
func BERT(c BERTConfig) Architecture {
	length := min(c.Positions, 128)
	input := func(name string) Input { return Input{Name: name, DType: tensor.Int64, Shape: []int{1, length}} }
	a := Architecture{Name: c.modelType(), Inputs: []Input{input("input_ids"), input("attention_mask")}, Root: bertTop{&c}}
	if c.hasTypes() {
		a.Inputs = append(a.Inputs, input("token_type_ids"))
	}
	return a
}

// bertTop is a model with its head.
type bertTop struct{ *BERTConfig }

func (m bertTop) Class() string {
	f := m.family()
	switch m.Task {
	case SequenceClassification:
		return f.class("ForSequenceClassification")
	case TokenClassification:
		return f.class("ForTokenClassification")
	}
	return f.class("Model")
}

// Forward returns the first output.
func (m bertTop) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return m.Outputs(c, x...)[0].Value
}

// Outputs are all outputs by name.
func (m bertTop) Outputs(c *Context, x ...*graph.Value) []Output {
	if err := m.validate(); err != nil {
		return []Output{{"logits", c.Fail("%w", err)}}
	}
	f := m.family()
	states := c.Call(f.prefix, bertModel(m), x...)
	pooled := func() *graph.Value { return c.Call(f.prefix+".pooler", bertPooler(m), states) }
	labels := Linear{In: m.Hidden, Out: m.Labels}
	switch m.Task {
	case TokenClassification:
		return []Output{{"logits", c.Call("classifier", labels, states)}}
	case SequenceClassification:
		switch {
		case f.pooledHead:
			return []Output{{"logits", c.Call("classifier", labels, pooled())}}
		case f.preClassifier:
			v := c.Call("pre_classifier", Linear{In: m.Hidden, Out: m.Hidden}, firstToken(c, states))
			return []Output{{"logits", c.Call("classifier", labels, c.Apply(ops.Unary{Fn: ops.ReLU}, v))}}
		}
		v := c.Call("classifier.dense", Linear{In: m.Hidden, Out: m.Hidden}, firstToken(c, states))
		return []Output{{"logits", c.Call("classifier.out_proj", labels, c.Apply(ops.Unary{Fn: ops.Tanh}, v))}}
	case SentenceEmbedding:
		return []Output{{"sentence_embedding", c.Call("pooling", sentencePooling{m.Pooling, m.Normalize}, states, x[1])}}
	}
	out := []Output{{"last_hidden_state", states}}
	if m.Pooler {
		out = append(out, Output{"pooler_output", pooled()})
	}
	return out
}

// bertModel gives the states of the last layer.
type bertModel struct{ *BERTConfig }

func (m bertModel) Class() string { return m.family().class("Model") }

func (m bertModel) Forward(c *Context, x ...*graph.Value) *graph.Value {
	f := m.family()
	// Scores of padding become so low that softmax gives them nothing.
	keep := c.Apply(ops.Cast{DType: tensor.Float32}, x[1])
	drop := c.Apply(ops.Binary{Fn: ops.Sub, ANumber: true}, c.Const(tensor.Scalar(float32(1))), keep)
	bias := c.Apply(ops.Binary{Fn: ops.Mul, BNumber: true}, drop, c.Const(tensor.Scalar(float32(-math.MaxFloat32))))
	bias = c.Apply(ops.Reshape{Shape: []int{0, 1, 1, -1}}, bias)
	v := c.Call("embeddings", bertEmbeddings(m), append([]*graph.Value{x[0]}, x[2:]...)...)
	if f.relative {
		near := c.Call("encoder.relative_attention_bias", relativeBias{m.Buckets, m.Heads, m.Positions}, x[0])
		bias = c.Apply(ops.Binary{Fn: ops.Add}, near, bias)
	}
	return c.Call(f.encoder, bertEncoder(m), v, bias)
}

type bertEmbeddings struct{ *BERTConfig }

func (m bertEmbeddings) Class() string { return m.family().class("Embeddings") }

func (m bertEmbeddings) Forward(c *Context, x ...*graph.Value) *graph.Value {
	add := ops.Binary{Fn: ops.Add}
	v := c.Call("word_embeddings", Embedding{Num: m.Vocabulary, Dim: m.Hidden}, x[0])
	if m.hasTypes() {
		v = c.Apply(add, v, c.Call("token_type_embeddings", Embedding{Num: m.TokenTypes, Dim: m.Hidden}, x[1]))
	}
	position := "position_embeddings"
	if m.family().padded {
		v = c.Apply(add, v, c.Call(position, Embedding{Num: m.Positions, Dim: m.Hidden}, m.paddedPositions(c, x[0])))
	} else {
		v = c.Apply(add, v, c.Call(position, positions{m.Positions, m.Hidden}, x[0]))
	}
	return c.Call("LayerNorm", LayerNorm{Features: m.Hidden, Eps: m.Eps}, v)
}

// paddedPositions is create_position_ids_from_input_ids of RoBERTa: tokens count from behind the id of padding, which padding itself has.
func (m bertEmbeddings) paddedPositions(c *Context, ids *graph.Value) *graph.Value {
	pad := c.Const(tensor.Scalar(int64(m.Pad)))
	real := c.Apply(ops.Cast{DType: tensor.Int64}, c.Apply(ops.Binary{Fn: ops.Ne, BNumber: true}, ids, pad))
	count := c.Apply(ops.Binary{Fn: ops.Mul}, c.Apply(ops.PrefixScan{Axis: 1}, real), real)
	return c.Apply(ops.Binary{Fn: ops.Add, BNumber: true}, count, pad)
}

// positions is an Embedding of the positions 0, 1, ... of its input [N, S]: the
// first S rows.
type positions struct{ num, dim int }

func (positions) Class() string { return Embedding{}.Class() }

func (m positions) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return firstRows(c, c.Parameter("weight", SmallNormal, m.num, m.dim), x[0])
}

// firstRows returns as many rows of a table as a text of ids [N, S] has tokens.
func firstRows(c *Context, table, ids *graph.Value) *graph.Value {
	length := c.Apply(ops.SizeOf{Axis: 1}, ids)
	return c.Apply(ops.SliceTo{Axis: 0, Step: 1}, table, c.Const(tensor.Scalar(int64(0))), length)
}

type bertEncoder struct{ *BERTConfig }

func (m bertEncoder) Class() string { return m.family().class("Encoder") }

func (m bertEncoder) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := x[0]
	for i := range m.Layers {
		v = c.Call("layer."+strconv.Itoa(i), bertLayer(m), v, x[1])
	}
	return v
}

type bertLayer struct{ *BERTConfig }

func (m bertLayer) Class() string { return m.family().class("Layer") }

func (m bertLayer) Forward(c *Context, x ...*graph.Value) *graph.Value {
	f := m.family()
	v := c.Call(f.self, bertSelfAttention(m), x...)
	v = inModule(c, f.attention.path, bertOutput{m.BERTConfig, f.attention, m.Hidden}, v, x[0])
	h := c.Call(f.inner.path, bertIntermediate(m), v)
	return inModule(c, f.output.path, bertOutput{m.BERTConfig, f.output, m.Intermediate}, h, v)
}

// inModule is Call, of the module itself where a family has none for a part.
func inModule(c *Context, path string, m Module, x ...*graph.Value) *graph.Value {
	if path == "" {
		return m.Forward(c, x...)
	}
	return c.Call(path, m, x...)
}

type bertSelfAttention struct{ *BERTConfig }

func (m bertSelfAttention) Class() string { return m.family().class("SelfAttention") }

func (m bertSelfAttention) Forward(c *Context, x ...*graph.Value) *graph.Value {
	size := m.Hidden / m.Heads
	swap := ops.Permute{Order: []int{0, 2, 1, 3}}
	heads := func(name string) *graph.Value {
		v := c.Call(name, Linear{In: m.Hidden, Out: m.Hidden}, x[0])
		return c.Apply(swap, c.Apply(ops.Reshape{Shape: []int{0, 0, m.Heads, size}}, v))
	}
	names := m.family().projections
	query, key, value := heads(names[0]), heads(names[1]), heads(names[2])
	scores := c.Apply(ops.MatMul{TransposeB: true}, query, key)
	scores = c.Apply(ops.Binary{Fn: ops.Div, BNumber: true}, scores, c.Const(tensor.Scalar(float32(math.Sqrt(float64(size))))))
	scores = c.Apply(ops.Binary{Fn: ops.Add}, scores, x[1])
	v := c.Apply(ops.MatMul{}, c.Apply(ops.Softmax{Axis: -1}, scores), value)
	return c.Apply(ops.Reshape{Shape: []int{0, 0, m.Hidden}}, c.Apply(swap, v))
}

type bertIntermediate struct{ *BERTConfig }

func (m bertIntermediate) Class() string { return m.family().class("Intermediate") }

func (m bertIntermediate) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := c.Call(m.family().inner.dense, Linear{In: m.Hidden, Out: m.Intermediate}, x[0])
	return c.Apply(ops.Unary{Fn: bertActivations[m.Activation]}, v)
}

// bertOutput is BertSelfOutput and BertOutput: a linear layer of width inputs,
// the residual and the normalization.
type bertOutput struct {
	*BERTConfig
	block bertBlock
	width int
}

func (m bertOutput) Class() string { return m.family().class("Output") }

func (m bertOutput) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := c.Call(m.block.dense, Linear{In: m.width, Out: m.Hidden}, x[0])
	return c.Call(m.block.norm, LayerNorm{Features: m.Hidden, Eps: m.Eps}, c.Apply(ops.Binary{Fn: ops.Add}, v, x[1]))
}

type bertPooler struct{ *BERTConfig }

func (m bertPooler) Class() string { return m.family().class("Pooler") }

func (m bertPooler) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := c.Call("dense", Linear{In: m.Hidden, Out: m.Hidden}, firstToken(c, x[0]))
	return c.Call("activation", Tanh{}, v)
}

// firstToken returns the states [N, Hidden] of the first token.
func firstToken(c *Context, states *graph.Value) *graph.Value {
	return c.Apply(ops.Flatten{Start: 1, End: -1}, c.Apply(ops.Slice{Axis: 1, End: 1, Step: 1}, states))
}

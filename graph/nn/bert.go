package nn

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// BERTConfig are the sizes of a BERT model, with the names of a Hugging Face
// config.json.
type BERTConfig struct {
	Vocabulary   int     `json:"vocab_size"`
	Hidden       int     `json:"hidden_size"`
	Layers       int     `json:"num_hidden_layers"`
	Heads        int     `json:"num_attention_heads"`
	Intermediate int     `json:"intermediate_size"`
	Positions    int     `json:"max_position_embeddings"`
	TokenTypes   int     `json:"type_vocab_size"`
	Activation   string  `json:"hidden_act"` // "gelu", "gelu_new" or "relu"
	Eps          float64 `json:"layer_norm_eps"`
	Labels       int     `json:"num_labels"`
}

// ParseBERTConfig reads a config.json. What it leaves out has Hugging Face's
// defaults: those of bert-base-uncased with 2 labels.
func ParseBERTConfig(data []byte) (BERTConfig, error) {
	c := bertBase
	file := struct {
		*BERTConfig
		LabelNames map[string]string `json:"id2label"`
		ModelType  string            `json:"model_type"`
	}{BERTConfig: &c}
	if err := json.Unmarshal(data, &file); err != nil {
		return BERTConfig{}, fmt.Errorf("config.json: %w", err)
	}
	if file.ModelType != "" && file.ModelType != "bert" {
		return BERTConfig{}, fmt.Errorf("config.json: the model is %q, not bert", file.ModelType)
	}
	if n := len(file.LabelNames); n > 0 {
		c.Labels = n
	}
	return c, c.validate()
}

var bertBase = BERTConfig{
	Vocabulary: 30522, Hidden: 768, Layers: 12, Heads: 12, Intermediate: 3072, Positions: 512, TokenTypes: 2,
	Activation: "gelu", Eps: 1e-12, Labels: 2,
}

func (c BERTConfig) validate() error {
	const most = 1 << 24
	for _, v := range []int{c.Vocabulary, c.Hidden, c.Layers, c.Heads, c.Intermediate, c.Positions, c.TokenTypes, c.Labels} {
		if v < 1 || v > most {
			return fmt.Errorf("bert: a size of %d is outside 1 to %d", v, most)
		}
	}
	if c.Hidden%c.Heads != 0 {
		return fmt.Errorf("bert: %d hidden values do not divide among %d heads", c.Hidden, c.Heads)
	}
	if _, ok := bertActivations[c.Activation]; !ok {
		return fmt.Errorf("bert: unknown activation %q", c.Activation)
	}
	return nil
}

var bertActivations = map[string]ops.UnaryFn{"gelu": ops.GELU, "gelu_new": ops.GELUTanh, "relu": ops.Relu}

// BERTBase is a sequence classifier of the size of bert-base-uncased.
func BERTBase() Architecture { return BERTClassifier(bertBase) }

// BERTClassifier is Hugging Face's BertForSequenceClassification (Devlin et
// al., "BERT: Pre-training of Deep Bidirectional Transformers", 2018).
//
// Inputs: input_ids, attention_mask (1 for tokens, 0 for padding) and
// token_type_ids, int64 [N, S]. Output: logits [N, Labels].
func BERTClassifier(c BERTConfig) Architecture {
	length := min(c.Positions, 128)
	input := func(name string) Input { return Input{Name: name, DType: tensor.Int64, Shape: []int{1, length}} }
	return Architecture{
		Name:   "bert",
		Inputs: []Input{input("input_ids"), input("attention_mask"), input("token_type_ids")},
		Root:   bertClassifier{c},
	}
}

// bertPath is where Hugging Face defines the classes.
const bertPath = "transformers.models.bert.modeling_bert."

type bertClassifier struct{ BERTConfig }

func (bertClassifier) Class() string { return bertPath + "BertForSequenceClassification" }

func (m bertClassifier) Forward(c *Context, x ...*graph.Value) *graph.Value {
	if err := m.validate(); err != nil {
		return c.Fail("%w", err)
	}
	v := c.Call("bert", bertModel(m), x...)
	return c.Call("classifier", Linear{In: m.Hidden, Out: m.Labels}, v)
}

type bertModel struct{ BERTConfig }

func (bertModel) Class() string { return bertPath + "BertModel" }

func (m bertModel) Forward(c *Context, x ...*graph.Value) *graph.Value {
	ids, mask, types := x[0], x[1], x[2]
	// Scores of padding become so low that softmax gives them nothing.
	keep := c.Apply(ops.Cast{DType: tensor.Float32}, mask)
	drop := c.Apply(ops.Binary{Fn: ops.Sub, ANumber: true}, c.Const(tensor.Scalar(float32(1))), keep)
	bias := c.Apply(ops.Binary{Fn: ops.Mul, BNumber: true}, drop, c.Const(tensor.Scalar(float32(-math.MaxFloat32))))
	bias = c.Apply(ops.Reshape{Shape: []int{0, 1, 1, -1}}, bias)
	v := c.Call("embeddings", bertEmbeddings(m), ids, types)
	v = c.Call("encoder", bertEncoder(m), v, bias)
	return c.Call("pooler", bertPooler(m), v)
}

type bertEmbeddings struct{ BERTConfig }

func (bertEmbeddings) Class() string { return bertPath + "BertEmbeddings" }

func (m bertEmbeddings) Forward(c *Context, x ...*graph.Value) *graph.Value {
	add := ops.Binary{Fn: ops.Add}
	v := c.Call("word_embeddings", Embedding{Num: m.Vocabulary, Dim: m.Hidden}, x[0])
	v = c.Apply(add, v, c.Call("token_type_embeddings", Embedding{Num: m.TokenTypes, Dim: m.Hidden}, x[1]))
	v = c.Apply(add, v, c.Call("position_embeddings", positions{m.Positions, m.Hidden}, x[0]))
	return c.Call("LayerNorm", LayerNorm{Features: m.Hidden, Eps: m.Eps}, v)
}

// positions is an Embedding of the positions 0, 1, ... of its input [N, S]: the
// first S rows.
type positions struct{ num, dim int }

func (positions) Class() string { return Embedding{}.Class() }

func (m positions) Forward(c *Context, x ...*graph.Value) *graph.Value {
	length := c.Apply(ops.SizeOf{Axis: 1}, x[0])
	return c.Apply(ops.SliceTo{Axis: 0, Step: 1}, c.Parameter("weight", SmallNormal, m.num, m.dim), c.Const(tensor.Scalar(int64(0))), length)
}

type bertEncoder struct{ BERTConfig }

func (bertEncoder) Class() string { return bertPath + "BertEncoder" }

func (m bertEncoder) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := x[0]
	for i := range m.Layers {
		v = c.Call("layer."+strconv.Itoa(i), bertLayer(m), v, x[1])
	}
	return v
}

type bertLayer struct{ BERTConfig }

func (bertLayer) Class() string { return bertPath + "BertLayer" }

func (m bertLayer) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := c.Call("attention", bertAttention(m), x...)
	h := c.Call("intermediate", bertIntermediate(m), v)
	return c.Call("output", bertOutput{m.Intermediate, m.BERTConfig}, h, v)
}

type bertAttention struct{ BERTConfig }

func (bertAttention) Class() string { return bertPath + "BertAttention" }

func (m bertAttention) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := c.Call("self", bertSelfAttention(m), x...)
	return c.Call("output", bertOutput{m.Hidden, m.BERTConfig}, v, x[0])
}

type bertSelfAttention struct{ BERTConfig }

func (bertSelfAttention) Class() string { return bertPath + "BertSelfAttention" }

func (m bertSelfAttention) Forward(c *Context, x ...*graph.Value) *graph.Value {
	size := m.Hidden / m.Heads
	swap := ops.Permute{Order: []int{0, 2, 1, 3}}
	heads := func(name string) *graph.Value {
		v := c.Call(name, Linear{In: m.Hidden, Out: m.Hidden}, x[0])
		return c.Apply(swap, c.Apply(ops.Reshape{Shape: []int{0, 0, m.Heads, size}}, v))
	}
	query, key, value := heads("query"), heads("key"), heads("value")
	scores := c.Apply(ops.MatMul{TransposeB: true}, query, key)
	scores = c.Apply(ops.Binary{Fn: ops.Div, BNumber: true}, scores, c.Const(tensor.Scalar(float32(math.Sqrt(float64(size))))))
	scores = c.Apply(ops.Binary{Fn: ops.Add}, scores, x[1])
	v := c.Apply(ops.MatMul{}, c.Apply(ops.Softmax{Axis: -1}, scores), value)
	return c.Apply(ops.Reshape{Shape: []int{0, 0, m.Hidden}}, c.Apply(swap, v))
}

type bertIntermediate struct{ BERTConfig }

func (bertIntermediate) Class() string { return bertPath + "BertIntermediate" }

func (m bertIntermediate) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := c.Call("dense", Linear{In: m.Hidden, Out: m.Intermediate}, x[0])
	return c.Apply(ops.Unary{Fn: bertActivations[m.Activation]}, v)
}

// bertOutput is BertSelfOutput and BertOutput: a linear layer of width inputs,
// the residual and the normalization.
type bertOutput struct {
	width int
	BERTConfig
}

func (bertOutput) Class() string { return bertPath + "BertOutput" }

func (m bertOutput) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := c.Call("dense", Linear{In: m.width, Out: m.Hidden}, x[0])
	return c.Call("LayerNorm", LayerNorm{Features: m.Hidden, Eps: m.Eps}, c.Apply(ops.Binary{Fn: ops.Add}, v, x[1]))
}

type bertPooler struct{ BERTConfig }

func (bertPooler) Class() string { return bertPath + "BertPooler" }

func (m bertPooler) Forward(c *Context, x ...*graph.Value) *graph.Value {
	first := c.Apply(ops.Flatten{Start: 1, End: -1}, c.Apply(ops.Slice{Axis: 1, End: 1, Step: 1}, x[0]))
	v := c.Call("dense", Linear{In: m.Hidden, Out: m.Hidden}, first)
	return c.Call("activation", Tanh{}, v)
}

package nn

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/octet-ml/octet/ops"
)

// BERTConfig are the sizes of a model of BERT's family, with the names of a Hugging Face
// config.json, and what is computed with it.
type BERTConfig struct {
	ModelType    string  `json:"model_type"` // "bert", "distilbert", "roberta", "xlm-roberta", "camembert" or "mpnet"; "" is bert
	Vocabulary   int     `json:"vocab_size"`
	Hidden       int     `json:"hidden_size"`
	Layers       int     `json:"num_hidden_layers"`
	Heads        int     `json:"num_attention_heads"`
	Intermediate int     `json:"intermediate_size"`
	Positions    int     `json:"max_position_embeddings"`
	TokenTypes   int     `json:"type_vocab_size"`
	Activation   string  `json:"hidden_act"` // "gelu", "gelu_new", "relu" or "silu"
	Eps          float64 `json:"layer_norm_eps"`
	Labels       int     `json:"num_labels"`
	Pad          int     `json:"pad_token_id"`
	Buckets      int     `json:"relative_attention_num_buckets"` // of MPNet

	Task      BERTTask  `json:"-"`
	Pooler    bool      `json:"-"` // Features: whether there is a pooler_output
	Pooling   []Pooling `json:"-"` // SentenceEmbedding: joined, where they are several
	Normalize bool      `json:"-"` // SentenceEmbedding: to length 1
}

// BERTTask says what is computed from the states of tokens.
type BERTTask uint8

// The tasks, named as in transformers and sentence-transformers.
const (
	SequenceClassification BERTTask = iota
	TokenClassification
	Features // the states as they are
	SentenceEmbedding
)

// Pooling says how the states of tokens become one of the text.
type Pooling uint8

// The ways of sentence-transformers, in the order that it joins them.
const (
	PoolCLS      Pooling = iota // the state of the first token
	PoolMax                     // the greatest of each feature
	PoolMean                    // of all tokens
	PoolMeanSqrt                // their sum over the root of their number
)

// bertFile is a config.json.
type bertFile struct {
	*BERTConfig
	LabelNames    map[string]string `json:"id2label"`
	Architectures []string          `json:"architectures"`
	PositionType  string            `json:"position_embedding_type"`
	IsDecoder     bool              `json:"is_decoder"`
	// DistilBERT has names of its own.
	Dim        *int    `json:"dim"`
	NLayers    *int    `json:"n_layers"`
	NHeads     *int    `json:"n_heads"`
	HiddenDim  *int    `json:"hidden_dim"`
	Activation *string `json:"activation"`
}

// ParseBERTConfig reads a config.json. What it leaves out has Hugging Face's
// defaults: those of bert-base-uncased with 2 labels. The task is that of the first of its architectures.
func ParseBERTConfig(data []byte) (BERTConfig, error) {
	var kind struct {
		ModelType string `json:"model_type"`
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		return BERTConfig{}, fmt.Errorf("config.json: %w", err)
	}
	c := bertBase
	if f, ok := bertFamilies[kind.ModelType]; ok && f.padded {
		c.Eps, c.Pad = 1e-5, 1
		if f.relative {
			c.Eps = 1e-12
		}
	}
	file := bertFile{BERTConfig: &c}
	if err := json.Unmarshal(data, &file); err != nil {
		return BERTConfig{}, fmt.Errorf("config.json: %w", err)
	}
	if _, ok := bertFamilies[c.modelType()]; !ok {
		return BERTConfig{}, fmt.Errorf("config.json: the model is %q, of which no architecture is built in: there are %s", c.ModelType, strings.Join(bertTypes(), ", "))
	}
	if file.PositionType != "" && file.PositionType != "absolute" {
		return BERTConfig{}, fmt.Errorf("config.json: position_embedding_type %q is not supported, only absolute", file.PositionType)
	}
	if file.IsDecoder {
		return BERTConfig{}, errors.New("config.json: is_decoder is not supported")
	}
	if c.ModelType == "distilbert" {
		for from, to := range map[*int]*int{file.Dim: &c.Hidden, file.NLayers: &c.Layers, file.NHeads: &c.Heads, file.HiddenDim: &c.Intermediate} {
			if from != nil {
				*to = *from
			}
		}
		if file.Activation != nil {
			c.Activation = *file.Activation
		}
		if file.NLayers == nil {
			c.Layers = 6
		}
	}
	if n := len(file.LabelNames); n > 0 {
		c.Labels = n
	}
	c.Task = taskOf(file.Architectures)
	return c, c.validate()
}

// taskOf returns the task of a list of architectures; without one it is SequenceClassification.
func taskOf(list []string) BERTTask {
	switch {
	case len(list) == 0 || strings.HasSuffix(list[0], "ForSequenceClassification"):
		return SequenceClassification
	case strings.HasSuffix(list[0], "ForTokenClassification"):
		return TokenClassification
	}
	return Features
}

var bertBase = BERTConfig{
	Vocabulary: 30522, Hidden: 768, Layers: 12, Heads: 12, Intermediate: 3072, Positions: 512, TokenTypes: 2,
	Activation: "gelu", Eps: 1e-12, Labels: 2, Buckets: 32,
}

func (c *BERTConfig) validate() error {
	const most = 1 << 24
	for _, v := range []int{c.Vocabulary, c.Hidden, c.Layers, c.Heads, c.Intermediate, c.Positions, c.TokenTypes, c.Labels, c.Buckets} {
		if v < 1 || v > most {
			return fmt.Errorf("bert: a size of %d is outside 1 to %d", v, most)
		}
	}
	if c.Hidden%c.Heads != 0 {
		return fmt.Errorf("bert: %d hidden values do not divide among %d heads", c.Hidden, c.Heads)
	}
	if c.Buckets < 4 {
		return fmt.Errorf("bert: relative_attention_num_buckets is %d, where 4 are the least", c.Buckets)
	}
	if _, ok := bertActivations[c.Activation]; !ok {
		return fmt.Errorf("bert: unknown activation %q", c.Activation)
	}
	if c.Task == SentenceEmbedding && len(c.Pooling) == 0 {
		return errors.New("bert: a sentence embedding needs a pooling")
	}
	return nil
}

var bertActivations = map[string]ops.UnaryFn{
	"gelu": ops.GELU, "gelu_new": ops.GELUTanh, "gelu_pytorch_tanh": ops.GELUTanh, "relu": ops.ReLU, "silu": ops.SiLU, "swish": ops.SiLU,
}

// Weights returns the number of parameters that the sizes make, without heads.
func (c *BERTConfig) Weights() float64 {
	h, inner := float64(c.Hidden), float64(c.Intermediate)
	return float64(h*float64(c.Vocabulary+c.Positions+c.TokenTypes)) + float64(float64(c.Layers)*(float64(4*h*h)+float64(2*h*inner)))
}

func (c *BERTConfig) modelType() string {
	if c.ModelType == "" {
		return "bert"
	}
	return c.ModelType
}

func (c *BERTConfig) family() *bertFamily { return bertFamilies[c.modelType()] }

// Prefix is what the names of parameters begin with in a model with a head: "bert".
func (c *BERTConfig) Prefix() string { return c.family().prefix }

func (c *BERTConfig) hasTypes() bool { return c.family().types }

// bertFamily says what the modules of a family are called, and where it differs from BERT.
type bertFamily struct {
	classes     string // "transformers.models.bert.modeling_bert.Bert"
	prefix      string
	encoder     string
	self        string
	projections [3]string // of query, key and value
	attention   bertBlock // behind the attention
	inner       bertBlock
	output      bertBlock

	types         bool // of tokens
	padded        bool // positions count from behind the id of padding
	relative      bool // attention has a bias by distance
	pooledHead    bool // classifiers take what the pooler gives
	preClassifier bool // classifiers have a layer of this name
}

// bertBlock names the parts of a module; an empty path is the layer itself.
type bertBlock struct{ path, dense, norm string }

func (f *bertFamily) class(name string) string { return f.classes + name }

// bertTypes lists the families by their model_type.
func bertTypes() []string {
	var names []string
	for n := range bertFamilies {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

var bertFamilies = func() map[string]*bertFamily {
	bert := bertFamily{
		classes: "transformers.models.bert.modeling_bert.Bert", prefix: "bert", encoder: "encoder", self: "attention.self",
		projections: [3]string{"query", "key", "value"}, attention: bertBlock{"attention.output", "dense", "LayerNorm"},
		inner: bertBlock{"intermediate", "dense", ""}, output: bertBlock{"output", "dense", "LayerNorm"}, types: true, pooledHead: true,
	}
	roberta := bert
	roberta.classes, roberta.prefix = "transformers.models.roberta.modeling_roberta.Roberta", "roberta"
	roberta.padded, roberta.pooledHead = true, false
	xlm, camembert, mpnet := roberta, roberta, roberta
	xlm.classes = "transformers.models.xlm_roberta.modeling_xlm_roberta.XLMRoberta"
	camembert.classes = "transformers.models.camembert.modeling_camembert.Camembert"
	mpnet.classes, mpnet.prefix = "transformers.models.mpnet.modeling_mpnet.MPNet", "mpnet"
	mpnet.self, mpnet.projections, mpnet.attention = "attention.attn", [3]string{"q", "k", "v"}, bertBlock{"attention", "attn.o", "LayerNorm"}
	mpnet.types, mpnet.relative = false, true
	distil := bert
	distil.classes, distil.prefix, distil.encoder = "transformers.models.distilbert.modeling_distilbert.DistilBert", "distilbert", "transformer"
	distil.self, distil.projections, distil.attention = "attention", [3]string{"q_lin", "k_lin", "v_lin"}, bertBlock{"", "attention.out_lin", "sa_layer_norm"}
	distil.inner, distil.output = bertBlock{"ffn", "lin1", ""}, bertBlock{"", "ffn.lin2", "output_layer_norm"}
	distil.types, distil.pooledHead, distil.preClassifier = false, false, true
	return map[string]*bertFamily{"bert": &bert, "roberta": &roberta, "xlm-roberta": &xlm, "camembert": &camembert, "mpnet": &mpnet, "distilbert": &distil}
}()

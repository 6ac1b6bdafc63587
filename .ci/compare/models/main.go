// Command models writes the models that are compared to a folder: models DIR TOKENIZER. Their weights are random, their shapes those of
// torchvision's ResNet-18 and of all-MiniLM-L6-v2, whose tokenizer.json TOKENIZER is; int8 ones are calibrated on what is run.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/octet-ml/octet/ci/compare/peer"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/onnx"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
	"github.com/octet-ml/octet/text"
)

const config = `{"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 30522, "hidden_size": 384, "num_hidden_layers": 6,
"num_attention_heads": 12, "intermediate_size": 1536, "max_position_embeddings": 512, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12}`

func main() {
	dir, tokenizer := os.Args[1], os.Args[2]
	write(dir, "resnet18", peer.Must(nn.BuildRandom(nn.ResNet18(), 1)), peer.Must(tensor.FromSlice(peer.Picture(), 1, 3, 224, 224)))

	peer.Check(os.MkdirAll(filepath.Join(dir, "minilm"), 0o777))
	b := peer.Must(os.ReadFile(tokenizer))
	file := func(name string, b []byte) { peer.Check(os.WriteFile(filepath.Join(dir, "minilm", name), b, 0o666)) }
	file("tokenizer.json", b)
	file("config.json", []byte(config))
	words, ids := sentence(peer.Must(text.Parse(b)))
	file("text.txt", []byte(words))
	file("ids.json", peer.Must(json.Marshal(ids)))
	c := peer.Must(nn.ParseBERTConfig([]byte(config)))
	c.Task = nn.Features
	var inputs []*tensor.Tensor
	for _, list := range peer.Text(filepath.Join(dir, "minilm")) {
		inputs = append(inputs, peer.Must(tensor.FromSlice(list, 1, peer.Tokens)))
	}
	write(filepath.Join(dir, "minilm"), "model", peer.Must(nn.BuildRandom(nn.BERT(c), 1)), inputs...)
	// hugot takes the mean of the states itself.
	c.Task, c.Pooling = nn.SentenceEmbedding, []nn.Pooling{nn.PoolMean}
	peer.Check(loader.Save(filepath.Join(dir, "minilm", "embedding.safetensors"), peer.Must(nn.BuildRandom(nn.BERT(c), 1))))
	peer.Check(os.Link(filepath.Join(dir, "minilm", "model.onnx"), filepath.Join(dir, "minilm", "embedding.onnx")))
}

// sentence returns a text of peer.Tokens tokens and their ids: words of the vocabulary that are one token each.
func sentence(t *text.Tokenizer) (string, []int64) {
	var words []string
	for id := int64(2000); len(words) < peer.Tokens-2; id += 97 {
		word := t.Token(id)
		if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == "" {
			words = append(words, word)
		}
	}
	e := peer.Must(t.Encode(strings.Join(words, " ")))
	if len(e.IDs) != peer.Tokens {
		peer.Check(fmt.Errorf("%d tokens", len(e.IDs)))
	}
	return strings.Join(words, " "), e.IDs
}

// write writes a model in float32 and in int8, as an octet file and as ONNX.
func write(dir, name string, model *graph.Graph, inputs ...*tensor.Tensor) {
	q := quantize.New(quantize.Options{Backend: quantize.Native})
	calibration := peer.Must(q.Calib(model))
	peer.Must(calibration.Run(context.Background(), inputs...))
	calibration.Close()
	int8 := peer.Must(q.Quantize(model))
	for suffix, g := range map[string]*graph.Graph{"": model, ".int8": int8} {
		peer.Check(loader.Save(filepath.Join(dir, name+suffix+".safetensors"), g))
		peer.Check(onnx.Export(filepath.Join(dir, name+suffix+".onnx"), g, loader.Version()))
	}
}

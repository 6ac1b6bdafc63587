// Command octet runs a model with octet: octet picture|ids|text MODEL.
package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/octet-ml/octet/ci/compare/peer"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
	"github.com/octet-ml/octet/text"
)

func main() {
	model := peer.Must(loader.Load(os.Args[2]))
	session := peer.Must(model.Compile(graph.Options{Threads: 1}))
	var inputs []*tensor.Tensor
	var tokenizer *text.Tokenizer
	var sentence string
	switch os.Args[1] {
	case "picture":
		inputs = append(inputs, peer.Must(tensor.FromSlice(peer.Picture(), 1, 3, 224, 224)))
	case "ids":
		for _, list := range peer.Text(filepath.Dir(os.Args[2])) {
			inputs = append(inputs, peer.Must(tensor.FromSlice(list, 1, peer.Tokens)))
		}
	case "text":
		dir := filepath.Dir(os.Args[2])
		tokenizer = peer.Must(text.Open(filepath.Join(dir, "tokenizer.json")))
		sentence = string(peer.Must(os.ReadFile(filepath.Join(dir, "text.txt"))))
	}
	peer.Serve(func() ([]float32, error) {
		if os.Args[1] == "text" {
			inputs = tokens(session, tokenizer, sentence)
		}
		out, err := session.Run(context.Background(), inputs...)
		if err != nil {
			return nil, err
		}
		return out[0].Float32s(), nil
	})
}

// tokens are the inputs that a session takes for a text.
func tokens(s *graph.Session, t *text.Tokenizer, sentence string) (inputs []*tensor.Tensor) {
	arrays, _, err := t.Batch([][2]string{{sentence}})
	peer.Check(err)
	for _, in := range s.Graph().Inputs {
		inputs = append(inputs, arrays.Get(in.Name))
	}
	return inputs
}

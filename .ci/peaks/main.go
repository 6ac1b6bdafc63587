// Makes models whose memory is measured, and measures one as a program that uses the library takes it.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

func main() {
	err := fmt.Errorf("usage: peaks make DIR | peaks library FILE")
	switch {
	case len(os.Args) == 3 && os.Args[1] == "make":
		err = makeModels(os.Args[2])
	case len(os.Args) == 3 && os.Args[1] == "library":
		err = run(os.Args[2])
	}
	if err != nil {
		log.Fatal(err)
	}
}

// makeModels writes models with random weights and an example of their inputs, in float32 and in int8.
func makeModels(dir string) error {
	bert, err := nn.ParseBERTConfig([]byte(`{"model_type": "bert", "architectures": ["BertModel"]}`)) // bert-base-uncased
	if err != nil {
		return err
	}
	mini := bert
	mini.Hidden, mini.Layers, mini.Intermediate = 384, 6, 1536
	for name, arch := range map[string]nn.Architecture{"bert-base": nn.BERT(bert), "minilm": nn.BERT(mini), "resnet50": nn.ResNet50(), "mobilenet_v2": nn.MobileNetV2()} {
		shape := []int{1, 128}
		if len(arch.Inputs) == 1 {
			shape = []int{1, 3, 224, 224}
		}
		for i := range arch.Inputs {
			arch.Inputs[i].Shape = shape
		}
		if err := makeModel(filepath.Join(dir, name), arch); err != nil {
			return err
		}
	}
	return nil
}

func makeModel(path string, arch nn.Architecture) error {
	g, err := nn.BuildRandom(arch, 1)
	if err != nil {
		return err
	}
	if err := loader.Save(path+".safetensors", g); err != nil {
		return err
	}
	types, _ := g.Example()
	in, err := bench.RandomInputs(types, 1)
	if err != nil {
		return err
	}
	var arrays []tensor.Named
	for i, v := range arch.Inputs {
		arrays = append(arrays, tensor.Named{Name: v.Name, Tensor: in[i]})
	}
	if err := tensor.WriteNPZ(path+".npz", arrays); err != nil {
		return err
	}
	q := quantize.New(quantize.Options{})
	calib, err := q.Calib(g)
	if err != nil {
		return err
	}
	defer calib.Close()
	if _, err := calib.Run(context.Background(), in...); err != nil {
		return err
	}
	int8, err := q.Quantize(g)
	if err != nil {
		return err
	}
	return loader.Save(path+".int8.safetensors", int8)
}

// run loads a model and runs it once, and prints the bytes of its packed weights and of its activations.
func run(file string) error {
	in, err := tensor.ReadNPZ(strings.TrimSuffix(strings.TrimSuffix(file, ".safetensors"), ".int8")+".npz", 0)
	if err != nil {
		return err
	}
	g, err := loader.Load(file, loader.RowsOnDemand())
	if err != nil {
		return err
	}
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	var x []*tensor.Tensor
	for _, a := range in {
		x = append(x, a.Tensor)
	}
	if _, err := s.Run(context.Background(), x...); err != nil {
		return err
	}
	fmt.Println(s.PackedBytes(), s.ArenaBytes())
	return nil
}

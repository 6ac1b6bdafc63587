// Command gomlx runs a model with gomlx's backend in Go: gomlx picture|ids MODEL.onnx.
package main

import (
	"os"
	"path/filepath"

	"github.com/gomlx/gomlx/backends"
	_ "github.com/gomlx/gomlx/backends/simplego"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/onnx-gomlx/onnx"
	"github.com/octet-ml/octet/ci/compare/peer"
)

func main() {
	model := peer.Must(onnx.ReadFile(os.Args[2]))
	backend := peer.Must(backends.NewWithConfig("go"))
	ctx := context.New().Reuse()
	peer.Check(model.VariablesToContext(ctx))
	names, _ := model.Inputs()
	exec := peer.Must(context.NewExec(backend, ctx, func(ctx *context.Context, inputs []*graph.Node) []*graph.Node {
		byName := make(map[string]*graph.Node)
		for i, x := range inputs {
			byName[names[i]] = x
		}
		return model.CallGraph(ctx, inputs[0].Graph(), byName)[:1]
	}))
	var inputs []any
	if os.Args[1] == "picture" {
		inputs = append(inputs, tensors.FromFlatDataAndDimensions(peer.Picture(), 1, 3, 224, 224))
	} else {
		for _, list := range peer.Text(filepath.Dir(os.Args[2])) {
			inputs = append(inputs, tensors.FromFlatDataAndDimensions(list, 1, peer.Tokens))
		}
	}
	peer.Serve(func() ([]float32, error) {
		out, err := exec.Exec(inputs...)
		if err != nil {
			return nil, err
		}
		return tensors.MustCopyFlatData[float32](out[0]), nil
	})
}

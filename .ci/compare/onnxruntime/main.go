// Command onnxruntime runs a model with onnxruntime_go: onnxruntime picture|ids MODEL.onnx. ONNXRUNTIME names the shared library.
package main

import (
	"os"
	"path/filepath"

	"github.com/octet-ml/octet/ci/compare/peer"
	ort "github.com/yalue/onnxruntime_go"
)

func main() {
	ort.SetSharedLibraryPath(os.Getenv("ONNXRUNTIME"))
	peer.Check(ort.InitializeEnvironment())
	options := peer.Must(ort.NewSessionOptions())
	peer.Check(options.SetIntraOpNumThreads(1))
	ins, outs, err := ort.GetInputOutputInfo(os.Args[2])
	peer.Check(err)
	var inputs []ort.Value
	if os.Args[1] == "picture" {
		inputs = append(inputs, peer.Must(ort.NewTensor(ort.NewShape(1, 3, 224, 224), peer.Picture())))
	} else {
		for _, list := range peer.Text(filepath.Dir(os.Args[2])) {
			inputs = append(inputs, peer.Must(ort.NewTensor(ort.NewShape(1, peer.Tokens), list)))
		}
	}
	names := func(infos []ort.InputOutputInfo) (list []string) {
		for _, in := range infos {
			list = append(list, in.Name)
		}
		return list
	}
	for i, n := range outs[0].Dimensions { // free is the batch
		outs[0].Dimensions[i] = max(n, 1)
	}
	out := peer.Must(ort.NewEmptyTensor[float32](outs[0].Dimensions))
	session := peer.Must(ort.NewAdvancedSession(os.Args[2], names(ins), names(outs[:1]), inputs, []ort.Value{out}, options))
	peer.Serve(func() ([]float32, error) { return out.GetData(), session.Run() })
}

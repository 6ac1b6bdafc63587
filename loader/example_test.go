//go:build !nopytorch

package loader_test

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

// What Save wrote is one file with graph and weights.
func Example() {
	model, err := digits.Load()
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "octet")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "digits.safetensors")
	if err := loader.Save(path, model); err != nil {
		log.Fatal(err)
	}
	again, err := loader.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Inputs[0].Name, again.Inputs[0].Type.Shape)
	// Output: input [1, 1, 8, 8]
}

// A state_dict that torch.save wrote goes into an architecture.
func ExampleStateDict() {
	weights, err := loader.StateDict("../digits/digits.pth")
	if err != nil {
		log.Fatal(err)
	}
	model, err := nn.Build(digits.Architecture(), weights)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(model.Constants()) > 0)
	// Output: true
}

// A file without a graph says what to do.
func ExampleLoad() {
	_, err := loader.Load("../digits/digits.pth")
	fmt.Println(errors.Is(err, loader.ErrWeightsOnly))
	if e, ok := errors.AsType[*loader.FileError](err); ok {
		fmt.Println(e.File)
	}
	// Output:
	// true
	// ../digits/digits.pth
}

// A model that is embedded in the program, or lies in any other fs.FS.
func ExampleFS() {
	files := os.DirFS("testdata") // or an embed.FS
	model, err := loader.Load("model-int8.safetensors", loader.FS(files))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(model.Inputs[0].Name, model.Inputs[0].Type.Shape)
	// Output: x [1, 4, 6, 6]
}

// SaveTo writes a model to whatever takes bytes.
func ExampleSaveTo() {
	model, err := digits.Load()
	if err != nil {
		log.Fatal(err)
	}
	var b bytes.Buffer
	if err := loader.SaveTo(&b, model, loader.SaveOptions{}); err != nil {
		log.Fatal(err)
	}
	again, err := loader.LoadFrom(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.String() == model.String())
	// Output: true
}

// Safetensors go to any writer and come from any reader; a file may be mapped instead of read.
func ExampleMapSafetensors() {
	w, err := tensor.FromSlice([]float32{1, 2, 3}, 3)
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if err := loader.WriteSafetensorsTo(&file, map[string]string{"by": "an example"}, []loader.Named{{Name: "w", Tensor: w}}); err != nil {
		log.Fatal(err)
	}
	tensors, metadata, err := loader.ReadSafetensorsFrom(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tensors[0].Name, tensors[0].Tensor.Float32s(), metadata["by"])
	dir, err := os.MkdirTemp("", "octet")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "w.safetensors")
	if err := os.WriteFile(path, file.Bytes(), 0o666); err != nil {
		log.Fatal(err)
	}
	mapped, err := loader.MapSafetensors(path)
	if err != nil {
		log.Fatal(err)
	}
	defer mapped.Close()
	fmt.Println(mapped.Tensors[0].Tensor.Float32s())
	// Output:
	// w [1 2 3] an example
	// [1 2 3]
}

// An exported program says what it takes, and nothing of it is executed.
func ExampleDescribeExported() {
	d, err := loader.DescribeExported("testdata/both/resnet20.pt2")
	if err != nil {
		log.Fatal(err)
	}
	for _, in := range d.Inputs {
		fmt.Println(in.Name, in.Type)
	}
	// Output: x float32[s77, 3, 32, 32]
}

// What a file is, is told by its first bytes.
func ExampleKindError() {
	path := filepath.Join(os.TempDir(), "octet-example.onnx")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		log.Fatal(err)
	}
	defer os.Remove(path)
	_, err := loader.Load(path)
	if e, ok := errors.AsType[*loader.KindError](err); ok {
		var kind loader.FileKind = e.Kind
		fmt.Println(kind == loader.KindEmpty)
	}
	// Output: true
}

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

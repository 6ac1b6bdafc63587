package loader_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/octet-ml/octet/examples/digits"
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
	weights, err := loader.StateDict("../examples/digits/digits.pth")
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
	_, err := loader.Load("../examples/digits/digits.pth")
	fmt.Println(errors.Is(err, loader.ErrWeightsOnly))
	if e, ok := errors.AsType[*loader.FileError](err); ok {
		fmt.Println(e.File)
	}
	// Output:
	// true
	// ../examples/digits/digits.pth
}

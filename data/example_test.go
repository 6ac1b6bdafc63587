package data_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/tensor"
)

// Arrays of samples become batches of a model's inputs.
func ExampleDataset_Batches() {
	model, err := digits.Load()
	if err != nil {
		log.Fatal(err)
	}
	d, err := data.OpenDataset("../digits/test.npz")
	if err != nil {
		log.Fatal(err)
	}
	n := 0
	for x, err := range d.Batches(model, 100) {
		if err != nil {
			log.Fatal(err)
		}
		n += x[0].Dim(0)
	}
	fmt.Println(n == d.Len())
	// Output: true
}

// Some samples by their index, with their labels.
func ExampleDataset_Select() {
	model, err := digits.Load()
	if err != nil {
		log.Fatal(err)
	}
	d, err := data.OpenDataset("../digits/test.npz")
	if err != nil {
		log.Fatal(err)
	}
	x, labels, err := d.Select(model, []int{0, 2, 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(x[0].Shape(), labels.Shape())
	// Output: [3, 1, 8, 8] [3]
}

// rows is a source of one's own: samples that are computed when they are asked for.
type rows int

func (n rows) Fields() []data.Field {
	return []data.Field{{Name: "x", DType: tensor.Float32, Shape: tensor.Shape{int(n), 2}}}
}

func (n rows) Read(_ int, samples []int) (*tensor.Tensor, error) {
	var values []float32
	for _, k := range samples {
		values = append(values, float32(k), float32(k*k))
	}
	return tensor.FromSlice(values, len(samples), 2)
}

func (rows) Place(int) string { return "" }
func (rows) Close() error     { return nil }

func ExampleFromSource() {
	d := data.FromSource(rows(1000), "rows")
	fmt.Println(d.Len())
	// Output: 1000
}

// A file of texts, one a line.
func ExampleOpenTexts() {
	path := filepath.Join(os.TempDir(), "octet-example.txt")
	if err := os.WriteFile(path, []byte("a great movie\nan awful one\n"), 0o666); err != nil {
		log.Fatal(err)
	}
	defer os.Remove(path)
	texts, _, err := data.OpenTexts(context.Background(), path, false, false)
	if err != nil {
		log.Fatal(err)
	}
	defer texts.Close()
	fmt.Println(texts.Len())
	// Output: 2
}

// A budget bounds what is in memory of arrays.
func ExampleOpenDatasetContext() {
	d, err := data.OpenDatasetContext(context.Background(), "../digits/test.npz", 1<<20)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Len(), "samples")
	// Output: 512 samples
}

package data_test

import (
	"fmt"
	"log"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/digits"
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

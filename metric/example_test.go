package metric_test

import (
	"fmt"
	"log"

	"github.com/octet-ml/octet/metric"
	"github.com/octet-ml/octet/tensor"
)

func samples() (logits, labels *tensor.Tensor) {
	logits, err := tensor.FromSlice([]float32{2, 1, 0, 0, 3, 1, 1, 0, 2}, 3, 3)
	if err != nil {
		log.Fatal(err)
	}
	labels, err = tensor.FromSlice([]int64{0, 1, 0}, 3)
	if err != nil {
		log.Fatal(err)
	}
	return logits, labels
}

// Outputs and labels say which metric fits them.
func ExampleChoose() {
	logits, labels := samples()
	m, err := metric.Choose("", []*tensor.Tensor{logits}, labels)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Name)
	fmt.Println(m.Classes(logits))
	// Output:
	// top1
	// [0 1 2] <nil>
}

// A scorer adds up batches.
func ExampleScorer() {
	logits, labels := samples()
	m, err := metric.Choose(metric.Top1, []*tensor.Tensor{logits}, labels)
	if err != nil {
		log.Fatal(err)
	}
	s := metric.NewScorer(m, labels)
	for i := range 3 {
		row, err := logits.Slice(0, i, i+1, 1)
		if err != nil {
			log.Fatal(err)
		}
		if err := s.Add(row); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%d of %d, %.2f\n", s.Right, s.Counted, s.Value())
	// Output: 2 of 3, 0.67
}

package nn_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/tensor"
)

// TestVGGParameters compares names and shapes with those of torchvision's state_dict. What an
// architecture wants is what it misses in one of scalars.
func TestVGGParameters(t *testing.T) {
	for name, convs := range map[string][][3]int{ // index, input and output channels
		"vgg11": {{0, 3, 64}, {3, 64, 128}, {6, 128, 256}, {8, 256, 256}, {11, 256, 512}, {13, 512, 512}, {16, 512, 512}, {18, 512, 512}},
		"vgg16": {{0, 3, 64}, {2, 64, 64}, {5, 64, 128}, {7, 128, 128}, {10, 128, 256}, {12, 256, 256}, {14, 256, 256},
			{17, 256, 512}, {19, 512, 512}, {21, 512, 512}, {24, 512, 512}, {26, 512, 512}, {28, 512, 512}},
	} {
		arch, err := nn.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		sd := stateDict{}
		var want []string
		parameter := func(layer string, weight ...int) {
			for key, shape := range map[string][]int{layer + ".weight": weight, layer + ".bias": weight[:1]} {
				sd[key] = image(t)
				want = append(want, fmt.Sprintf("%s: have [], want %v", key, tensor.Shape(shape)))
			}
		}
		for _, c := range convs {
			parameter(fmt.Sprintf("features.%d", c[0]), c[2], c[1], 3, 3)
		}
		for i, c := range [][2]int{{25088, 4096}, {4096, 4096}, {4096, 1000}} {
			parameter(fmt.Sprintf("classifier.%d", 3*i), c[1], c[0])
		}
		_, err = nn.Build(arch, sd)
		var bind *nn.BindError
		if !errors.As(err, &bind) {
			t.Fatalf("%s: got %v, want a BindError", name, err)
		}
		slices.Sort(want)
		slices.Sort(bind.WrongShape)
		if d := cmp.Diff(&nn.BindError{Architecture: name, WrongShape: want}, bind); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

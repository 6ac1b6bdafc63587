package nn

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// VGG11 is torchvision's vgg11, without batch norm (Simonyan and Zisserman, "Very Deep
// Convolutional Networks for Large-Scale Image Recognition", 2014).
func VGG11() Architecture { return vgg("vgg11", 1, 1, 2, 2, 2) }

// VGG16 is torchvision's vgg16, without batch norm.
func VGG16() Architecture { return vgg("vgg16", 2, 2, 3, 3, 3) }

func vgg(name string, depths ...int) Architecture {
	return Architecture{Name: name, Inputs: image, Root: vggModule{depths}}
}

// vggModule has, between two poolings, as many 3x3 convolutions as depths says.
type vggModule struct{ depths []int }

func (vggModule) Class() string { return "torchvision.models.vgg.VGG" }

func (m vggModule) Forward(c *Context, x ...*graph.Value) *graph.Value {
	var features Sequential
	in := 3
	for i, depth := range m.depths {
		out := min(64<<i, 512)
		for range depth {
			features = append(features, Conv2d{In: in, Out: out, Kernel: 3, Padding: 1}, ReLU{})
			in = out
		}
		features = append(features, MaxPool2d{Kernel: 2})
	}
	v := c.Call("features", features, x[0])
	v = c.Call("avgpool", AdaptiveAvgPool2d{Size: 7}, v)
	return c.Call("classifier", Sequential{
		Linear{In: in * 7 * 7, Out: 4096}, ReLU{}, Dropout{},
		Linear{In: 4096, Out: 4096}, ReLU{}, Dropout{},
		Linear{In: 4096, Out: 1000},
	}, c.Apply(ops.Flatten{Start: 1, End: -1}, v))
}

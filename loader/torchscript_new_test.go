//go:build !nopytorch

package loader

import (
	"math"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// TestScriptNewOperators checks operators that PyTorch 1.13, which made the
// fixtures, does not write: each program returns the difference from what they are
// defined as, in other operators.
func TestScriptNewOperators(t *testing.T) {
	const inputs = "v = torch.sin(torch.reshape(torch.arange(48., dtype=6), [2, 2, 4, 3]))\n" +
		"k = torch.cos(torch.mul(v, 3.))\nq = torch.add(torch.mul(k, v), v)\n"
	product := func(mask, scale string) string {
		return "s = torch.mul(torch.matmul(q, torch.transpose(k, -2, -1)), " + scale + ")\n" + mask + "w = torch.matmul(torch.softmax(s, -1), v)\n"
	}
	const width = "0.5773502691896258"
	for name, body := range map[string]string{
		"attention": inputs + product("", width) + "y = torch.scaled_dot_product_attention(q, k, v)\n",
		"scale":     inputs + product("", "0.3") + "y = torch.scaled_dot_product_attention(q, k, v, None, 0., False, scale=0.3)\n",
		"causal": inputs + product("s = torch.masked_fill(s, torch.logical_not(torch.tril(torch.ones([4, 4], dtype=11))), -inf)\n", width) +
			"y = torch.scaled_dot_product_attention(q, k, v, None, 0., True)\n",
		"bool mask": inputs + "m = torch.gt(torch.select(v, 3, 0), -0.9)\nm = torch.unsqueeze(m, 2)\n" + product("s = torch.masked_fill(s, torch.logical_not(m), -inf)\n", width) +
			"y = torch.scaled_dot_product_attention(q, k, v, m)\n",
		"float mask": inputs + "m = torch.reshape(torch.arange(16., dtype=6), [4, 4])\n" + product("s = torch.add(s, m)\n", width) +
			"y = torch.scaled_dot_product_attention(q, k, v, attn_mask=m, dropout_p=0.)\n",
		"shared heads": inputs + "k = torch.slice(k, 1, 0, 1)\nv = torch.slice(v, 1, 0, 1)\n" + product("", width) +
			"y = torch.scaled_dot_product_attention(q, k, v, None, 0., False, scale=None, enable_gqa=True)\n",
		"rms norm": inputs + "w = torch.mul(torch.div(q, torch.sqrt(torch.add(torch.mean(torch.mul(q, q), [-2, -1], True), 0.001))), torch.select(torch.select(v, 0, 0), 0, 0))\n" +
			"y = torch.rms_norm(q, [4, 3], torch.select(torch.select(v, 0, 0), 0, 0), 0.001)\n",
		"rms norm without eps": inputs + "w = torch.div(q, torch.sqrt(torch.add(torch.mean(torch.mul(q, q), [-1], True), 1.1920929e-07)))\n" +
			"y = torch.rms_norm(q, [3])\n",
	} {
		t.Run(name, func(t *testing.T) {
			out, err := runArchive(moduleM(body + "return (torch.sub(y, w), w)").archive(t))
			if err != nil {
				t.Fatal(err)
			}
			if !out[0].Shape().Equal(tensor.Shape{2, 2, 4, 3}) {
				t.Errorf("the shape is %v", out[0].Shape())
			}
			largest := 0.0
			for i, d := range out[0].Contiguous().Float32s() {
				if !(math.Abs(float64(d)) < 1e-5) {
					t.Fatalf("element %d differs by %v", i, d)
				}
			}
			for _, w := range out[1].Contiguous().Float32s() {
				largest = max(largest, math.Abs(float64(w)))
			}
			if largest < 0.05 {
				t.Errorf("all values are below %v", largest)
			}
		})
	}
}

//go:build !nopytorch

package loader

import (
	"bytes"
	"context"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// TestScriptWrites runs what is written through views and to numbers that a trace put into tensors, at shapes one after the other in
// one session. PyTorch 1.13 and 2.14 give what is wanted.
func TestScriptWrites(t *testing.T) {
	const count = "n = ops.prim.NumToTensor(torch.size(x, 0))\nm = ops.prim.NumToTensor(torch.size(x, 1))\n"
	for name, c := range map[string]struct {
		body string
		want [2]string // for ones of [2, 3] and [3, 4]
	}{
		"a number, twice":          {count + "a = torch.add_(n, m)\nb = torch.add_(a, m)\ny = torch.mul(b, 1)\n", [2]string{"[8]", "[11]"}},
		"a number, by another":     {count + "a = torch.mul_(n, 10)\ny = torch.add(n, m)\n", [2]string{"[23]", "[34]"}},
		"a number, as a size":      {count + "a = torch.add_(n, 1)\ny = torch.zeros([int(n)], dtype=6)\n", [2]string{"[0 0 0]", "[0 0 0 0]"}},
		"a number, cloned":         {count + "a = torch.add_(n, 1)\nb = torch.clone(n)\nc = torch.mul_(n, 5)\ny = torch.add(b, n, alpha=100)\n", [2]string{"[1503]", "[2004]"}},
		"a number, read before":    {count + "b = torch.mul(n, 100)\na = torch.add_(n, 1)\ny = torch.add(b, a)\n", [2]string{"[203]", "[304]"}},
		"a number, by its view":    {count + "a = torch.add_(torch.view(n, [1]), 5)\ny = torch.mul(n, m)\n", [2]string{"[21]", "[32]"}},
		"a diagonal":               {"y = torch.clone(x)\na = torch.fill_(torch.diagonal(y, 1), 7)\n", [2]string{"[1 7 1 1 1 7]", "[1 7 1 1 1 1 7 1 1 1 1 7]"}},
		"a diagonal's part":        {"y = torch.clone(x)\na = torch.mul_(torch.slice(torch.diagonal(torch.t(y)), 0, 1), 3)\n", [2]string{"[1 1 1 1 3 1]", "[1 1 1 1 1 3 1 1 1 1 3 1]"}},
		"windows side by side":     {"y = torch.clone(x)\na = torch.zero_(torch.select(torch.unfold(y, 1, 1, 2), 1, 1))\n", [2]string{"[1 1 0 1 1 0]", "[1 1 0 1 1 1 0 1 1 1 0 1]"}},
		"diagonal_scatter":         {"y = torch.diagonal_scatter(x, torch.full([torch.size(x, 0)], 5., dtype=6))\n", [2]string{"[5 1 1 1 5 1]", "[5 1 1 1 1 5 1 1 1 1 5 1]"}},
		"einsum of integers":       {"a = torch.to(torch.cumsum(x, 1), 3)\ny = torch.einsum(\"ij,kj->ik\", [a, a])\n", [2]string{"[14 14 14 14]", "[30 30 30 30 30 30 30 30 30]"}},
		"einsum that wraps around": {"a = torch.to(torch.mul(torch.cumsum(x, 1), 50), 0)\ny = torch.einsum(\"ij,ij->i\", [a, a])\n", [2]string{"[184 184]", "[248 248 248]"}},
		"linear of integers":       {"a = torch.to(torch.cumsum(x, 1), 4)\ny = torch.linear(a, a, torch.select(a, 1, 1))\n", [2]string{"[16 16 16 16]", "[32 32 32 32 32 32 32 32 32]"}},
		"signs of int32":           {"y = torch.bitwise_right_shift(torch.to(torch.neg(torch.cumsum(x, 0)), 3), 31)\n", [2]string{"[-1 -1 -1 -1 -1 -1]", "[-1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1]"}},
		"mode":                     {"y, i = torch.mode(torch.to(torch.remainder(torch.cumsum(x, 1), 3), 4))\n", [2]string{"[0 0]", "[1 1 1]"}},
		"mode's index":             {"v, y = torch.mode(torch.to(torch.remainder(torch.cumsum(x, 1), 3), 4))\n", [2]string{"[2 2]", "[3 3 3]"}},
		"the bits of floats":       {"y = torch.clone(x)\na = torch.bitwise_or(torch.select(torch.view(y, 3), 1, 0), -2147483648)\nb = torch.copy_(torch.select(torch.view(y, 3), 1, 0), a)\n", [2]string{"[-1 1 1 -1 1 1]", "[-1 1 1 1 -1 1 1 1 -1 1 1 1]"}},
		"bytes of floats":          {"y = torch.to(torch.sum(torch.to(torch.view(x, 0), 4), [0]), 4)\n", [2]string{"[0 0 256 126 0 0 256 126 0 0 256 126]", "[0 0 384 189 0 0 384 189 0 0 384 189 0 0 384 189]"}},
		"pad_sequence":             {"y = torch.pad_sequence([x, torch.slice(x, 0, 1)], True, 5.)\n", [2]string{"[1 1 1 1 1 1 1 1 1 5 5 5]", "[1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 5 5 5 5]"}},
		"a number by integers":     {"y = torch.floor_divide(7, torch.to(torch.cumsum(x, 1), 4))\n", [2]string{"[7 3 2 7 3 2]", "[7 3 2 1 7 3 2 1 7 3 2 1]"}},
		"tensordot of integers":    {"a = torch.to(torch.cumsum(x, 1), 4)\ny = torch.tensordot(a, a, [0, 1], [0, 1])\n", [2]string{"[28]", "[90]"}},
	} {
		t.Run(name, func(t *testing.T) {
			data := moduleM(c.body + "return y").archive(t)
			s := must(must(LoadFrom(bytes.NewReader(data), int64(len(data)))).Compile(graph.Options{Threads: 1}))
			defer s.Close()
			for i, shape := range []tensor.Shape{{2, 3}, {3, 4}} {
				x := must(tensor.New(tensor.Float32, shape...))
				for k := range x.Float32s() {
					x.Float32s()[k] = 1
				}
				out, err := s.Run(context.Background(), x)
				if err != nil {
					t.Fatal(err)
				}
				if got := elements(out[0]); got != c.want[i] {
					t.Errorf("%v: got %s, want %s", shape, got, c.want[i])
				}
			}
		})
	}
	out, err := runArchive(moduleM("y = torch.clone(x)\na = torch.zero_(torch.unfold(y, 1, 2, 1))\nreturn y").archive(t))
	if err == nil {
		t.Errorf("windows that overlap were written to: %v", out)
	}
}

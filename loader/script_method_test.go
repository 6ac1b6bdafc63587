//go:build !nopytorch

package loader

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
)

// TestMethod runs the methods of a module that torch.jit.export kept, which give what forward gives of each.
func TestMethod(t *testing.T) {
	cases := readScriptCases(t, "testdata/script/programs.json.gz")
	c := &cases[slices.IndexFunc(cases, func(c scriptCase) bool { return c.What == "Methods" })]
	data := c.archive(t)
	r := c.Runs[0]
	x, encoded, decoded := r.In[0].tensor(t), r.Out[0].tensor(t), r.Out[1].tensor(t)
	for _, m := range []struct {
		name string
		out  int
	}{{"", 0}, {"forward", 1}, {"encode", 0}, {"decode", 1}} {
		g, err := LoadFrom(bytes.NewReader(data), int64(len(data)), Method(m.name))
		if err != nil {
			t.Fatal(err)
		}
		s, err := g.Compile(graph.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		in, want := x, encoded
		if m.name == "decode" {
			in = encoded
		}
		if m.out == 1 {
			want = decoded
		}
		out, err := s.Run(context.Background(), in)
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		got := out[0]
		if m.name == "forward" {
			got = out[1]
		}
		if why := differ(got, want, 1e-6, 0); why != "" {
			t.Errorf("%s: %s", m.name, why)
		}
	}
	var missing *MethodError
	_, err := LoadFrom(bytes.NewReader(data), int64(len(data)), Method("decoded"))
	if !errors.As(err, &missing) || !slices.Equal(missing.Methods, []string{"decode", "encode", "forward"}) {
		t.Errorf("got %v, want a *MethodError with the methods", err)
	}
	if _, err := Load("testdata/model-float.safetensors", Method("decode")); !errors.As(err, new(*FileError)) {
		t.Errorf("got %v of a file that has no methods, want a *FileError", err)
	}
}

//go:build !noserve

package cli

import (
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// TestServedTexts gives a model with a tokenizer texts and pairs in place of ids, and what is neither.
func TestServedTexts(t *testing.T) {
	g, err := loader.Load(textFolder(t, "bert-sequence"))
	if err != nil {
		t.Fatal(err)
	}
	signature, err := g.Signature()
	if err != nil {
		t.Fatal(err)
	}
	d := &servedTexts{}
	if offers := d.Inputs(signature); len(offers) != 1 || offers[0].Name != "text" || offers[0].Datatype != oip.Bytes {
		t.Errorf("it offers %v", offers)
	}
	words := func(name string, elements ...string) *oip.Tensor {
		var all [][]byte
		for _, e := range elements {
			all = append(all, []byte(e))
		}
		return oip.NewBytes(name, all...)
	}
	for _, c := range []struct {
		given []*oip.Tensor
		ids   []int64
		shape tensor.Shape
	}{
		{[]*oip.Tensor{words("text", "cats", "the dog runs")}, []int64{2, 5, 14, 3, 0, 2, 11, 6, 9, 3}, tensor.Shape{2, 5}},
		{[]*oip.Tensor{words("text_pair", "dog"), words("text", "cat")}, []int64{2, 5, 3, 6, 3}, tensor.Shape{1, 5}},
	} {
		in, err := d.Decode(t.Context(), signature, c.given)
		if err != nil {
			t.Fatal(err)
		}
		if len(in) != 3 || !in[0].Shape().Equal(c.shape) || !slices.Equal(in[0].Int64s(), c.ids) {
			t.Errorf("%v becomes %v", c.given, in[0])
		}
		s, err := g.Compile(graph.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		if out, err := s.Run(t.Context(), in...); err != nil || out[0].Dim(0) != c.shape[0] {
			t.Errorf("%v, %v", out, err)
		}
		s.Close()
	}
	for _, bad := range [][]*oip.Tensor{{words("text")}, {words("words", "cat")}, {words("text_pair", "cat")}, {words("text", "a", "b"), words("text_pair", "c")}} {
		if _, err := d.Decode(t.Context(), signature, bad); serve.CodeOf(err) != serve.InvalidArgument {
			t.Errorf("%v: %v", bad, err)
		}
	}
	plain := *signature
	plain.Info = nil
	if offers := d.Inputs(&plain); offers != nil {
		t.Errorf("a model without a tokenizer offers %v", offers)
	}
}

//go:build !noserve

package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/oip"
)

// TestServedPictures gives a model that says how pictures become its input encoded ones, and one that is none.
func TestServedPictures(t *testing.T) {
	g, err := loader.Load(quantizeDigits(t))
	if err != nil {
		t.Fatal(err)
	}
	how := &graph.Preprocessing{Size: []int{8}, Channels: 1, Mean: []float32{0.3}, Std: []float32{0.4}}
	g.Info = &graph.Info{Preprocessing: how}
	signature, err := g.Signature()
	if err != nil {
		t.Fatal(err)
	}
	folder, _ := digitPictures(t, digitsCalib, true)
	picture, err := os.ReadFile(filepath.Join(folder, "0000.png"))
	if err != nil {
		t.Fatal(err)
	}
	d := servedPictures{maxMemory: 1 << 20}
	if offers := d.Inputs(signature); len(offers) != 1 || offers[0].Datatype != oip.Bytes || offers[0].Name != g.Inputs[0].Name {
		t.Errorf("it offers %v", offers)
	}
	give := func(name string, elements ...[]byte) []*oip.Tensor {
		in := oip.NewBytes(name, elements...)
		return []*oip.Tensor{in}
	}
	got, err := d.Decode(t.Context(), signature, give(g.Inputs[0].Name, picture, picture))
	if err != nil {
		t.Fatal(err)
	}
	want, err := (*data.Preprocessing)(how).Input(picture)
	if err != nil {
		t.Fatal(err)
	}
	if x := got[0].Float32s(); got[0].Dim(0) != 2 || !slices.Equal(x[:64], want.Float32s()) || !slices.Equal(x[64:], want.Float32s()) {
		t.Errorf("two pictures become %v", got[0])
	}
	for _, bad := range [][]*oip.Tensor{give(g.Inputs[0].Name, []byte("no picture")), give("other", picture), give(g.Inputs[0].Name)} {
		if _, err := d.Decode(t.Context(), signature, bad); serve.CodeOf(err) != serve.InvalidArgument || strings.Contains(err.Error(), "panic") {
			t.Errorf("%v", err)
		}
	}
}

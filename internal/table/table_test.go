package table_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/octet-ml/octet/internal/table"
)

type screen struct {
	bytes.Buffer
	width int
}

func (s *screen) Width() int { return s.width }

// TestFit writes tables for terminals of several widths.
func TestFit(t *testing.T) {
	names := "two layers\n\nlayer\tms\twhy\nencoder.layers.0.attention.query\t1.5\tits activations have no bound\nhead\t0.25\t\n\nend\n"
	numbers := "model\tmin ms\tmedian ms\tp99 ms\t\nresnet\t1.25\t1.50\t22.75\t\n"
	for _, c := range []struct {
		text  string
		flags uint
		width int
		want  string
	}{
		{names, 0, 0, `
two layers

layer                             ms    why
encoder.layers.0.attention.query  1.5   its activations have no bound
head                              0.25  

end
`},
		{names, 0, 40, `
two layers

layer             ms    why
encoder.…n.query  1.5   its activations…
head              0.25  

end
`},
		{names, 0, 3, `
two layers

layer       ms    why
encod…uery  1.5   its activ…
head        0.25  

end
`},
		{numbers, table.AlignRight, 80, `
   model  min ms  median ms  p99 ms
  resnet    1.25       1.50   22.75
`},
		{numbers, table.AlignRight, 25, `
      model  resnet
     min ms    1.25
  median ms    1.50
     p99 ms   22.75
`},
	} {
		s := &screen{width: c.width}
		w := table.NewWriter(s, c.flags)
		if _, err := w.Write([]byte(c.text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if got := s.String(); got != strings.TrimPrefix(c.want, "\n") {
			t.Errorf("width %d:\n%s\nwant\n%s", c.width, got, c.want)
		}
	}
}

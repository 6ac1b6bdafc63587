package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestProgressLine(t *testing.T) {
	p := &progress{label: "evaluating", total: 200, start: time.Now()}
	for _, c := range []struct {
		done  int
		taken time.Duration
		text  string
		want  string
	}{
		{0, time.Second, "", "evaluating [------------------------------] 0 / 200"},
		{50, 10 * time.Second, "", "evaluating [=======-----------------------] 50 / 200 5/s 30s left"},
		{50, 10 * time.Second, "loss 0.25", "evaluating [=======-----------------------] 50 / 200 5/s 30s left loss 0.25"},
		{200, time.Hour, "", "evaluating [==============================] 200 / 200 0.0556/s 0s left"},
		{300, time.Second, "", "evaluating [==============================] 300 / 200 300/s 0s left"},
		{50, time.Second, strings.Repeat("é", 90), "evaluating [=======-----------------------] 50 / 200 50/s 3s left " + strings.Repeat("é", 13)},
	} {
		p.text = c.text
		if have := p.line(c.done, c.taken); have != c.want {
			t.Errorf("%d in %v:\n%q, not\n%q", c.done, c.taken, have, c.want)
		}
	}
	if have := (&progress{label: "none"}).line(0, 0); have != "none ["+strings.Repeat("-", 30)+"] 0 / 0" {
		t.Errorf("of nothing: %q", have)
	}
}

// A shorter line replaces all of a longer one, and the end leaves nothing.
func TestProgressDraw(t *testing.T) {
	var out bytes.Buffer
	p := &progress{app: newApp(&out, &out), label: "x", total: 1, start: time.Now()}
	p.draw(&out, "four")
	p.draw(&out, "é")
	p.end()
	if have, want := out.String(), "\rfour\r\ré   \r\r \r"; have != want {
		t.Errorf("drawn %q, not %q", have, want)
	}
	out.Reset()
	p = &progress{app: newApp(&out, &out), label: "x", total: 1, start: time.Now().Add(-time.Hour)}
	p.set(1)
	p.end()
	if out.Len() > 0 {
		t.Errorf("where there is no terminal %q is drawn", out.String())
	}
}

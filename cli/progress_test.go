package cli

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
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
		{0, time.Second, "\x1b[2J", "evaluating [------------------------------] 0 / 200   \\x1b[2J"},
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

// What takes long without an end in sight says so, and leaves nothing.
func TestWorking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		a := newApp(&out, &out)
		a.working("reading f")()
		if out.Len() > 0 {
			t.Errorf("where there is no terminal %q is drawn", out.String())
		}
		a.err.width = 12
		end := a.working("reading f")
		time.Sleep(2500 * time.Millisecond)
		end()
		if have, want := out.String(), "\rreading f, \r\rreading f, \r\r           \r"; have != want {
			t.Errorf("drawn %q, not %q", have, want)
		}
		out.Reset()
		a.err.width = 80
		end = a.working("reading f")
		time.Sleep(1500 * time.Millisecond)
		end()
		if have, want := out.String(), "\rreading f, 1s\r\r             \r"; have != want {
			t.Errorf("drawn %q, not %q", have, want)
		}
		a.quiet = true
		out.Reset()
		end = a.working("reading f")
		time.Sleep(time.Minute)
		end()
		if out.Len() > 0 {
			t.Errorf("with --quiet %q is drawn", out.String())
		}
	})
}

package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// progress is a bar on stderr. It appears after a second, on a terminal only.
type progress struct {
	app   *app
	label string
	total int
	start time.Time
	drawn time.Time // the last time
	width int       // characters that are drawn
	text  string
}

func (a *app) progress(label string, total int) *progress {
	return &progress{app: a, label: label, total: total, start: time.Now()}
}

// status is what to show besides the bar from now on.
func (p *progress) status(text string) { p.text = text }

// set says how much of the total is done.
func (p *progress) set(done int) {
	const redraw = 100 * time.Millisecond
	now := time.Now()
	if now.Sub(p.start) < time.Second || now.Sub(p.drawn) < redraw || !p.app.onTerminal() {
		return
	}
	p.drawn = now
	p.draw(p.app.stderr, p.line(done, now.Sub(p.start)))
}

// end takes the bar away.
func (p *progress) end() {
	if p.width > 0 {
		p.draw(p.app.stderr, "")
		p.width = 0
	}
}

// draw puts a line in the place of the one before, and the cursor in front of it, so that what others write replaces it.
func (p *progress) draw(w io.Writer, line string) {
	width := utf8.RuneCountInString(line)
	fmt.Fprintf(w, "\r%s%*s\r", line, max(p.width-width, 0), "")
	p.width = width
}

// working says what is going on, and for how long, while something runs of which nobody knows how long it takes: reading and writing
// files, choosing kernels. It appears after a second, on a terminal only, until the function that it returns is called.
func (a *app) working(what string) (end func()) {
	if !a.onTerminal() {
		return func() {}
	}
	const redraw = time.Second
	p := a.progress(what, 0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		t := time.NewTicker(redraw)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				p.draw(a.stderr, p.cut(fmt.Sprintf("%s, %v", what, time.Since(p.start).Truncate(time.Second))))
			case <-stop:
				p.end()
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
	}
}

// line returns the bar, with how many are done in a second and the time that is left if it goes on so.
func (p *progress) line(done int, taken time.Duration) string {
	const bar = 30 // characters
	filled, rate, left := 0, "", ""
	if done > 0 && p.total > 0 {
		filled = min(done, p.total) * bar / p.total
		rate = fmt.Sprintf("%.3g/s", float64(done)/max(taken.Seconds(), 1e-3))
		left = time.Duration(float64(taken)/float64(done)*float64(max(p.total-done, 0))).Round(time.Second).String() + " left"
	}
	return p.cut(strings.TrimSpace(fmt.Sprintf("%s [%s%s] %d / %d %s %s %s", p.label, strings.Repeat("=", filled), strings.Repeat("-", bar-filled), done, p.total, rate, left, p.text)))
}

// cut returns what of a line fits the terminal, for a longer one could not be replaced, and nothing in it steers the terminal.
func (p *progress) cut(line string) string {
	var plain strings.Builder
	_, _ = (&plainWriter{w: &plain}).Write([]byte(line)) // a Builder has no error
	line = plain.String()
	most := 79
	if p.app != nil && p.app.err != nil && p.app.err.width > 0 {
		most = p.app.err.width - 1
	}
	if runes := []rune(line); len(runes) > most {
		line = string(runes[:most])
	}
	return line
}

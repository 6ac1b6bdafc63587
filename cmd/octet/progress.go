package main

import (
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress is a bar on stderr. It appears after a second, on a terminal only.
type progress struct {
	app   *app
	label string
	total int
	start time.Time
	text  atomic.Pointer[string]
	pool  *mpb.Progress
	bar   *mpb.Bar
}

func (a *app) progress(label string, total int) *progress {
	return &progress{app: a, label: label, total: total, start: time.Now()}
}

// status is what to show besides the bar from now on.
func (p *progress) status(text string) { p.text.Store(&text) }

// set says how much of the total is done.
func (p *progress) set(done int) {
	if p.bar == nil {
		if time.Since(p.start) < time.Second || !p.app.onTerminal() {
			return
		}
		p.pool = mpb.New(mpb.WithOutput(p.app.stderr), mpb.WithWidth(40))
		p.bar = p.pool.AddBar(int64(p.total),
			mpb.PrependDecorators(decor.Name(p.label+" ")),
			mpb.AppendDecorators(
				decor.CountersNoUnit("%d / %d"), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO),
				decor.Any(func(decor.Statistics) string {
					if text := p.text.Load(); text != nil {
						return " " + *text
					}
					return ""
				}),
			),
			mpb.BarRemoveOnComplete(),
		)
	}
	p.bar.SetCurrent(int64(done))
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar == nil {
		return
	}
	p.bar.Abort(true)
	p.pool.Wait()
	p.bar = nil
}

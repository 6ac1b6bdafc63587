//go:build !noserve

package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/octet-ml/octet/serve"
)

// exitAtSecondSignal ends the process with the next signal that asks it to end.
func (a *app) exitAtSecondSignal() {
	if a.limits.exit == nil {
		return
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-c
		a.limits.exit(exitFailed)
	}()
}

// reloadLoop loads models anew: all at a signal, with --watch those whose files have changed.
func (a *app) reloadLoop(ctx context.Context, f *serveFlags, s *serve.Server, c *certificate, signals <-chan os.Signal) {
	f.running = true
	var ticks <-chan time.Time
	if f.watch > 0 {
		ticker := time.NewTicker(f.watch)
		defer ticker.Stop()
		ticks = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			a.reload(ctx, f, s, c)
		case <-ticks:
			a.look(ctx, f, s, c)
		}
	}
}

// reload reads the certificate, the folder of models and all models anew.
func (a *app) reload(ctx context.Context, f *serveFlags, s *serve.Server, c *certificate) {
	if c != nil {
		c.wrong = "" // who asks is told again
	}
	a.readCertificate(c)
	f.said = ""
	a.update(ctx, f, s, s.Reload)
}

// look reads the certificate and loads what has changed.
func (a *app) look(ctx context.Context, f *serveFlags, s *serve.Server, c *certificate) {
	a.readCertificate(c)
	a.update(ctx, f, s, s.ReloadChanged)
}

// update tells the server which models the command line and the folder of models name now, loads, and then has it forget the others: what
// takes the place of a model is ready before that is gone.
func (a *app) update(ctx context.Context, f *serveFlags, s *serve.Server, load func(context.Context) error) {
	var list []serve.Configured
	if f.dir != "" {
		var err error
		if list, err = a.configured(ctx, f); err == nil {
			err = s.ConfigureOnly(list...)
		}
		if err != nil {
			if text := err.Error(); text != f.said {
				a.say(a.name+": %s", text)
				f.said = text
			}
			return
		}
	}
	f.said = ""
	if err := adviseTypes(load(ctx)); err != nil && ctx.Err() == nil {
		a.say(a.name+": %v", err)
	}
	if f.dir == "" || ctx.Err() != nil {
		return
	}
	if err := s.ConfigureOnly(list...); err != nil {
		a.say(a.name+": %v", err)
	}
}

//go:build !noserve

package cli

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve"
	"github.com/octet-ml/octet/serve/prom"
)

// server answers the requests of one listener.
type server struct {
	serve    func() error
	shutdown func(context.Context) error // takes no more requests and waits for those in progress
	close    func()
}

// metrics makes the server count what it does, and show it to those who ask at --addr, unless --admin-addr is given.
func (a *app) metrics(f *serveFlags) *prom.Metrics {
	m := prom.New(prom.Build{Version: f.options.Version, Tier: a.tier.InUse().String()})
	f.options.Observer = m
	if f.admin == "" {
		f.options.Metrics = m.Handler()
	}
	return m
}

// servers returns those of the listeners. Requests over HTTP have contexts of the one that is given.
func (f *serveFlags) servers(ctx context.Context, s *serve.Server, metrics *prom.Metrics, c *certificate, l listeners) []server {
	list := []server{f.httpServer(ctx, s.Handler(), c, l.http)}
	if l.grpc != nil {
		g := grpcserve.New(s, c.config())
		list = append(list, server{
			serve:    func() error { return g.Serve(l.grpc) },
			shutdown: g.Stop,
			close: func() {
				ended, cancel := context.WithCancel(context.Background())
				cancel()
				_ = g.Stop(ended) // what is left is ended, as Close of HTTP does
			},
		})
	}
	if l.admin != nil {
		list = append(list, f.httpServer(ctx, adminHandler(metrics), nil, l.admin))
	}
	return list
}

func (f *serveFlags) httpServer(ctx context.Context, h http.Handler, c *certificate, l net.Listener) server {
	web := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10, TLSConfig: c.config(),
		HTTP2:       &http.HTTP2Config{MaxConcurrentStreams: 250},
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(discardIfNil(f.options.Logger).Handler(), slog.LevelDebug),
	}
	served, fresh := make(chan struct{}), &freshConns{}
	web.ConnState = fresh.set
	run := func() error {
		defer close(served)
		if c != nil {
			return web.ServeTLS(l, "", "")
		}
		return web.Serve(l)
	}
	// Shutdown drops requests that it has not read, so that it comes when those of all connections are.
	shutdown := func(ctx context.Context) error {
		l.Close()
		select {
		case <-served:
			fresh.wait(ctx)
		case <-ctx.Done():
		}
		return web.Shutdown(ctx)
	}
	return server{serve: run, shutdown: shutdown, close: func() { web.Close() }}
}

// adminHandler shows metrics, and profiles where the build has them.
func adminHandler(m *prom.Metrics) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	profiles(mux)
	return mux
}

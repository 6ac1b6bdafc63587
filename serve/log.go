package serve

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// logger writes a line for each request that failed for a reason of the server's or was slow, or for all, and for each load.
type logger struct {
	*slog.Logger
	all  bool
	slow time.Duration
}

func (l *logger) Request(e RequestEvent) {
	level := slog.LevelInfo
	switch e.Code {
	case Internal:
		level = slog.LevelError
	case DeadlineExceeded:
		level = slog.LevelWarn
	default:
		if !l.all && e.Total < l.slow {
			return
		}
	}
	attributes := []slog.Attr{
		slog.String("model", e.Model), slog.String("version", e.Version), slog.String("protocol", e.Protocol), slog.String("id", e.ID),
		slog.String("code", e.Code.String()), slog.Int("samples", e.Samples), slog.Int64("bytes_in", e.BytesIn), slog.Int64("bytes_out", e.BytesOut),
		slog.Duration("total", e.Total), slog.Duration("decode", e.Decode), slog.Duration("queue", e.Queue), slog.Duration("run", e.Run), slog.Duration("encode", e.Encode),
	}
	if e.Err != nil {
		attributes = append(attributes, slog.String("error", e.Err.Error()))
	}
	if p, ok := errors.AsType[*panicError](e.Err); ok {
		attributes = append(attributes, slog.String("stack", string(p.stack)))
	}
	if parent := traceParent(e.Context); parent != "" {
		attributes = append(attributes, slog.String("traceparent", parent))
	}
	l.LogAttrs(context.WithoutCancel(e.Context), level, "request", attributes...)
}

func (*logger) Run(RunEvent) {}

func (l *logger) Load(e LoadEvent) {
	if e.Err != nil {
		l.Error("load", "model", e.Model, "version", e.Version, "duration", e.Duration, "error", e.Err.Error())
		return
	}
	if e.Unchanged {
		l.Info("load", "model", e.Model, "version", e.Version, "unchanged", true)
		return
	}
	l.Info("load", "model", e.Model, "version", e.Version, "duration", e.Duration, "weight_bytes", e.WeightBytes, "arena_bytes", e.ArenaBytes)
}

// traceKey is the key of the traceparent header in the context of a request.
type traceKey struct{}

// traceParent returns the header traceparent of the request of a context, "" without one.
func traceParent(ctx context.Context) string {
	parent, _ := ctx.Value(traceKey{}).(string)
	return parent
}

// WithTraceParent returns a context of a request that bears the header traceparent.
func WithTraceParent(ctx context.Context, parent string) context.Context {
	return context.WithValue(ctx, traceKey{}, parent[:min(len(parent), 128)])
}

//go:build unix && !noserve

package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// reloadSignals returns a channel of the signals that ask for models to be loaded anew.
func reloadSignals(ctx context.Context) <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	context.AfterFunc(ctx, func() { signal.Stop(c) })
	return c
}

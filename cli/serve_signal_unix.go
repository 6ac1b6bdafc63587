//go:build unix && !noserve

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// reloadSignals returns a channel of the signals that ask for models to be loaded anew. They never end the process from then on.
func reloadSignals() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c
}

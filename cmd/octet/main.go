// Command octet inspects, quantizes, evaluates, runs and measures models.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	a := newApp(os.Stdout, os.Stderr)
	a.limits.exit = os.Exit
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

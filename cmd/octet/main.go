// Command octet inspects, quantizes, evaluates, runs and measures models.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx := untilInterrupted()
	os.Exit(command(ctx))
}

// untilInterrupted returns a context that ends with the first SIGINT or SIGTERM. Before anything else is done: until then
// a signal ends the process as if it were not handled at all.
func untilInterrupted() context.Context {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // until the process ends
	return ctx
}

// command executes the command line of the process and returns the exit code.
func command(ctx context.Context) int {
	a := newApp(os.Stdout, os.Stderr)
	a.limits.exit = os.Exit
	return a.run(ctx, os.Args[1:])
}

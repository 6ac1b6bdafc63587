// Package cli is the command line of octet, for programs that know architectures of their own: all of its commands take them by name, with
// --arch, beside the built-in ones.
//
//	func main() { cli.Main(mynet.Architecture()) }
package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/octet-ml/octet/graph/nn"
)

// Program is a program with the command line of octet.
type Program struct {
	Name string // in messages and help; "" is octet
	// Architectures are those that --arch takes beside the built-in ones. One with the name of a built-in one takes its place.
	Architectures []nn.Architecture
}

// Main runs the command line of this process over architectures of one's own, and ends the process with its exit code.
func Main(architectures ...nn.Architecture) { Program{Architectures: architectures}.Main() }

// Main runs the command line of this process, and ends the process with its exit code. The first SIGINT or SIGTERM ends the context of
// what runs, and what does not end by itself then is ended.
func (p Program) Main() { os.Exit(p.process(untilInterrupted())) }

// Run runs one command line, without the name of the program in front, and returns its exit code: 0 ok, 1 failed, 2 usage, 3 file
// rejected, 4 unsupported operator, 5 accuracy target missed. Data goes to stdout, what is for people to stderr.
func (p Program) Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return p.app(stdout, stderr).run(ctx, args)
}

// process is Run of the command line of the process.
func (p Program) process(ctx context.Context) int {
	a := p.app(os.Stdout, os.Stderr)
	a.limits.exit = os.Exit
	return a.run(ctx, os.Args[1:])
}

func (p Program) app(stdout, stderr io.Writer) *app {
	a := newApp(stdout, stderr)
	a.architectures = p.Architectures
	if p.Name != "" {
		a.name = p.Name
	}
	return a
}

// untilInterrupted returns a context that ends with the first SIGINT or SIGTERM. Before anything else is done: until then
// a signal ends the process as if it were not handled at all.
func untilInterrupted() context.Context {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // until the process ends
	return ctx
}

//go:build noserve

package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/ops"
)

// noServe says that this build can do nothing over a network, and how one is made that can.
func noServe(what string) error {
	return usagef("%s: this program was built without serving (tag noserve); build it without that tag: go run ./internal/release -local", what)
}

func (a *app) serve() *cobra.Command {
	return &cobra.Command{
		Use:                "serve",
		Short:              "Not in this program, which was built without serving (tag noserve)",
		DisableFlagParsing: true, // whatever is given has the same answer
		RunE:               func(*cobra.Command, []string) error { return noServe("serve") },
	}
}

// serverBench knows whether any flag was given that is for a server.
type serverBench struct{ url string }

// flags takes those for a server, with or without values, so that they have an answer.
func (b *serverBench) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	for _, name := range append([]string{"url"}, serverFlags...) {
		flags.StringVar(&b.url, name, "", "")
		f := flags.Lookup(name)
		f.Hidden, f.NoOptDefVal = true, "given"
	}
}

func (b *serverBench) check(*cobra.Command, []string, *bench.Sweep) error { return nil }

func (a *app) benchServer(context.Context, *serverBench, []string, []ops.Type, int) error {
	return noServe("bench --url")
}

//go:build !unix && !noserve

package cli

import (
	"context"
	"os"
)

// reloadSignals returns nil: there is no such signal here.
func reloadSignals(context.Context) <-chan os.Signal { return nil }

//go:build !unix && !noserve

package cli

import "os"

// reloadSignals returns nil: there is no such signal here.
func reloadSignals() <-chan os.Signal { return nil }

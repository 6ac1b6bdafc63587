//go:build !pprof && !noserve

package cli

import "net/http"

// profiles shows nothing without the tag pprof.
func profiles(*http.ServeMux) {}

//go:build pprof && !noserve

package cli

import (
	"net/http"
	"net/http/pprof"
)

// profiles shows profiles of the process at --admin-addr, as go tool pprof asks for them. They are 0.4 MB of the program, which is
// why a tag asks for them.
func profiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

//go:build !noserve

package cli

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/octet-ml/octet/serve/prom"
)

// TestProfiles asks for a profile where the build has the tag pprof, and else finds none.
func TestProfiles(t *testing.T) {
	mux := http.NewServeMux()
	profiles(mux)
	_, pattern := mux.Handler(httptest.NewRequest("GET", "/debug/pprof/heap", nil))
	want := http.StatusNotFound
	if pattern != "" {
		want = http.StatusOK
	}
	w := httptest.NewRecorder()
	adminHandler(prom.New(prom.Build{})).ServeHTTP(w, httptest.NewRequest("GET", "/debug/pprof/heap", nil))
	if w.Code != want {
		t.Errorf("a profile of the heap: status %d, want %d", w.Code, want)
	}
}

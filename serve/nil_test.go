package serve

import (
	"context"
	"testing"
)

// TestNoContext gives no context to what takes one.
func TestNoContext(t *testing.T) {
	s := newServer(t, Options{})
	source := Graph(linearModel(t, 2, 2))
	if err := s.Load(t.Context(), "m", source); err != nil {
		t.Fatal(err)
	}
	var none context.Context
	_, infer := s.Infer(none, "m")
	for name, err := range map[string]error{"Infer": infer, "Load": s.Load(none, "n", source), "Reload": s.Reload(none), "Stop": s.Stop(none)} {
		if CodeOf(err) != InvalidArgument {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

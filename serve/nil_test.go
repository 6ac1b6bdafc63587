package serve

import "testing"

// TestNoContext gives no context to what takes one.
func TestNoContext(t *testing.T) {
	s := newServer(t, Options{})
	source := Graph(linearModel(t, 2, 2))
	if err := s.Load(t.Context(), "m", source); err != nil {
		t.Fatal(err)
	}
	_, infer := s.Infer(nil, "m")
	for name, err := range map[string]error{"Infer": infer, "Load": s.Load(nil, "n", source), "Reload": s.Reload(nil), "Stop": s.Stop(nil)} {
		if CodeOf(err) != InvalidArgument {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

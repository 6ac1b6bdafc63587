package loader

import (
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/tensor"
)

// TestCheckpointWrapped reads checkpoints with tensors beside their state_dict, of complex numbers, and
// state_dicts of compiled modules.
func TestCheckpointWrapped(t *testing.T) {
	for _, name := range []string{"ck_tutorial.pth", "ck_loss_grad.pth", "compiled_prefix.pth", "complex.pth"} {
		t.Run(name, func(t *testing.T) {
			dir := shareddata.Path(t, "cases", "weights")
			w, err := StateDict(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			want, err := tensor.ReadNPZ(filepath.Join(dir, name+".want.npz"), 0)
			if err != nil {
				t.Fatal(err)
			}
			if w.Len() != len(want.Names()) {
				t.Errorf("tensors %v, want %v", w.Names(), want.Names())
			}
			for _, n := range want.Names() {
				if got := w.Get(n); got == nil {
					t.Errorf("%s is missing", n)
				} else if why := differ(got, want.Get(n), 0, 0); why != "" {
					t.Errorf("%s: %s", n, why)
				}
			}
		})
	}
}

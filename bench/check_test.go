package bench

import (
	"context"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestCheckKernels checks every kernel that this CPU has, and that there is a case for every operation of the table.
func TestCheckKernels(t *testing.T) {
	cases, ran := kernelCases(), 0
	for _, k := range asm.Kernels() {
		if _, ok := cases[k.Op]; !ok && !strings.HasPrefix(k.Op, "peak_") { // which compute nothing
			t.Errorf("kernelCases in check_cases.go has none for %s", k.Op)
		}
	}
	err := CheckKernels(context.Background(), asm.Supported(), func(k KernelCheck) {
		ran++
		if k.Status != checkOK && !(k.Status == checkNotRun && strings.HasPrefix(k.Op, "winograd")) {
			t.Errorf("%s, %s: %s: %s", k.Op, k.Tier, k.Status, k.Reason)
		}
		if k.Status == checkOK && (k.Micros <= 0 || k.PlainMicros <= 0) {
			t.Errorf("%s, %s: took %v and %v", k.Op, k.Tier, k.Micros, k.PlainMicros)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(asm.Supported()) > 1 && ran < 20 {
		t.Errorf("only %d kernels were checked", ran)
	}
}

// TestCheckKernelsWrong finds one wrong element.
func TestCheckKernelsWrong(t *testing.T) {
	wrong := func(dtype tensor.DType, at int, by byte, tolerance float64) kernelCase {
		return kernelCase{one(func(tier asm.Tier) (func() error, []*tensor.Tensor, error) {
			x, err := tensor.New(dtype, 5, 7)
			return func() error {
				if tier != asm.Generic {
					x.Bytes()[at] = by
				}
				return nil
			}, []*tensor.Tensor{x}, err
		}), tolerance}
	}
	other := asm.Generic + 1
	for name, c := range map[string]struct {
		kernelCase
		want string
	}{
		"integers": {wrong(tensor.Uint8, 34, 1, 0), checkDiffers},
		"float32":  {wrong(tensor.Float32, 4*34+3, 0x40, 1e-3), checkDiffers},
		"NaN":      {wrong(tensor.Float32, 4*34+3, 0xff, 1e-3), checkDiffers},
		"same":     {wrong(tensor.Uint8, 34, 0, 0), checkOK},
	} {
		got := c.check(other)
		if got.Status != c.want || got.Wrong() != (c.want == checkDiffers) || got.Wrong() && !strings.Contains(got.Reason, "element 34") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

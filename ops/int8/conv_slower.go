package int8

import (
	"fmt"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
)

// slowerThanFloat returns a warning where a convolution probably takes longer than in float32, "" elsewhere. That is known of
// 3x3 convolutions on CPUs without dot products of bytes, where float32 takes Winograd's algorithm and integers cannot, as
// where weights have zero points: plan is nil for the direct form.
func (op Conv) slowerThanFloat(l *layer, w *ops.Window, plan *winograd) string {
	switch l.g.Tier {
	case asm.AVX2, asm.AVX512, asm.NEON:
	default:
		return ""
	}
	float := op.float().WinogradTime(l.p, w) / 1000
	if float == 0 {
		return ""
	}
	ns := l.directTime(w)
	if plan != nil {
		ns = plan.time()
	}
	ms := ns / 1e6 / float64(w.Batch)
	if 0.9*ms <= float {
		return ""
	}
	return fmt.Sprintf("slower than in float32, which has Winograd's algorithm: %.2f for %.2f ms by estimate, of one image on one thread", ms, float)
}

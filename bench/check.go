package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// KernelCheck is what one row of the kernel table gave, compared with plain Go on the same values.
type KernelCheck struct {
	Op   string `json:"op"`
	Tier string `json:"tier"`
	// Status is "ok", "differs", "not run" where no layer that was tried takes the kernel, or "failed".
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
	// MaxError is the largest difference over the largest value, of float32 results; integers must be equal.
	MaxError float64 `json:"max_error"`
	// Micros and PlainMicros are what a call takes, and the same in plain Go, the least of some.
	Micros      float64 `json:"us"`
	PlainMicros float64 `json:"plain_us"`
}

// The outcomes of a check.
const (
	checkOK      = "ok"
	checkDiffers = "differs"
	checkNotRun  = "not run"
	checkFailed  = "failed"
)

// Wrong reports whether the kernel is not what plain Go is.
func (c KernelCheck) Wrong() bool { return c.Status == checkDiffers || c.Status == checkFailed }

// CheckKernels runs each kernel of each of the tiers against plain Go, on this machine, and calls yield with each result as it comes.
// Of integers all must be equal; float32 results may differ as the order of their sums does.
func CheckKernels(ctx context.Context, tiers []asm.Tier, yield func(KernelCheck)) error {
	cases := kernelCases()
	for _, row := range asm.Kernels() {
		c, ok := cases[row.Op]
		if row.Tier == asm.Generic || !ok || !hasTier(tiers, row.Tier) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		k := c.check(row.Tier)
		k.Op, k.Tier = row.Op, row.Tier.String()
		yield(k)
	}
	return nil
}

func hasTier(tiers []asm.Tier, tier asm.Tier) bool {
	for _, t := range tiers {
		if t == tier {
			return true
		}
	}
	return false
}

// kernelCase computes something with a kernel of a tier.
type kernelCase struct {
	prepare   []prepareFunc // the first that takes the kernel is run
	tolerance float64       // of float32 results, over the largest; 0: the same bits
}

// prepareFunc returns what computes something with the kernels of a tier, and where the results are then. The error is errNotChosen where
// the kernel is not among them, as may well be in plain Go.
type prepareFunc func(tier asm.Tier) (run func() error, out []*tensor.Tensor, err error)

var errNotChosen = errors.New("no layer that was tried takes it")

// check compares a tier with plain Go.
func (c kernelCase) check(tier asm.Tier) KernelCheck {
	for _, prepare := range c.prepare {
		got, took, err := prepare.results(tier)
		if err == errNotChosen {
			continue
		}
		var want []*tensor.Tensor
		var plain time.Duration
		if err == nil {
			if want, plain, err = prepare.results(asm.Generic); err == errNotChosen {
				err = nil
			}
		}
		if err != nil {
			return KernelCheck{Status: checkFailed, Reason: err.Error()}
		}
		k := KernelCheck{Status: checkOK, Micros: micros(took), PlainMicros: micros(plain)}
		for i := range want {
			if k.Reason = c.compare(got[i], want[i], &k.MaxError); k.Reason != "" {
				k.Status = checkDiffers
				break
			}
		}
		return k
	}
	return KernelCheck{Status: checkNotRun, Reason: errNotChosen.Error()}
}

// A kernel is called so often, or for so long, but twice at least; the quickest call counts.
const (
	mostCalls = 20
	mostTimed = 20 * time.Millisecond
)

// results runs a tier's kernel and returns copies of what it computed, and what a call took.
func (f prepareFunc) results(tier asm.Tier) ([]*tensor.Tensor, time.Duration, error) {
	run, out, chosen := f(tier)
	if run == nil || chosen == errNotChosen && tier != asm.Generic {
		return nil, 0, chosen
	}
	least := time.Duration(math.MaxInt64)
	var first []*tensor.Tensor
	for i, begin := 0, time.Now(); i < 2 || i < mostCalls && time.Since(begin) < mostTimed; i++ {
		start := time.Now()
		if err := run(); err != nil {
			return nil, 0, err
		}
		least = min(least, time.Since(start))
		if first == nil {
			for _, t := range out {
				first = append(first, t.Clone())
			}
		}
	}
	return first, least, chosen
}

// compare says how a result differs from what it should be, "" where it does not.
func (c kernelCase) compare(got, want *tensor.Tensor, worst *float64) string {
	if want.DType() != tensor.Float32 || c.tolerance == 0 {
		g, w := got.Bytes(), want.Bytes()
		if bytes.Equal(g, w) {
			return ""
		}
		size, at := want.DType().Size(), 0
		for g[at] == w[at] {
			at++
		}
		return fmt.Sprintf("element %d of %v is not the same", at/size, want)
	}
	g, w := got.Float32s(), want.Float32s()
	largest := 0.0
	for _, v := range w {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i := range w {
		off := math.Abs(float64(g[i])-float64(w[i])) / max(largest, math.SmallestNonzeroFloat32)
		if !(off <= c.tolerance) {
			return fmt.Sprintf("element %d of %v is %v, not %v", i, want, g[i], w[i])
		}
		*worst = max(*worst, off)
	}
	return ""
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/internal/table"
	"github.com/octet-ml/octet/ops/asm"
)

// errKernelsDiffer ends octet cpu --check where a kernel is wrong on this CPU.
var errKernelsDiffer = errors.New("kernels differ from plain Go on this CPU: please send what was printed; --cpu generic runs without them")

// checkKernels compares the kernels of all tiers, or of those up to the one asked for, with plain Go.
func (a *app) checkKernels(ctx context.Context, r cpuResult) error {
	best, err := asm.Resolve("")
	if err != nil {
		return err
	}
	tiers := asm.Supported()
	if a.tier != best || os.Getenv("OCTET_CPU") != "" { // a tier was asked for
		tiers = slices.DeleteFunc(tiers, func(t asm.Tier) bool { return !a.tier.Includes(t) })
	}
	rows := 0
	for _, k := range asm.Kernels() {
		if k.Tier != asm.Generic && slices.Contains(tiers, k.Tier) {
			rows++
		}
	}
	bar := a.progress("checking kernels", rows)
	err = bench.CheckKernels(ctx, tiers, func(k bench.KernelCheck) {
		r.Checks = append(r.Checks, k)
		bar.set(len(r.Checks))
	})
	bar.end()
	if err != nil {
		return err
	}
	if a.json {
		err = a.printJSON(r)
	} else {
		err = a.printChecks(r)
	}
	for _, k := range r.Checks {
		if k.Wrong() {
			return errors.Join(err, errKernelsDiffer)
		}
	}
	return err
}

// printChecks prints the checks as a text to send along.
func (a *app) printChecks(r cpuResult) error {
	fmt.Fprintln(a.out, runtime.Version())
	a.printHead(r.CPU)
	t := table.NewWriter(a.out, 0)
	fmt.Fprintln(t, "operation\ttier\tus\tplain Go us\ttimes\terror\tresult")
	for _, k := range r.Checks {
		if k.PlainMicros == 0 {
			fmt.Fprintf(t, "%s\t%s\t\t\t\t\t%s: %s\n", k.Op, k.Tier, k.Status, k.Reason)
			continue
		}
		result := k.Status
		if k.Reason != "" {
			result += ": " + k.Reason
		}
		fmt.Fprintf(t, "%s\t%s\t%.1f\t%.1f\t%.1f\t%.1g\t%s\n", k.Op, k.Tier, k.Micros, k.PlainMicros, k.PlainMicros/max(k.Micros, 0.001), k.MaxError, result)
	}
	if len(r.Checks) == 0 {
		fmt.Fprintln(t, "no kernels but those of plain Go on this CPU, or with this --cpu")
	}
	return t.Flush()
}

package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
)

func (a *app) cpuInfo() *cobra.Command {
	return &cobra.Command{
		Use:   "cpu",
		Short: "Show the CPU's tiers, the chosen kernels and the measured limits",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			r := cpuResult{CPU: bench.DescribeCPU(a.tier)}
			for _, k := range kernelsFor(a.tier) {
				r.Kernels = append(r.Kernels, kernelResult{k.Op, k.Tier.String(), k.MR, k.NR, k.KR})
			}
			threads := []int{1}
			if r.CPU.Cores > 1 {
				threads = append(threads, r.CPU.Cores)
			}
			if len(a.threads) > 0 {
				threads = a.threads
			}
			for _, n := range threads {
				r.CPU.Limits = append(r.CPU.Limits, bench.MeasureLimits(a.tier, n))
			}
			if a.json {
				return a.printJSON(r)
			}
			return a.printCPU(r)
		},
	}
}

// cpuResult is the document of cpu --json.
type cpuResult struct {
	CPU     bench.CPU      `json:"cpu"`
	Kernels []kernelResult `json:"kernels"`
}

type kernelResult struct {
	Op   string `json:"op"`
	Tier string `json:"tier"`
	MR   int    `json:"mr,omitempty"`
	NR   int    `json:"nr,omitempty"`
	KR   int    `json:"kr,omitempty"`
}

func (a *app) printCPU(r cpuResult) error {
	fmt.Fprintf(a.out, "%s, %s/%s, %d cores\ntiers: %s; in use: %s\n\n",
		r.CPU.Name, r.CPU.OS, r.CPU.Arch, r.CPU.Cores, strings.Join(r.CPU.Tiers, ", "), r.CPU.Tier)
	t := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "operation\tkernel\ttile")
	for _, k := range r.Kernels {
		tile := ""
		if k.MR > 0 {
			tile = fmt.Sprintf("%d x %d x %d", k.MR, k.NR, k.KR)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", k.Op, k.Tier, tile)
	}
	fmt.Fprintln(t, "\nthreads\tfloat32 Gop/s\tint8 Gop/s\tmemory read GB/s")
	for _, l := range r.CPU.Limits {
		fmt.Fprintf(t, "%d\t%.0f\t%.0f\t%.1f\n", l.Threads, l.F32Gops, l.Int8Gops, l.ReadGBs)
	}
	return t.Flush()
}

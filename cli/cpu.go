package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/internal/fastcores"
	"github.com/octet-ml/octet/internal/table"
)

func (a *app) cpuInfo() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "cpu",
		Short: "Show the CPU's tiers, the chosen kernels and the measured limits",
		Long: `cpu shows the tiers of the CPU, the kernel that is chosen for each operation, and what
the machine reaches, and says what would be faster and why it is not. Where it has fast and slow cores, it says which are fast: commands take as many threads
as there are.

--check runs every kernel of every tier that this CPU has, on values of its own, and compares
the results with those of plain Go: integers must be equal, floats nearly. It prints what each took,
a text to send along when something is wrong or slow. The exit code is 1 where one differs.`,
		Example: `  octet cpu
  octet cpu --check --cpu avx2`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r := cpuResult{CPU: bench.DescribeCPU(a.tier)}
			if check {
				return a.checkKernels(cmd.Context(), r)
			}
			kernels := kernelsFor(a.tier)
			r.Hints = a.speedFacts().hints(kernels)
			for _, k := range kernels {
				r.Kernels = append(r.Kernels, kernelResult{k.Op, k.Tier.String(), k.MR, k.NR, k.KR})
			}
			threads := []int{1}
			if n := fastcores.Threads(); n > 1 {
				threads = append(threads, n)
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
	cmd.Flags().BoolVar(&check, "check", false, "compare every kernel of this CPU with plain Go, with timings to send along")
	return cmd
}

// cpuResult is the document of cpu --json.
type cpuResult struct {
	CPU     bench.CPU           `json:"cpu"`
	Kernels []kernelResult      `json:"kernels,omitempty"`
	Hints   []string            `json:"hints,omitempty"`  // what would be faster, and why it is not
	Checks  []bench.KernelCheck `json:"checks,omitempty"` // of --check
}

type kernelResult struct {
	Op   string `json:"op"`
	Tier string `json:"tier"`
	MR   int    `json:"mr,omitempty"`
	NR   int    `json:"nr,omitempty"`
	KR   int    `json:"kr,omitempty"`
}

// printHead says what the CPU is.
func (a *app) printHead(c bench.CPU) {
	fmt.Fprintf(a.out, "%s, %s/%s, %d cores\n", c.Name, c.OS, c.Arch, c.Cores)
	if here := fastcores.Here(); len(c.FastCores) > 0 {
		fmt.Fprintf(a.out, "fast cores: %s of %d, by %s; threads by default: %d\n", numbers(c.FastCores), len(here.All), here.Source, fastcores.Threads())
	}
	fmt.Fprintf(a.out, "tiers: %s; in use: %s\n\n", strings.Join(c.Tiers, ", "), c.Tier)
}

// numbers lists numbers in order, those in a row as 4-7.
func numbers(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		last := i
		for last+1 < len(list) && list[last+1] == list[last]+1 {
			last++
		}
		part := strconv.Itoa(list[i])
		if last > i {
			part += "-" + strconv.Itoa(list[last])
		}
		parts = append(parts, part)
		i = last + 1
	}
	return strings.Join(parts, ",")
}

func (a *app) printCPU(r cpuResult) error {
	a.printHead(r.CPU)
	t := table.NewWriter(a.out, 0)
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
	if err := t.Flush(); err != nil {
		return err
	}
	for i, h := range r.Hints {
		if i == 0 {
			fmt.Fprintln(a.out)
		}
		fmt.Fprintln(a.out, h)
	}
	return nil
}

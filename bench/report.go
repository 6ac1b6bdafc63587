package bench

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/octet-ml/octet/internal/fastcores"
	"github.com/octet-ml/octet/internal/table"
	"github.com/octet-ml/octet/ops/asm"
)

// CPU describes the machine that results come from.
type CPU struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Name  string `json:"name,omitempty"`
	Cores int    `json:"cores"`
	// FastCores are the numbers of the fast cores, where the CPU has slow ones too: there are as many threads by default.
	FastCores []int    `json:"fast_cores,omitempty"`
	Tier      string   `json:"tier"`  // the strongest of the kernels that ran
	Tiers     []string `json:"tiers"` // that the machine has
	Limits    []Limits `json:"limits,omitempty"`
}

// DescribeCPU describes this machine, running with the given tier.
func DescribeCPU(tier asm.Tier) CPU {
	c := CPU{OS: runtime.GOOS, Arch: runtime.GOARCH, Name: asm.CPUName(), Cores: runtime.NumCPU(), Tier: tier.InUse().String()}
	for _, t := range asm.Supported() {
		c.Tiers = append(c.Tiers, t.String())
	}
	if here := fastcores.Here(); len(here.Fast) < len(here.All) {
		c.FastCores = here.Fast
	}
	return c
}

// Measurements are the results of a whole measurement.
type Measurements struct {
	CPU     CPU      `json:"cpu"`
	Results []Result `json:"results"`
}

// WriteTable writes the results for people; the speed-up is that of the
// median over float32 with the same model, threads and batch.
func (r *Measurements) WriteTable(w io.Writer) error {
	t := table.NewWriter(w, table.AlignRight)
	clients := slices.ContainsFunc(r.Results, func(x Result) bool { return x.Clients > 1 })
	atATime := func(cell string) string {
		if !clients {
			return ""
		}
		return "\t" + cell
	}
	fmt.Fprintf(t, "model\tprecision\tthreads%s\tbatch\truns\tmin ms\tmedian ms\tp90 ms\tp99 ms\tsamples/s\tGop/s\t%% of peak\tload ms\tpeak MB\tallocs\tspeed-up\t\n", atATime("clients"))
	for _, x := range r.Results {
		speedUp := ""
		for _, f := range r.Results {
			if x.Precision != Float32 && x.comparesWith(f) && x.MedianMs > 0 {
				speedUp = fmt.Sprintf("%.2f", f.MedianMs/x.MedianMs)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%d%s\t%d\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t%s\t\n",
			x.Model, x.Precision, x.Threads, atATime(strconv.Itoa(x.Clients)), x.Batch, x.Runs, x.MinMs, x.MedianMs, x.P90Ms, x.P99Ms, x.PerSecond, x.Gops, x.PercentOfPeak, x.LoadMs, x.PeakRSSMB, x.AllocsPerRun, speedUp)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, x := range r.Results {
		if err := writeSlower(w, x); err != nil {
			return err
		}
	}
	for _, x := range r.Results {
		if len(x.Layers) > 0 {
			if err := writeLayers(w, x); err != nil {
				return err
			}
		}
	}
	return nil
}

func writeLayers(w io.Writer, r Result) error {
	fmt.Fprintf(w, "\n%s, %s, %d threads, batch %d: slowest layers first\n", r.Model, r.Precision, r.Threads, r.Batch)
	t := table.NewWriter(w, 0)
	fmt.Fprintln(t, "layer\toperator\tms\tfloat32 ms\tshare\tGop/s\t% of peak\tGB/s\tMB\tpacked MB\tkernel")
	for _, l := range r.Layers {
		float := ""
		if l.Float32Ms > 0 {
			float = fmt.Sprintf("%.3f", l.Float32Ms)
		}
		if slices.ContainsFunc(r.Slower, func(s SlowerLayer) bool { return s.Name == l.Name }) && l.int8 {
			float += " (faster)"
		}
		fmt.Fprintf(t, "%s\t%s\t%.3f\t%s\t%.1f %%\t%.1f\t%.1f\t%.1f\t%.2f\t%.2f\t%s\n",
			l.Name, l.Op, l.Ms, float, 100*l.Share, l.Gops, l.PercentOfPeak, l.GBs, float64(l.Bytes)/(1<<20), float64(l.PackedBytes)/(1<<20), l.Kernel)
	}
	return t.Flush()
}

// WriteGo writes the results as Go benchmarks do, for benchstat: up to ten
// lines each, of the runs in order.
func (r *Measurements) WriteGo(w io.Writer) error {
	fmt.Fprintf(w, "goos: %s\ngoarch: %s\n", r.CPU.OS, r.CPU.Arch)
	if r.CPU.Name != "" {
		fmt.Fprintf(w, "cpu: %s\n", r.CPU.Name)
	}
	for _, x := range r.Results {
		samples := min(10, len(x.Times))
		for i := range samples {
			part := x.Times[i*len(x.Times)/samples : (i+1)*len(x.Times)/samples]
			var total time.Duration
			for _, d := range part {
				total += d
			}
			ns := float64(total.Nanoseconds()) / float64(len(part))
			gops := 0.0
			if ns > 0 {
				gops = x.Gops * x.MedianMs * 1e6 / ns
			}
			if _, err := fmt.Fprintf(w, "BenchmarkModel/model=%s/precision=%s/batch=%d-%d\t%d\t%.0f ns/op\t%.2f Gop/s\t%d allocs/op\n",
				x.Model, x.Precision, x.Batch, x.Threads, len(part), ns, gops, x.AllocsPerRun); err != nil {
				return err
			}
		}
	}
	return nil
}

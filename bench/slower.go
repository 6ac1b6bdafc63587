package bench

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/internal/table"
)

// SlowerLayer is a module whose int8 operators, with all else that it computes, take longer than its float32 form.
type SlowerLayer struct {
	Name      string  `json:"name"`
	Ms        float64 `json:"ms"`
	Float32Ms float64 `json:"float32_ms"`
}

// slowerBy is the ratio of times from which a layer counts as slower: they are measured only so well.
const slowerBy = 1.05

// CompareLayers sets, in each result of int8 whose layers were measured, the times of its modules in float32, and names those that
// are slower. The float32 form is that of the result with the same model, threads and batch; modules are matched by their path.
func (r *Measurements) CompareLayers() {
	for i := range r.Results {
		x := &r.Results[i]
		for _, f := range r.Results {
			if x.Precision != Float32 && x.comparesWith(f) {
				x.Slower = slowerLayers(x.profile, f.profile)
			}
		}
	}
}

// comparesWith reports whether f is the float32 form of what x measured.
func (x Result) comparesWith(f Result) bool {
	return f.Precision == Float32 && f.Model == x.Model && f.Threads == x.Threads && f.Batch == x.Batch
}

// slowerLayers sets Float32Ms of int8 layers, and returns the modules that are slower than in float32, those that lose most first.
// Both the medians and the least times must say so, since what else the machine does only adds to a time.
func slowerLayers(int8, float []LayerProfile) []SlowerLayer {
	quantized, reference := moduleTimes(int8), moduleTimes(float)
	var slower []SlowerLayer
	for i := range int8 {
		l := &int8[i]
		q, f := quantized[l.Name], reference[l.Name]
		if l.Name == "" || !l.int8 || f.median == 0 {
			continue
		}
		l.Float32Ms = milliseconds(f.median)
		listed := slices.ContainsFunc(slower, func(s SlowerLayer) bool { return s.Name == l.Name })
		if exceeds(q.median, f.median) && exceeds(q.least, f.least) && !listed {
			slower = append(slower, SlowerLayer{l.Name, milliseconds(q.median), l.Float32Ms})
		}
	}
	sorting.Func(slower, func(a, b SlowerLayer) int { return cmp.Compare(b.Ms-b.Float32Ms, a.Ms-a.Float32Ms) })
	return slower
}

func exceeds(int8, float time.Duration) bool { return float64(int8) > slowerBy*float64(float) }

// moduleTime is what all steps of a module take.
type moduleTime struct{ median, least time.Duration }

func moduleTimes(layers []LayerProfile) map[string]moduleTime {
	times := make(map[string]moduleTime)
	for _, l := range layers {
		t := times[l.Name]
		times[l.Name] = moduleTime{t.median + l.Time, t.least + l.least}
	}
	return times
}

// writeSlower names the modules of a result that are slower than in float32.
func writeSlower(w io.Writer, r Result) error {
	if len(r.Slower) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\n%s, %s, %d threads, batch %d: slower here than in float32 (octet tune leaves such modules in float32)\n", r.Model, r.Precision, r.Threads, r.Batch)
	t := table.NewWriter(w, 0)
	fmt.Fprintln(t, "layer\tms\tfloat32 ms")
	for _, l := range r.Slower {
		fmt.Fprintf(t, "%s\t%.3f\t%.3f\n", l.Name, l.Ms, l.Float32Ms)
	}
	return t.Flush()
}

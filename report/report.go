// Package report presents what quantizing a model did to it: as tables on a
// terminal, as JSON, and as one HTML file that needs nothing else. It sets two
// such reports side by side, too.
package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/internal/table"
	"github.com/octet-ml/octet/quantize"
)

// Report is all there is to say about a quantized model.
type Report struct {
	Model   string `json:"model"`
	Backend string `json:"backend"`
	// Observer is the kind of observer that chose the ranges of activations.
	Observer  string  `json:"observer"`
	Float     Figures `json:"float32"`
	Quantized Figures `json:"quantized"`
	// Metric says what Right and Value of the figures are; "" without labels.
	Metric    string           `json:"metric,omitempty"`
	Agreement *bench.Agreement `json:"agreement,omitempty"`
	// Outputs compares the quantized model's with the float model's.
	Outputs []bench.OutputDifference `json:"outputs,omitempty"`
	// Uncompared says which outputs have other shapes than the float model's, as where a detector finds another number of boxes.
	Uncompared []string `json:"uncompared,omitempty"`
	quantize.Report
	// TunedBy is the metric that Tuning has the values of.
	TunedBy string `json:"tuned_by,omitempty"`
	// Tuning is how the modules left in float were found, if they were.
	Tuning *quantize.Tuning `json:"tuning,omitempty"`
	// Origin says how the report was made; nil where nobody told.
	Origin *Origin `json:"origin,omitempty"`
}

// Origin says when, where and from what a report was made.
type Origin struct {
	Time        time.Time `json:"time"`
	Version     string    `json:"octet"` // of octet
	Go          string    `json:"go"`    // version
	CPU         bench.CPU `json:"cpu"`
	Threads     int       `json:"threads"` // of a run
	Calibration string    `json:"calibration,omitempty"`
	Evaluation  string    `json:"evaluation,omitempty"` // what was evaluated on
	Command     string    `json:"command,omitempty"`
}

// Figures are those of a whole model.
type Figures struct {
	Bytes   int64    `json:"bytes"`             // of its constants
	N       int      `json:"n,omitempty"`       // samples of the evaluation
	Right   *int     `json:"right"`             // of what the metric counts, such as samples; null without labels
	Counted int      `json:"counted,omitempty"` // what Right is of; 0: the samples
	Value   *float64 `json:"value,omitempty"`   // of the metric
	Ms      float64  `json:"ms,omitempty"`      // one run
}

// Top1 returns the share that is right, NaN without labels.
func (f Figures) Top1() float64 {
	if f.Right == nil {
		return math.NaN()
	}
	return float64(*f.Right) / float64(f.total())
}

func (f Figures) total() int {
	if f.Counted > 0 {
		return f.Counted
	}
	return max(f.N, 1)
}

// WriteTable writes the report for people to read on a terminal.
func (r *Report) WriteTable(w io.Writer) error {
	t := table.NewWriter(w, 0)
	heads, rows := filled(layerHeads(), r.layerRows())
	for i, h := range heads {
		if i > 0 {
			fmt.Fprint(t, "\t")
		}
		fmt.Fprint(t, h.text)
	}
	fmt.Fprintln(t)
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r.cells, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	r.writeModel(w)
	if r.Tuning != nil {
		if r.TunedBy != "" {
			fmt.Fprintf(w, "\ntuned by %s", r.TunedBy)
		}
		return writeTuning(w, r.Tuning)
	}
	return nil
}

// writeModel writes what concerns the model as a whole.
func (r *Report) writeModel(w io.Writer) {
	line := func(name string, f Figures) {
		fmt.Fprintf(w, "%-10s  %10d bytes", name, f.Bytes)
		if f.Right != nil {
			fmt.Fprintf(w, "  %d of %d right (%.2f %%)", *f.Right, f.total(), 100*f.Top1())
		} else if f.Value != nil {
			fmt.Fprintf(w, "  %.4f", *f.Value)
		}
		if f.Ms > 0 {
			fmt.Fprintf(w, "  %.3f ms", f.Ms)
		}
		fmt.Fprintln(w)
	}
	line("float32", r.Float)
	line("quantized", r.Quantized)
	if a := r.Agreement; a != nil {
		fmt.Fprintf(w, "%-10s  %d of %d (%.2f %%)\n", "same class", a.SameClass, a.N, 100*a.Share())
	}
	if r.Metric != "" {
		fmt.Fprintf(w, "%-10s  %s\n", "metric", r.Metric)
	}
	for _, text := range r.Uncompared {
		fmt.Fprintln(w, text)
	}
	for _, o := range r.Outputs {
		fmt.Fprintf(w, "%-10s  %s: SQNR %.1f dB, cosine %.6f, equal %d of %d\n", o.Name, o.Type, o.SQNR, o.Cosine, o.Equal, o.N)
	}
}

func writeTuning(w io.Writer, t *quantize.Tuning) error {
	fmt.Fprintf(w, "\ntuned to %.4f (float %.4f): %.4f with %d modules in float\n", t.Target, t.Float, t.Accuracy, len(t.Fallback))
	for _, name := range t.Fallback {
		fmt.Fprintf(w, "  %s\n", name)
	}
	tw := table.NewWriter(w, table.AlignRight)
	fmt.Fprintln(tw, "in float\taccuracy\tcost\tmet\t")
	for _, p := range t.Curve {
		met := ""
		if p.Met {
			met = "yes"
		}
		fmt.Fprintf(tw, "%d\t%.4f\t%.3f\t%s\t\n", len(p.Fallback), p.Accuracy, p.Cost, met)
	}
	return tw.Flush()
}

// value returns the activation of that name, nil without one.
func (r *Report) value(name string) *quantize.Value {
	for i := range r.Values {
		if r.Values[i].Name == name {
			return &r.Values[i]
		}
	}
	return nil
}

func clipped(v *quantize.Value) float64   { return v.Clipped }
func saturated(v *quantize.Value) float64 { return v.Saturated }

// worst returns the largest share among some activations, NaN without any.
func (r *Report) worst(share func(*quantize.Value) float64, names ...string) float64 {
	worst := math.NaN()
	for _, name := range names {
		if v := r.value(name); v != nil && !(share(v) <= worst) {
			worst = share(v)
		}
	}
	return worst
}

// The rest formats cells; what does not exist leaves its cell empty.

func decibel(d quantize.Decibel, exists bool) string {
	switch v := float64(d); {
	case !exists || math.IsNaN(v):
		return ""
	case math.IsInf(v, 0):
		return "exact"
	default:
		return fmt.Sprintf("%.1f", v)
	}
}

// pairs is the share of outputs with pairs of products beyond 16 bits, which only int8 layers have.
func pairs(l *quantize.Layer) string {
	if l.Measured == nil || l.Measured.Elements == 0 || l.Precision != "int8" || l.WeightScaleMax == 0 {
		return ""
	}
	return percent(l.Measured.PairSaturation)
}

// percent gives a share in percent, without the sign.
func percent(share float64) string {
	switch {
	case math.IsNaN(share):
		return ""
	case share == 0:
		return "0"
	case share < 1e-4:
		return "<0.01"
	}
	return fmt.Sprintf("%.2f", 100*share)
}

func milliseconds(ms float64) string {
	if ms == 0 {
		return ""
	}
	return fmt.Sprintf("%.3f", ms)
}

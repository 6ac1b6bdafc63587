package loadtest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/octet-ml/octet/internal/table"
)

// Latency are times from when a request was sent, or in an open loop was due, to its answer. Quantiles are exact to 1/1024.
type Latency struct {
	Min  time.Duration `json:"min_ns"`
	Mean time.Duration `json:"mean_ns"`
	P50  time.Duration `json:"p50_ns"`
	P90  time.Duration `json:"p90_ns"`
	P95  time.Duration `json:"p95_ns"`
	P99  time.Duration `json:"p99_ns"`
	P999 time.Duration `json:"p999_ns"`
	Max  time.Duration `json:"max_ns"`
}

// Result says how a server answered.
type Result struct {
	Loop    string        `json:"loop"` // "closed" or "open"
	Clients int           `json:"clients,omitempty"`
	Rate    float64       `json:"rate,omitempty"` // asked for, requests per second
	Elapsed time.Duration `json:"elapsed_ns"`
	Sent    int64         `json:"sent"`
	OK      int64         `json:"ok"`
	// Throughput is the number of requests per second that were answered with success.
	Throughput float64 `json:"throughput"`
	// Statuses counts the answers, by the name that the target gave them: "200", "429", "timeout".
	Statuses map[string]int64 `json:"statuses"`
	// Errors has the first message of each status that is not a success.
	Errors map[string]string `json:"errors,omitempty"`
	// Latency is of the requests that were answered with success, Failed of the others.
	Latency Latency  `json:"latency"`
	Failed  *Latency `json:"failed,omitempty"`
	// Lag is, in an open loop, how much later than it was due a request was sent: it is part of its latency.
	Lag *Latency `json:"lag,omitempty"`
}

// WriteTable writes the result for people to read.
func (r *Result) WriteTable(w io.Writer) error {
	if r.Loop == "open" {
		fmt.Fprintf(w, "open loop     %g requests/s, at random moments\n", r.Rate)
	} else {
		fmt.Fprintf(w, "closed loop   %d clients\n", r.Clients)
	}
	fmt.Fprintf(w, "answered      %d of %d in %.2f s: %.1f requests/s\n", r.OK, r.Sent, r.Elapsed.Seconds(), r.Throughput)
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(r.Statuses)) {
		parts = append(parts, fmt.Sprintf("%s: %d", status, r.Statuses[status]))
	}
	fmt.Fprintf(w, "status        %s\n\n", strings.Join(parts, ", "))
	t := table.NewWriter(w, table.AlignRight)
	fmt.Fprintln(t, "ms\tmin\tmean\tp50\tp90\tp95\tp99\tp99.9\tmax\t")
	row := func(name string, l Latency) {
		fmt.Fprint(t, name, "\t")
		for _, d := range []time.Duration{l.Min, l.Mean, l.P50, l.P90, l.P95, l.P99, l.P999, l.Max} {
			fmt.Fprintf(t, "%.3f\t", float64(d)/float64(time.Millisecond))
		}
		fmt.Fprintln(t)
	}
	row("latency", r.Latency)
	if r.Failed != nil {
		row("failed", *r.Failed)
	}
	if r.Lag != nil {
		row("lag", *r.Lag)
	}
	return t.Flush()
}

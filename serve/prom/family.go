package prom

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/octet-ml/octet/internal/sorting"
)

// labelValues are the values of a family's labels, in order.
type labelValues [4]string

// family is a metric with its labels, as Prometheus's text format 0.0.4 has it.
type family struct {
	name, help, kind string
	labels           []string
	bounds           []float64 // of the buckets of a histogram, upwards, without infinity

	mu     sync.Mutex
	series map[labelValues]*series
}

// series is a family for some values of its labels.
type series struct {
	value  float64  // sum of what was added
	counts []uint64 // of a histogram's buckets, each without those below it; the last has no bound
}

// add adds to the value, and for a histogram counts it.
func (f *family) add(v float64, values ...string) {
	var key labelValues
	copy(key[:], values)
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.series[key]
	if s == nil {
		s = &series{}
		if f.bounds != nil {
			s.counts = make([]uint64, len(f.bounds)+1)
		}
		if f.series == nil {
			f.series = make(map[labelValues]*series)
		}
		f.series[key] = s
	}
	s.value += v
	if f.bounds != nil {
		i, _ := slices.BinarySearch(f.bounds, v)
		s.counts[i]++
	}
}

// append writes the family, its series in order.
func (f *family) append(to []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.series) == 0 {
		return to
	}
	to = append(to, "# HELP "+f.name+" "+f.help+"\n# TYPE "+f.name+" "+f.kind+"\n"...)
	for _, key := range sorting.Collected(maps.Keys(f.series), func(a, b labelValues) int { return slices.CompareFunc(a[:], b[:], cmp.Compare[string]) }) {
		s := f.series[key]
		if f.bounds == nil {
			to = f.line(to, "", key, "", s.value)
			continue
		}
		total := uint64(0)
		for i, n := range s.counts {
			bound := math.Inf(1)
			if i < len(f.bounds) {
				bound = f.bounds[i]
			}
			total += n
			to = f.line(to, "_bucket", key, format(bound), float64(total))
		}
		to = f.line(to, "_sum", key, "", s.value)
		to = f.line(to, "_count", key, "", float64(total))
	}
	return to
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// line writes one value; le is the bound of a bucket, "" for others.
func (f *family) line(to []byte, suffix string, key labelValues, le string, v float64) []byte {
	to = append(to, f.name+suffix...)
	separator := "{"
	label := func(name, value string) {
		to = append(to, separator+name+`="`+escape.Replace(value)+`"`...)
		separator = ","
	}
	for i, name := range f.labels {
		label(name, key[i])
	}
	if le != "" {
		label("le", le)
	}
	if separator == "," {
		to = append(to, '}')
	}
	return append(to, " "+format(v)+"\n"...)
}

func format(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// powers returns n bounds from first on, each twice the one before.
func powers(first float64, n int) []float64 {
	bounds := make([]float64, n)
	for i := range bounds {
		bounds[i] = math.Ldexp(first, i)
	}
	return bounds
}

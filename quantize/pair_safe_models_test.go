package quantize

import (
	"testing"
)

// pairSafeOptions are ways to keep pairs of products within 16 bits, and those that do not.
var pairSafeOptions = []struct {
	name      string
	overrides []Override
}{
	{"default", nil},
	{"pair-safe", []Override{WithPairSafeWeights()}},
	{"7-bit-weights", []Override{WithBits(8, 7)}},
	{"7-bit-activations", []Override{WithBits(7, 8)}},
	{"4-bit-weights", []Override{WithBits(8, 4)}},
	{"4-bit-weights-pair-safe", []Override{WithBits(8, 4), WithPairSafeWeights()}},
}

// BenchmarkPairSafe reports what pair-safe weights cost real models, beside what other runtimes advise: the table in
// docs/quantization.md. One iteration suffices.
func BenchmarkPairSafe(b *testing.B) {
	models := observerModels(b, false)
	for _, m := range models {
		float := classesOf(b, m)
		for _, way := range pairSafeOptions {
			for _, rounding := range []Rounding{Nearest, Learned} {
				b.Run(m.name+"/"+way.name+"/"+rounding.String(), func(b *testing.B) {
					for b.Loop() {
						q := New(Options{Rounding: rounding, CorrectBias: rounding == Learned})
						calibrate(b, q, m.graph, m.calib, way.overrides...)
						g := quantized(b, q, m.graph)
						b.ReportMetric(outputSQNR(b, m.graph, g, m.test), "dB")
						if float == nil {
							continue
						}
						got := classes(b, g, m.test)
						b.ReportMetric(float64(count(got, m.test.labels)), "right")
						b.ReportMetric(float64(count(got, float)), "as-float")
					}
				})
			}
		}
	}
}

// classesOf returns what the float model answers, nil where it does not classify.
func classesOf(t testing.TB, m observerModel) []int64 {
	if m.test.labels == nil {
		return nil
	}
	return classes(t, m.graph, m.test)
}

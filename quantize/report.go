package quantize

import (
	"encoding/json"
	"math"
)

// Report says what became of each operator of a quantized model, and, when a
// Comparison made it, what that costs on the data it ran on.
type Report struct {
	Layers []Layer `json:"layers"`
	Values []Value `json:"values,omitempty"`
}

// Layer is the entry of one operator.
type Layer struct {
	Name      string `json:"name"`      // module path
	Op        string `json:"op"`        // "conv2d"
	Precision string `json:"precision"` // "int8" or "float32"
	Reason    string `json:"reason,omitempty"`
	// WeightScaleMax is the largest scale of the weight, 0 without one; SQNR that of
	// the quantized weight against the float one.
	WeightScaleMax float32 `json:"weight_scale_max"`
	SQNR           Decibel `json:"sqnr_db"`
	// SafePanels is how many of its Panels of 16 output channels have no pair of weights whose products exceed 16 bits whatever the
	// inputs are: CPUs without dot products of bytes then take a faster kernel. Both are 0 where no pairs are added up.
	SafePanels int `json:"safe_panels,omitempty"`
	Panels     int `json:"panels,omitempty"`
	// Inputs and Output name the values that it takes and gives quantized.
	Inputs []string `json:"inputs,omitempty"`
	Output string   `json:"output,omitempty"`
	// Bytes are those of its constants, FloatBytes in the float model.
	Bytes      int `json:"bytes"`
	FloatBytes int `json:"float_bytes"`
	// Measured is what a Comparison saw, nil without.
	Measured *Measured `json:"measured,omitempty"`
}

// Measured is what quantizing the model does to one operator's output.
type Measured struct {
	// Elements is how many values of its output were compared: 0 where the output is
	// not float32, and then SQNR and Cosine say nothing.
	Elements int64 `json:"elements"`
	// SQNR and Cosine compare the output in the quantized model, all errors of what
	// is in front of it included, with the output in the float model: behind the function
	// that alone takes it, where the range is that of the least error there.
	SQNR   Decibel `json:"sqnr_db"`
	Cosine float64 `json:"cosine"`
	// PairSaturation is, of an int8 layer, the share of outputs in which the sum of
	// two neighbouring products would not fit 16 bits: where a runtime that adds pairs by
	// VPMADDUBSW, as many do on CPUs without dot products of bytes, computes something else.
	PairSaturation float64 `json:"pair_saturation"`
	// Ms and FloatMs are the time it takes in each model, when Latency was called.
	Ms      float64 `json:"ms,omitempty"`
	FloatMs float64 `json:"float_ms,omitempty"`
}

// Value is an activation that is quantized.
type Value struct {
	Name      string  `json:"name"`
	Scale     float32 `json:"scale"`
	ZeroPoint int32   `json:"zero_point"`
	// Min and Max are the least and greatest number that can be represented, Least
	// and Greatest those that were seen.
	Min      float32 `json:"min"`
	Max      float32 `json:"max"`
	Least    float32 `json:"least"`
	Greatest float32 `json:"greatest"`
	// Clipped is the share of the float model's values that lie outside by more
	// than half a step, Saturated that of the quantized model's integers at an end that does
	// not stand for 0.
	Clipped   float64    `json:"clipped"`
	Saturated float64    `json:"saturated"`
	Histogram *ValueBins `json:"histogram,omitempty"`
}

// ValueBins count values in bins of one width from First on.
type ValueBins struct {
	First  float64 `json:"first"`
	Width  float64 `json:"width"`
	Counts []int64 `json:"counts"`
}

// Decibel is a ratio of powers. In JSON an infinite one, and what is no number, is null.
type Decibel float64

// MarshalJSON writes the number or null.
func (d Decibel) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(d), 0) || math.IsNaN(float64(d)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(d))
}

// UnmarshalJSON reads what MarshalJSON writes; null is an infinite ratio.
func (d *Decibel) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*d = Decibel(math.Inf(1))
		return nil
	}
	return json.Unmarshal(data, (*float64)(d))
}

// Report returns what the last Quantize did, nil before.
func (q *Quantizer) Report() *Report { return q.report }

package quantize

// Report says what became of each operator of a quantized model.
type Report struct {
	Layers []Layer
}

// Layer is the entry of one operator.
type Layer struct {
	Name           string  // module path
	Op             string  // "conv2d"
	Precision      string  // "int8" or "float32"
	Reason         string  // why it is not int8
	WeightScaleMax float32 // the largest scale of the weight; 0 without weights
	SQNR           float64 // of the quantized weight against the float one, in dB
}

// Report returns what the last Quantize did, nil before.
func (q *Quantizer) Report() *Report { return q.report }

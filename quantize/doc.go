// Package quantize turns a float model into an int8 one: it observes the values
// of a model on sample data, chooses scales and zero points, measures what
// quantization costs, and converts.
//
// The smallest pieces are usable alone: a [Spec] says which integers a tensor
// becomes, an [Observer] watches values and derives [tensor.QParams], a [Filter]
// says which modules are quantized, and FakeQuantize and [LSQ] are the reference
// forms of what the graph's nodes compute.
package quantize

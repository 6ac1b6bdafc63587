package ops

// Multiplies reports whether WorkOf counts products of the operator.
func (o Operator) Multiplies() bool { return o.macs != nil }

package ops

import "reflect"

// Multiplies reports whether WorkOf counts products of the operator.
func (o Operator) Multiplies() bool { return o.Type.Implements(reflect.TypeFor[Multiplier]()) }

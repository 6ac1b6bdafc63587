package ops

import "reflect"

// Multiplies reports whether WorkOf counts products of the operator.
func (o Operator) Multiplies() bool { return o.Type.Implements(reflect.TypeFor[Multiplier]()) }

// NumUnaryFns is how many functions of one element there are.
const NumUnaryFns = numUnaryFns

// Defined reports whether the function has a name and the definition that its kind needs.
func (f UnaryFn) Defined() bool {
	switch row := unaryFunctions[f]; row.kind {
	case givesBool:
		return row.name != "" && row.test != nil
	case bitsOnly:
		return row.name != "" && row.int != nil
	default:
		return row.name != "" && row.float != nil
	}
}

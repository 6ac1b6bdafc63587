package ops

import (
	"fmt"
	"reflect"
	"slices"
)

// Operator is what is known of a type of operator without a value of it: one row of the table of all operators.
type Operator struct {
	// Name is the operator's name in octet's own files, "" of one that is not saved. A name is never given to
	// another operator, since files keep it.
	Name string
	Type reflect.Type
	// Int8 says that the products that WorkOf counts are of int8 values.
	Int8 bool
}

// The table. It is complete when all packages are initialized, and not changed afterwards.
var (
	operators       []Operator
	operatorsByType = make(map[reflect.Type]*Operator)
	operatorsByName = make(map[string]*Operator)
)

// Register adds rows to the table, when a package is initialized. It panics when a type or a name stands there already.
func Register(rows ...Operator) {
	operators = append(operators, rows...)
	for i := range rows {
		o := &rows[i]
		if operatorsByType[o.Type] != nil || o.Name != "" && operatorsByName[o.Name] != nil {
			panic(fmt.Sprintf("ops: the operator %v, %q, is registered twice", o.Type, o.Name))
		}
		operatorsByType[o.Type] = o
		if o.Name != "" {
			operatorsByName[o.Name] = o
		}
	}
}

// Operators returns the table: the operators of this package and of those that are linked and have their own.
func Operators() []Operator { return slices.Clone(operators) }

// OperatorNamed returns the row of the operator with a name in files, nil where there is none.
func OperatorNamed(name string) *Operator { return operatorsByName[name] }

// OperatorOf returns the row of an operator, nil where it has none.
func OperatorOf(op Op) *Operator { return operatorsByType[reflect.TypeOf(op)] }

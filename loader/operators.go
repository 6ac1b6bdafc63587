package loader

import (
	"reflect"

	"github.com/octet-ml/octet/ops"
	_ "github.com/octet-ml/octet/ops/int8" // its operators
)

// operatorName returns the name of an operator in files, "" for one that
// cannot be saved.
func operatorName(op ops.Op) string {
	if o := ops.OperatorOf(op); o != nil {
		return o.Name
	}
	return ""
}

// operatorType returns the type of the operator with a name in files, nil for
// an unknown one.
func operatorType(name string) reflect.Type {
	if o := ops.OperatorNamed(name); o != nil {
		return o.Type
	}
	return nil
}

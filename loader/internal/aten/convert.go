package aten

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/loader/internal/build"
)

// ErrRangeStep is raised for a range that does not move.
var ErrRangeStep = &RaisedError{"ValueError", "a range with a step of 0"}

// Range returns the elements of range(...), of which bounds are the arguments.
func (m *Evaluator) Range(bounds []int64) (Value, error) { return rangeList(m, bounds) }

// rangeList returns the elements of a range.
func rangeList(in interpreter, b []int64) (Value, error) {
	switch len(b) {
	case 1:
		b = []int64{0, b[0], 1}
	case 2:
		b = []int64{b[0], b[1], 1}
	}
	if len(b) != 3 || b[2] == 0 {
		return nil, errors.New("range without a start, an end and a step")
	}
	// The differences of any two integers fit without a sign.
	var n uint64
	switch start, end, step := b[0], b[1], b[2]; {
	case step > 0 && start < end:
		n = (uint64(end)-uint64(start)-1)/uint64(step) + 1
	case step < 0 && start > end:
		n = (uint64(start)-uint64(end)-1)/-uint64(step) + 1
	}
	if err := in.Spend(int(min(n, maxItems+1))); err != nil {
		return nil, err
	}
	l := &List{Items: make([]Value, n)}
	for i := range l.Items {
		l.Items[i] = b[0] + int64(i)*b[2]
	}
	return l, nil
}

// ToNumber is int(), float() and bool().
func ToNumber(b *build.Builder, v Value, k build.Kind) (Value, error) {
	switch v := v.(type) {
	case *build.Tensor:
		return Item(b, v, k)
	case *build.Number:
		return v.To(k), nil
	case bool, int64, float64:
		return build.Convert(v, k), nil
	case string:
		switch k {
		case build.Int:
			i, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			if err != nil {
				return nil, &RaisedError{"ValueError", "invalid literal for int(): " + Repr(v)}
			}
			return i, nil
		case build.Float:
			x, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			if err != nil && !math.IsInf(x, 0) {
				return nil, &RaisedError{"ValueError", "could not convert string to float: " + Repr(v)}
			}
			return x, nil
		}
		return v != "", nil
	case *Enum:
		return ToNumber(b, v.Value, k)
	}
	if items, ok := Items(v); ok && k == build.Bool {
		return len(items) > 0, nil
	}
	return nil, fmt.Errorf("a %s is no %v", TypeName(v), k)
}

package aten

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/octet-ml/octet/internal/sorting"
)

// RaisedError is an exception that the program raised.
type RaisedError struct {
	Class   string // "ValueError", or "" where the program does not say
	Message string
}

func (e *RaisedError) Error() string {
	if e.Class == "" {
		return "the model raises: " + e.Message
	}
	return "the model raises " + e.Class + ": " + e.Message
}

// UnsupportedError lists what of a program cannot become a graph: operators that
// are not known, or known in other uses only.
type UnsupportedError struct {
	Operators []OperatorUse
}

// OperatorUse is an operator, or something else of the language, and where it is used.
type OperatorUse struct {
	Name  string   // "aten::fft_irfft"
	Count int      // how often the model uses it
	Lines []string // "code/__torch__/net.py:12", each once
}

func (e *UnsupportedError) Error() string {
	var b strings.Builder
	b.WriteString("unsupported operators:")
	for i, o := range e.Operators {
		if i > 0 {
			b.WriteByte(';')
		}
		fmt.Fprintf(&b, " %s", o.Name)
		if o.Count > 1 {
			fmt.Fprintf(&b, " (%d times)", o.Count)
		}
		if len(o.Lines) == 0 {
			continue
		}
		const most = 4
		fmt.Fprintf(&b, " at %s", strings.Join(o.Lines[:min(len(o.Lines), most)], ", "))
		if more := len(o.Lines) - most; more > 0 {
			fmt.Fprintf(&b, " and %d more", more)
		}
	}
	return b.String()
}

// uses collects unsupported operators.
type uses struct{ list []OperatorUse }

func (u *uses) add(name, line string, count int) {
	i := slices.IndexFunc(u.list, func(o OperatorUse) bool { return o.Name == name })
	if i < 0 {
		i = len(u.list)
		u.list = append(u.list, OperatorUse{Name: name})
	}
	o := &u.list[i]
	o.Count += count
	if !slices.Contains(o.Lines, line) {
		o.Lines = append(o.Lines, line)
	}
}

// err returns what was collected, most used first, nil for nothing.
func (u *uses) err() error { return NewUnsupportedError(u.list) }

// NewUnsupportedError returns an *UnsupportedError of operators, most used first, nil for
// none.
func NewUnsupportedError(list []OperatorUse) error {
	if len(list) == 0 {
		return nil
	}
	SortUses(list)
	return &UnsupportedError{list}
}

// UnsupportedOutput says what a model returns that cannot be an output of a graph.
func UnsupportedOutput(what string) error {
	return NewUnsupportedError([]OperatorUse{{Name: what, Count: 1}})
}

// SortUses puts the most used operators first.
func SortUses(list []OperatorUse) {
	sorting.Func(list, func(a, b OperatorUse) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Name, b.Name))
	})
}

// unsupported says that an operator is not supported in this use.
type unsupported struct{ reason string }

func (e *unsupported) Error() string { return e.reason }

func unsupportedf(format string, args ...any) error {
	return &unsupported{fmt.Sprintf(format, args...)}
}

package oip

import (
	"fmt"
	"strconv"
	"unicode"
)

// InvalidError says where and why a message does not follow the protocol. A server answers it with status 400.
type InvalidError struct {
	Place  string // part of the message, "inputs[0].data"; empty for the message as a whole
	Reason string // what is wrong and, where there is something, what to do about it
	Err    error  // cause, may be nil
}

// Error joins the parts on one line.
func (e *InvalidError) Error() string {
	text := e.Reason
	if e.Place != "" {
		text = e.Place + ": " + text
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *InvalidError) Unwrap() error { return e.Err }

// invalid is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func invalid(place, format string, args ...any) error {
	return &InvalidError{Place: place, Reason: fmt.Sprintf(format, args...)}
}

// quote returns a text of a message for an error: on one line, printable and of at most some 100 bytes.
func quote(text string) string {
	const limit = 100
	if len(text) > limit {
		text = text[:limit] + "..."
	}
	for _, r := range text {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) || r == '"' {
			return strconv.QuoteToGraphic(text)
		}
	}
	return `"` + text + `"`
}

// NotFiniteError says that a tensor holds a value that JSON does not have.
type NotFiniteError struct {
	Name  string  // of the tensor
	Index int     // of the first such element, in row-major order
	Value float64 // NaN or an infinity
}

// Error names the tensor and the element.
func (e *NotFiniteError) Error() string {
	return fmt.Sprintf("output %s: element %d is %v, which JSON does not have: ask for binary data (%s)", quote(e.Name), e.Index, e.Value, BinaryDataOutput)
}

package script

import (
	"errors"
	"fmt"
)

// ErrBudget is wrapped by the errors that report source over one of its [Limits].
var ErrBudget = errors.New("script: source exceeds a limit")

// Error is a rejected source file. Line and Column count from 1; Column
// counts bytes.
type Error struct {
	File   string
	Line   int
	Column int
	Msg    string

	cause error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}

// Unwrap returns [ErrBudget] when a limit was exceeded, else nil.
func (e *Error) Unwrap() error { return e.cause }

// Limits bounds what [Parse] accepts. A zero field means its default.
type Limits struct {
	MaxBytes  int // source size; default 64 MiB
	MaxTokens int // tokens; default 16 Mi
	MaxDepth  int // nesting of the source, and height of any expression tree; default 1000
}

const (
	defaultMaxBytes  = 64 << 20
	defaultMaxTokens = 16 << 20
	defaultMaxDepth  = 1000
)

func (l Limits) withDefaults() Limits {
	if l.MaxBytes <= 0 {
		l.MaxBytes = defaultMaxBytes
	}
	if l.MaxTokens <= 0 {
		l.MaxTokens = defaultMaxTokens
	}
	if l.MaxDepth <= 0 {
		l.MaxDepth = defaultMaxDepth
	}
	return l
}

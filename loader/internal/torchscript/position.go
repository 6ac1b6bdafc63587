package torchscript

import (
	"errors"
	"fmt"

	"github.com/octet-ml/octet/loader/internal/script"
	"github.com/octet-ml/octet/tensor"
)

// Error is something that went wrong while a program was executed, at a place
// of its source.
type Error struct {
	File         string // of the archive: "code/__torch__/resnet.py"
	Line, Column int
	Module       string // path of the module whose code it is
	Err          error
}

func (e *Error) Error() string {
	where := fmt.Sprintf("%s:%d", e.File, e.Line)
	if e.Module != "" {
		where += " (" + e.Module + ")"
	}
	return where + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// positioned returns err with the place where n stands.
func positioned(file string, n script.Node, err error) *Error {
	p := n.Pos()
	return &Error{File: file, Line: int(p.Line), Column: int(p.Column), Err: err}
}

// reject returns the error as one of the file.
func (e *Error) reject() error {
	return &tensor.FileError{Record: e.File, Reason: fmt.Sprintf("line %d", e.Line), Err: e.Err}
}

// sourceLine is the line where something of a program stands.
type sourceLine struct {
	file string
	node script.Node
}

// String returns file and line: "code/__torch__/net.py:12".
func (s sourceLine) String() string { return fmt.Sprintf("%s:%d", s.file, s.node.Pos().Line) }

var errDepth = errors.New("calls are nested too deeply")

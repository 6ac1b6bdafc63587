package tensor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FileError says why a file was rejected: its contents are malformed, larger
// than allowed, or of a kind that is not read. It is never about reading itself
// failing (a missing file, an I/O error), which is reported as the system does.
type FileError struct {
	File   string // path as given; may be empty for a reader without a name
	Record string // the part of the file: an archive member, a tensor; may be empty
	Reason string // what is wrong and, where there is something, what to do about it
	Err    error  // cause, may be nil
}

// Error joins the parts: "model.pth: data/3: 12 bytes where ... needs 16". What
// comes from the file is kept short and printable.
func (e *FileError) Error() string {
	parts := []string{e.File, printable(e.Record, 200), printable(e.Reason, 1000)}
	if e.Err != nil {
		parts = append(parts, printable(e.Err.Error(), 1000))
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ": ")
}

// BudgetError says that what a file holds takes more memory than it may: the Err of a FileError.
type BudgetError struct {
	What        string // "float32[1 3 4 4]"
	Need, Limit int64  // bytes
}

func (e *BudgetError) Error() string {
	return fmt.Sprintf("%s takes %d bytes and %d are allowed", e.What, e.Need, e.Limit)
}

func printable(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit] + "..."
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || unicode.IsControl(r) }) {
		s = strconv.QuoteToGraphic(s)
	}
	return s
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

package exported

// UnsupportedFileError says that a file is sound but holds something that octet does not
// run, and what to do instead.
type UnsupportedFileError struct {
	What   string // "an AOTInductor package: compiled code for one machine"
	Advice string
}

func (e *UnsupportedFileError) Error() string {
	if e.Advice == "" {
		return e.What
	}
	return e.What + ": " + e.Advice
}

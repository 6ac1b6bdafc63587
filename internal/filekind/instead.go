package filekind

import "bytes"

// What files of other kinds are to be, for Instead.
const (
	OfData        = "data is an .npz or .npy file of arrays, a .csv, .txt or .jsonl file, pictures or sounds, or a folder of those"
	OfCalibration = "a calibration is a file of JSON, which one that was saved after observing samples is"
	OfTokenizer   = "a tokenizer is a tokenizer.json, a vocab.txt, or the folder that has one"
	OfClasses     = "names of classes are a text file, one a line"
)

// Instead returns e as the kind of a file where no model is wanted: with advice that says what is, unless the file could still become that.
func (e *Error) Instead(wanted string) *Error {
	switch e.Kind {
	case Empty, Truncated, Compressed, LFSPointer, WebPage:
		return e
	}
	other := *e
	other.Advice = wanted
	return &other
}

// NotText returns what a file of these bytes is where a text is wanted, nil where it may be one.
func NotText(b []byte, wanted string) error {
	if len(b) > 0 && !bytes.ContainsAny(b, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f") {
		return nil
	}
	e := Of(b[:min(len(b), 512)], int64(len(b)))
	if e.Kind == OtherZip {
		e.Kind = "a zip file" // of whoever: its records are not looked at
	}
	return e.Instead(wanted)
}

// Package filekind says what a file is that was given where something else was wanted, and what to do about it.
package filekind

import (
	"bytes"
	"encoding/binary"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind is what a file is, in words: "an ONNX model".
type Kind string

// The kinds of files that are told apart.
const (
	Empty        Kind = "empty file"
	Truncated    Kind = "a truncated archive, whose end is missing"
	Module       Kind = "a whole module was pickled, which only the Python code that defines it can read"
	Pickle       Kind = "a plain pickle, not a file of torch.save"
	TorchScript  Kind = "a TorchScript archive, graph and weights"
	Exported     Kind = "a program of torch.export, graph and weights"
	TorchSave    Kind = "weights that torch.save wrote"
	Safetensors  Kind = "a safetensors file"
	ONNX         Kind = "an ONNX model"
	CoreML       Kind = "a Core ML model"
	HDF5         Kind = "an HDF5 file, as Keras writes"
	Keras        Kind = "a Keras model"
	TensorFlow   Kind = "a TensorFlow SavedModel or graph"
	TFLite       Kind = "a TensorFlow Lite model"
	GGUF         Kind = "a GGUF or GGML file"
	Arrays       Kind = "NumPy arrays, which are data"
	Compressed   Kind = "compressed"
	Packed       Kind = "an archive of files"
	Tar          Kind = "a tar archive"
	OtherZip     Kind = "a zip file that PyTorch did not write"
	WebPage      Kind = "a web page"
	LFSPointer   Kind = "a Git LFS pointer, not the file itself"
	Text         Kind = "a text file"
	Image        Kind = "an image"
	Table        Kind = "a table of columns"
	Document     Kind = "a document"
	ShardIndex   Kind = "an index, which says in which files the weights of a model are"
	Program      Kind = "a compiled program or library"
	Folder       Kind = "a folder, not a file"
	Unrecognized Kind = "not a format that is read"
)

// Error is a file of another kind than is read.
type Error struct {
	Kind   Kind
	Detail string // more of what it is, such as "with gzip"; may be empty
	Advice string
	Err    error // what was found wrong in it, nil for nothing
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

func (e *Error) Error() string {
	s := string(e.Kind)
	if e.Detail != "" {
		s += " " + e.Detail
	}
	if e.Advice == "" {
		return s
	}
	return s + ": " + e.Advice
}

const (
	saveScript  = "torch.jit.save(torch.jit.script(model), path)"
	saveExport  = "torch.export.save(torch.export.export(model, args), path)"
	saveWeights = "torch.save(model.state_dict(), path)"

	fromPyTorch = "models come from PyTorch: save the original with " + saveScript + " or " + saveExport
	again       = "copy or download it again"
	load        = "load it as a model"
	tableAdvice = "give it as data, written as .csv or .npz, and a model as the model"
)

// Of returns what a file is whose first bytes, 512 of them where it has as many, are head. It is never nil.
func Of(head []byte, size int64) *Error {
	if size == 0 {
		return &Error{Kind: Empty, Advice: again}
	}
	for _, m := range magics {
		if len(head) >= m.at+len(m.magic) && string(head[m.at:m.at+len(m.magic)]) == m.magic {
			return &Error{Kind: m.kind, Detail: m.detail, Advice: m.advice}
		}
	}
	if e := protobuf(head); e != nil {
		return e
	}
	if len(head) > 9 && head[8] == '{' && (head[9] == '"' || head[9] == '}') {
		if n := binary.LittleEndian.Uint64(head); n > uint64(size) && n < 100<<20 {
			return &Error{Kind: Truncated, Advice: again}
		}
		return &Error{Kind: Safetensors, Advice: "it holds weights, or a model that octet saved"}
	}
	if e := text(head); e != nil {
		return e
	}
	return &Error{Kind: Unrecognized, Advice: "models are files of torch.jit.save, torch.export.save or octet, weights those of torch.save or safetensors"}
}

// magics are the bytes that files begin with.
var magics = []struct {
	at     int
	magic  string
	kind   Kind
	detail string
	advice string
}{
	{0, "PK\x03\x04", OtherZip, "", fromPyTorch},
	{0, "\x1f\x8b", Compressed, "with gzip", "decompress it first"},
	{0, "BZh", Compressed, "with bzip2", "decompress it first"},
	{0, "\x28\xb5\x2f\xfd", Compressed, "with zstd", "decompress it first"},
	{0, "\xfd7zXZ", Compressed, "with xz", "decompress it first"},
	{0, "\x04\x22\x4d\x18", Compressed, "with LZ4", "decompress it first"},
	{0, "7z\xbc\xaf\x27\x1c", Packed, "(7z)", "unpack it and give the model in it"},
	{0, "Rar!\x1a\x07", Packed, "(RAR)", "unpack it and give the model in it"},
	{257, "ustar", Tar, "", "unpack it and give the model in it; where PyTorch before 0.2 wrote it, load it in PyTorch and save " + saveWeights},
	{0, "\x89HDF", HDF5, "", fromPyTorch},
	{4, "TFL3", TFLite, "", fromPyTorch},
	{0, "GGUF", GGUF, "", "it holds weights for llama.cpp: " + fromPyTorch},
	{0, "lmgg", GGUF, "", "it holds weights for llama.cpp: " + fromPyTorch},
	{0, "tjgg", GGUF, "", "it holds weights for llama.cpp: " + fromPyTorch},
	{0, "fmgg", GGUF, "", "it holds weights for llama.cpp: " + fromPyTorch},
	{0, "\x93NUMPY", Arrays, "(.npy)", "give them as data, in an .npz file, and a model as the model"},
	{0, "\x89PNG\r\n", Image, "", "give it as data and a model as the model"},
	{0, "\xff\xd8\xff", Image, "", "give it as data and a model as the model"},
	{0, "PAR1", Table, "(Parquet)", tableAdvice},
	{0, "ARROW1", Table, "(Arrow or Feather)", tableAdvice},
	{0, "%PDF-", Document, "(PDF)", "give the model that it is about"},
	{0, "\x7fELF", Program, "", "give the model that it was made of: " + saveExport},
	{0, "MZ", Program, "", "give the model that it was made of: " + saveExport},
	{0, "version https://git-lfs", LFSPointer, "", "fetch it with git lfs pull"},
	{0, "\x80", Pickle, "", "load it in PyTorch and save " + saveWeights},
}

// protobuf tells the formats that are protocol buffers by their first fields.
func protobuf(head []byte) *Error {
	if len(head) < 5 {
		return nil
	}
	switch {
	case head[0] == 0x0a && (bytes.Contains(head, []byte("Placeholder")) || bytes.Contains(head, []byte("\x12\x05Const"))):
		return &Error{Kind: TensorFlow, Advice: fromPyTorch}
	case head[0] != 0x08 || head[1] == 0 || head[1] > 32:
		return nil
	case head[1] == 1 && head[2] == 0x12: // the version of a SavedModel, and a message
		return &Error{Kind: TensorFlow, Advice: fromPyTorch}
	case head[2] == 0x12 && isText(head[4:min(4+int(head[3]), len(head))]): // a version, and the name of the producer
		return &Error{Kind: ONNX, Advice: fromPyTorch}
	case head[2] == 0x12:
		return &Error{Kind: CoreML, Advice: fromPyTorch}
	case slices.Contains([]byte{0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72}, head[2]):
		return &Error{Kind: ONNX, Advice: fromPyTorch}
	}
	return nil
}

// text tells web pages and other texts.
func text(head []byte) *Error {
	s := strings.ToLower(strings.TrimLeft(strings.TrimPrefix(string(head), "\ufeff"), " \t\r\n"))
	switch {
	case strings.HasPrefix(s, "<?xml") && !strings.Contains(s, "<html"):
		return &Error{Kind: Text, Detail: "(XML)", Advice: fromPyTorch}
	case strings.HasPrefix(s, "<"):
		return &Error{Kind: WebPage, Advice: "the download went wrong, fetch the file itself"}
	case isText(head) && (strings.Contains(s, `"model_type"`) || strings.Contains(s, `"architectures"`)):
		return &Error{Kind: Text, Detail: "(config.json of Hugging Face)", Advice: "give the folder that it is in"}
	case strings.HasPrefix(s, "{") && (strings.Contains(s, `"weight_map"`) || strings.Contains(s, `"total_size"`)) && isText(head):
		return &Error{Kind: ShardIndex, Advice: "give the folder that it is in, with those files and config.json"}
	case isText(head):
		return &Error{Kind: Text, Advice: "not a format that is read; if it was downloaded, look at what it says"}
	}
	return nil
}

// isText reports whether bytes are printable text, which may end within a character.
func isText(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1:
			return len(b) < utf8.UTFMax && !utf8.FullRune(b)
		case r < ' ' && r != '\t' && r != '\r' && r != '\n', r == 0x7f:
			return false
		}
		b = b[n:]
	}
	return true
}

// OfRecords returns what a zip archive is that has records of these names.
func OfRecords(names []string) *Error {
	has := func(is func(name string) bool) bool { return slices.ContainsFunc(names, is) }
	base := func(want string) bool { return has(func(name string) bool { return path.Base(name) == want }) }
	switch {
	case base("constants.pkl"):
		return &Error{Kind: TorchScript, Advice: load}
	case has(func(name string) bool { return strings.Contains(name, "models/") && path.Ext(name) == ".json" }), base("serialized_exported_program.json"):
		return &Error{Kind: Exported, Advice: load}
	case base("data.pkl"):
		return &Error{Kind: TorchSave, Advice: "they need a model"}
	case base("model.weights.h5"):
		return &Error{Kind: Keras, Advice: fromPyTorch}
	case len(names) > 0 && !has(func(name string) bool { return path.Ext(name) != ".npy" }):
		return &Error{Kind: Arrays, Detail: "(.npz)", Advice: "give them as data, and a model as the model"}
	case has(func(name string) bool { return slices.Contains(modelExtensions, path.Ext(name)) }):
		return &Error{Kind: Packed, Detail: "(zip)", Advice: "unpack it and give the model in it"}
	}
	return &Error{Kind: OtherZip, Advice: fromPyTorch}
}

// modelExtensions are what files of models are called that lie in archives.
var modelExtensions = []string{".pt", ".pth", ".th", ".pt2", ".tar", ".bin", ".safetensors", ".ckpt", ".onnx", ".tflite", ".h5", ".pb"}

// OfFolder returns what a folder is that has files of these names.
func OfFolder(names []string) *Error {
	if slices.Contains(names, "saved_model.pb") {
		return &Error{Kind: TensorFlow, Detail: "(a folder)", Advice: fromPyTorch}
	}
	for _, name := range names {
		if slices.Contains(modelExtensions, path.Ext(name)) {
			return &Error{Kind: Folder, Advice: "name the file in it, " + name}
		}
	}
	return &Error{Kind: Folder, Advice: "name the file in it"}
}

// OfModule returns the error of a module that was pickled whole, as what else is wrong shows.
func OfModule(err error) *Error {
	return &Error{Kind: Module, Err: err, Advice: "save " + saveWeights + " instead, for weights, or the model itself, " + saveScript +
		", torch.jit.save(torch.jit.trace(model, inputs), path) or " + saveExport}
}

// OfTruncated returns the error of an archive whose end is missing.
func OfTruncated(err error) *Error { return &Error{Kind: Truncated, Advice: again, Err: err} }

package loader

import (
	"errors"
	"os"

	"github.com/octet-ml/octet/internal/filekind"
)

// KindError is the Err of the *FileError of a file that is of another kind than what is read, and says what it is and
// what to do.
type KindError = filekind.Error

// FileKind is what a file is, in words.
type FileKind = filekind.Kind

// The kinds of files that a KindError tells apart.
const (
	KindEmpty        = filekind.Empty
	KindTruncated    = filekind.Truncated
	KindModule       = filekind.Module
	KindPickle       = filekind.Pickle
	KindTorchScript  = filekind.TorchScript
	KindExported     = filekind.Exported
	KindONNX         = filekind.ONNX
	KindCoreML       = filekind.CoreML
	KindHDF5         = filekind.HDF5
	KindKeras        = filekind.Keras
	KindTensorFlow   = filekind.TensorFlow
	KindTFLite       = filekind.TFLite
	KindGGUF         = filekind.GGUF
	KindArrays       = filekind.Arrays
	KindCompressed   = filekind.Compressed
	KindPacked       = filekind.Packed
	KindTar          = filekind.Tar
	KindOtherZip     = filekind.OtherZip
	KindWebPage      = filekind.WebPage
	KindLFSPointer   = filekind.LFSPointer
	KindText         = filekind.Text
	KindImage        = filekind.Image
	KindTable        = filekind.Table
	KindDocument     = filekind.Document
	KindShardIndex   = filekind.ShardIndex
	KindProgram      = filekind.Program
	KindFolder       = filekind.Folder
	KindUnrecognized = filekind.Unrecognized
)

// readHead reads the bytes that tell what the file is.
func (f *modelFile) readHead() error {
	f.head = make([]byte, min(max(f.size, 0), 512))
	if err := readAt(f.r, f.head, 0); err != nil {
		return err
	}
	if len(f.head) == 0 {
		return f.unknown()
	}
	return nil
}

// unknown rejects a file that is of no kind that is read.
func (f *modelFile) unknown() error { return &FileError{Err: filekind.Of(f.head, f.size)} }

// folderError rejects a folder.
func folderError(path string) error {
	var names []string
	if d, err := os.Open(path); err == nil {
		defer d.Close()
		names, _ = d.Readdirnames(1000) // what cannot be listed is a folder all the same
	}
	return &FileError{File: path, Err: filekind.OfFolder(names)}
}

// rejectWeights rejects weights where a graph is wanted, but says so if they are none.
func rejectWeights(f *modelFile) error {
	_, _, err := f.checkpoint()
	if e, ok := errors.AsType[*KindError](err); ok {
		return &FileError{Err: e}
	}
	return &FileError{Err: ErrWeightsOnly}
}

package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// Options say how data is read.
type Options struct {
	// MaxMemory bounds, in bytes, arrays that are in memory, and single files and what they are decoded to; 0 means tensor.DefaultBudget.
	MaxMemory int64
	// ScaleBytes is that of Dataset.
	ScaleBytes bool
	// Pictures says how pictures become inputs. Its mean and std are also those of arrays of bytes that have none themselves.
	Pictures Preprocessing
	// Labels are the names of the model's classes, in their order, for data that names them; nil takes the names of the data, sorted.
	Labels []string
	// LabelColumn is the column of a CSV file that has the labels; "" is label, where there is one.
	LabelColumn string
	// Rate is the samples per second that sounds must have; 0 takes that of the first.
	Rate int
	// SkipBad leaves out samples that cannot be decoded. Each is decoded once before, to know which those are.
	SkipBad bool
	// Encode makes inputs of texts; nil refuses those.
	Encode Encoder
}

// listName is the file in a folder of samples that has their names and labels.
const listName = "labels.csv"

// Open opens data by what lies at path:
//
//   - an .npz or .npy file, as OpenDataset has it;
//   - a folder of pictures (JPEG, PNG, WebP) or sounds (WAV): those in a folder for each class, as torchvision's ImageFolder has them, or
//     those that labels.csv in it names, or just files, without labels;
//   - one picture or sound;
//   - a .csv file with a header: with a column file, filename, path, image or name, a list of files relative to it; else numbers,
//     float32 [columns]. LabelColumn has whole numbers, floats or names of classes;
//   - a .txt file, of a text on each line, or a .tsv, .json or .jsonl file of texts; see OpenTexts and Options.Encode.
//
// Pictures are the input x, uint8 [channels, height, width], which mean and std, or 1/255, make floats of; sounds are x, float32 [channels, samples],
// in -1 to 1. No more than a batch is in memory. What cannot be read is a *tensor.FileError that names the file, and within it the line.
func Open(ctx context.Context, path string, o Options) (*Dataset, error) {
	if err := o.Pictures.Validate(); err != nil {
		return nil, err
	}
	s, classes, bad, err := openSource(ctx, path, &o)
	if err != nil {
		return nil, err
	}
	d := FromSource(s, path)
	d.ScaleBytes = o.ScaleBytes
	d.classes, d.skipped = classes, bad
	d.mean, d.std = o.Pictures.Mean, o.Pictures.Std
	if f, ok := s.(*files); ok && f.fields[0].DType == tensor.Uint8 {
		d.ScaleBytes, d.pictures = true, true
	}
	return d, nil
}

func openSource(ctx context.Context, path string, o *Options) (s Source, classes []string, bad []*tensor.FileError, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, nil, err
	}
	switch ending := strings.ToLower(filepath.Ext(path)); {
	case info.IsDir():
		list := filepath.Join(path, listName)
		if _, err := os.Stat(list); err == nil {
			return openTable(ctx, list, o)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, nil, err
		}
		l, err := listFolder(ctx, path, o.Labels)
		if err != nil {
			return nil, nil, nil, err
		}
		s, bad, err := openFiles(ctx, l, o)
		return orNil(s, err), l.classes, bad, err
	case !info.Mode().IsRegular():
	case endsWith(path, pictureNames) || endsWith(path, soundNames):
		s, bad, err := openFiles(ctx, &fileList{root: filepath.Dir(path), names: []string{filepath.Base(path)}}, o)
		return orNil(s, err), nil, bad, err
	case ending == ".csv":
		return openTable(ctx, path, o)
	case ending == ".txt" || ending == ".tsv" || ending == ".json" || ending == ".jsonl":
		t, bad, err := OpenTexts(ctx, path, strings.HasPrefix(ending, ".json"), o.SkipBad)
		if err != nil {
			return nil, nil, nil, err
		}
		s, classes, err := newTextSource(t, o)
		if err != nil {
			return nil, nil, nil, errors.Join(err, t.Close())
		}
		return s, classes, bad, nil
	}
	a, err := openArrays(ctx, path, o.MaxMemory)
	return orNil(a, err), nil, nil, err
}

// orNil returns s, where there is no error.
func orNil[S Source](s S, err error) Source {
	if err != nil {
		return nil
	}
	return s
}

// openTable opens a CSV file of numbers, or of the names of files.
func openTable(ctx context.Context, path string, o *Options) (Source, []string, []*tensor.FileError, error) {
	r, err := openCSV(path, o.LabelColumn)
	if err != nil {
		return nil, nil, nil, err
	}
	if r.named < 0 {
		t, classes, bad, err := r.readTable(ctx, o)
		if err != nil {
			return nil, nil, nil, errors.Join(err, r.file.Close())
		}
		return t, classes, bad, nil
	}
	l, badLines, err := r.readFileList(ctx, o)
	if err = errors.Join(err, r.file.Close()); err != nil {
		return nil, nil, nil, err
	}
	s, bad, err := openFiles(ctx, l, o)
	return orNil(s, err), l.classes, append(badLines, bad...), err
}

// IsArrays reports whether the data is arrays of any form, of a file or in memory, and not single samples put together.
func (d *Dataset) IsArrays() bool {
	switch d.source.(type) {
	case *memory, *arrayFile:
		return true
	}
	return false
}

// Classes returns the names of the classes that labels are places in, nil where labels are numbers.
func (d *Dataset) Classes() []string { return d.classes }

// Skipped returns what was wrong with the samples that Options.SkipBad left out.
func (d *Dataset) Skipped() []*tensor.FileError { return d.skipped }

// Place says where a sample comes from: its file, or its number in the file of all.
func (d *Dataset) Place(sample int) string {
	if p := d.source.Place(sample); p != "" {
		return p
	}
	return fmt.Sprintf("%s, sample %d", d.file, sample)
}

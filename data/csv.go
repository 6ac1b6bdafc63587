package data

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// fileColumns are the names of a column that names the files of samples.
var fileColumns = []string{"file", "filename", "path", "image", "name"}

// defaultLabelColumn is the column of labels where the caller names none.
const defaultLabelColumn = "label"

// csvReader reads the records of a CSV file, whose first line is its header.
type csvReader struct {
	path   string
	file   *os.File
	csv    *csv.Reader
	header []string
	label  int // column, -1 without
	named  int // column of files, -1 without
}

func openCSV(path, labelColumn string) (*csvReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &csvReader{path: path, file: f, csv: csv.NewReader(f)}
	header, err := r.csv.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it is empty: the first line must name the columns")
		}
		return nil, errors.Join(&tensor.FileError{File: path, Err: err}, f.Close())
	}
	for i, name := range header {
		header[i] = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
	}
	r.header = header
	r.label, r.named = slices.Index(header, labelColumn), -1
	if labelColumn == "" {
		r.label = slices.Index(header, defaultLabelColumn)
	} else if r.label < 0 {
		return nil, errors.Join(&tensor.FileError{File: path, Reason: fmt.Sprintf("no column %q: it has %q", labelColumn, header)}, f.Close())
	}
	for _, name := range fileColumns {
		if r.named < 0 {
			r.named = slices.Index(header, name)
		}
	}
	if r.numeric() {
		return nil, errors.Join(&tensor.FileError{File: path, Reason: fmt.Sprintf("its first line is numbers, %q, where the names of the columns are needed", header)}, f.Close())
	}
	return r, nil
}

// numeric reports whether the header is a line of numbers.
func (r *csvReader) numeric() bool {
	return !slices.ContainsFunc(r.header, func(name string) bool { _, err := strconv.ParseFloat(name, 64); return err != nil })
}

// rejected names the line and column of a field.
func (r *csvReader) rejected(column int, format string, args ...any) *tensor.FileError {
	line, at := r.csv.FieldPos(column)
	return &tensor.FileError{File: r.path, Record: fmt.Sprintf("line %d, column %d (%s)", line, at, r.header[column]), Reason: fmt.Sprintf(format, args...)}
}

// each calls do with every record, which it may keep; what do returns for a bad one, and lines that are no records, end it or with skipBad are collected.
func (r *csvReader) each(ctx context.Context, skipBad bool, do func(record []string, from, to int64) *tensor.FileError) (bad []*tensor.FileError, err error) {
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		from := r.csv.InputOffset()
		record, err := r.csv.Read()
		if errors.Is(err, io.EOF) {
			return bad, nil
		}
		var wrong *tensor.FileError
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			wrong = &tensor.FileError{File: r.path, Record: fmt.Sprintf("line %d, column %d", parse.Line, parse.Column), Err: parse.Err}
			if errors.Is(err, csv.ErrFieldCount) {
				wrong.Err, wrong.Reason = nil, fmt.Sprintf("%d fields where the first line has %d", len(record), len(r.header))
			}
		} else if err != nil {
			return nil, err
		} else {
			wrong = do(record, from, r.csv.InputOffset())
		}
		if wrong != nil && !skipBad {
			return nil, wrong
		}
		if wrong != nil {
			bad = append(bad, wrong)
		}
	}
}

// readFileList reads a CSV file with a column of files, relative to its folder, and perhaps one of labels.
func (r *csvReader) readFileList(ctx context.Context, o *Options) (*fileList, []*tensor.FileError, error) {
	l := &fileList{root: filepath.Dir(r.path)}
	var labels labelColumn
	bad, err := r.each(ctx, o.SkipBad, func(record []string, _, _ int64) *tensor.FileError {
		name := record[r.named]
		if !endsWith(name, pictureNames) && !endsWith(name, soundNames) {
			return r.rejected(r.named, "%q is not the name of a picture or sound", name)
		}
		if r.label >= 0 {
			if err := labels.add(record[r.label]); err != nil {
				return r.rejected(r.label, "%v", err)
			}
		}
		l.names = append(l.names, filepath.FromSlash(name))
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if len(l.names) == 0 {
		return nil, nil, &tensor.FileError{File: r.path, Reason: "it names no files"}
	}
	if r.label >= 0 {
		var numbers *tensor.Tensor
		if numbers, l.classes, err = labels.values(o.Labels); err != nil {
			return nil, nil, &tensor.FileError{File: r.path, Err: err}
		}
		if numbers.DType() != tensor.Int64 {
			return nil, nil, &tensor.FileError{File: r.path, Reason: "labels of files are names or whole numbers"}
		}
		l.labels = numbers.Int64s()
	}
	return l, bad, nil
}

// labelColumn holds labels as numbers: whole ones, or floats, or else the places of names in the order they came.
type labelColumn struct {
	kind   labelKind
	floats []float64
	whole  []int64
	names  []string
	index  map[string]int64
}

type labelKind int

const (
	labelUnknown labelKind = iota
	labelWhole
	labelFloat
	labelName
)

func (c *labelColumn) add(text string) error {
	text = strings.TrimSpace(text)
	kind := labelName
	n, notWhole := strconv.ParseInt(text, 10, 64)
	f, notFloat := strconv.ParseFloat(text, 64)
	switch {
	case text == "":
		return errors.New("there is no label")
	case notWhole == nil:
		kind = labelWhole
	case notFloat == nil && !math.IsNaN(f) && !math.IsInf(f, 0):
		kind = labelFloat
	}
	if c.kind == labelUnknown {
		c.kind, c.index = kind, make(map[string]int64)
	}
	switch c.kind {
	case labelWhole:
		if kind == labelFloat && f == math.Trunc(f) && math.Abs(f) < 1<<53 { // 3.0
			n, kind = int64(f), labelWhole
		}
		if kind != labelWhole {
			return fmt.Errorf("%q where the labels before are whole numbers", text)
		}
		c.whole = append(c.whole, n)
	case labelFloat:
		if notFloat != nil {
			return fmt.Errorf("%q where the labels before are numbers", text)
		}
		c.floats = append(c.floats, f)
	default:
		k, ok := c.index[text]
		if !ok {
			k = int64(len(c.names))
			c.index[text] = k
			c.names = append(c.names, text)
		}
		c.whole = append(c.whole, k)
	}
	return nil
}

// values returns the labels: of names their places among classes or, where that is nil, among all in sorted order.
func (c *labelColumn) values(classes []string) (*tensor.Tensor, []string, error) {
	if c.kind == labelFloat {
		f := make([]float32, len(c.floats))
		for i, v := range c.floats {
			f[i] = float32(v)
		}
		t, err := tensor.FromSlice(f, len(f))
		return t, nil, err
	}
	if c.kind == labelName {
		if classes == nil {
			classes = slices.Sorted(slices.Values(c.names))
		}
		at := make([]int64, len(c.names))
		for i, name := range c.names {
			var err error
			if at[i], err = classOf(name, classes); err != nil {
				return nil, nil, err
			}
		}
		for i, k := range c.whole {
			c.whole[i] = at[k]
		}
	}
	t, err := tensor.FromSlice(c.whole, len(c.whole))
	return t, classes, err
}

// table is a Source of the records of a CSV file: their numbers as x, float32 [columns], and labels as y.
type table struct {
	*csvReader
	offsets [][2]int64 // from and to of each record
	labels  *tensor.Tensor
	fields  []Field
}

func (r *csvReader) readTable(ctx context.Context, o *Options) (*table, []string, []*tensor.FileError, error) {
	t := &table{csvReader: r}
	var labels labelColumn
	bad, err := r.each(ctx, o.SkipBad, func(record []string, from, to int64) *tensor.FileError {
		if i := t.parse(record, func(float32) {}); i >= 0 {
			return r.rejected(i, "%q is not a finite number", record[i])
		}
		if r.label >= 0 {
			if err := labels.add(record[r.label]); err != nil {
				return r.rejected(r.label, "%v", err)
			}
		}
		t.offsets = append(t.offsets, [2]int64{from, to})
		return nil
	})
	if err != nil {
		return nil, nil, nil, err
	}
	n, columns := len(t.offsets), len(r.header)
	if n == 0 {
		return nil, nil, nil, &tensor.FileError{File: r.path, Reason: "it has no records"}
	}
	var classes []string
	if r.label >= 0 {
		columns--
		if t.labels, classes, err = labels.values(o.Labels); err != nil {
			return nil, nil, nil, &tensor.FileError{File: r.path, Err: err}
		}
	}
	t.fields = []Field{{"x", tensor.Float32, tensor.Shape{n, columns}}}
	if t.labels != nil {
		t.fields = append(t.fields, Field{"y", t.labels.DType(), tensor.Shape{n}})
	}
	return t, classes, bad, nil
}

// parse gives the numbers of a record, up to the column that has none, -1 where all have.
func (t *table) parse(record []string, number func(float32)) int {
	for i, text := range record {
		if i == t.label {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 32)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return i
		}
		number(float32(v))
	}
	return -1
}

func (t *table) Fields() []Field  { return t.fields }
func (t *table) Close() error     { return t.file.Close() }
func (t *table) Place(int) string { return "" }

func (t *table) Read(field int, samples []int) (*tensor.Tensor, error) {
	if t.fields[field].Name == "y" {
		return rowsOf(t.labels, samples)
	}
	x := make([]float32, 0, len(samples)*t.fields[0].Shape[1])
	for _, k := range samples {
		from, to := t.offsets[k][0], t.offsets[k][1]
		record, err := csv.NewReader(io.NewSectionReader(t.file, from, to-from)).Read()
		if err != nil || len(record) != len(t.header) || t.parse(record, func(v float32) { x = append(x, v) }) >= 0 {
			return nil, &tensor.FileError{File: t.path, Record: fmt.Sprintf("record %d", k), Reason: "it has changed", Err: err}
		}
	}
	return tensor.FromSlice(x, len(samples), t.fields[0].Shape[1])
}

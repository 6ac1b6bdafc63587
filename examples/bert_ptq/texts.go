package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/tensor"
)

// openTexts reads labelled texts: tab-separated with a header, as the tasks of
// GLUE are, or already tokenized in an .npz file with the arrays input_ids,
// attention_mask, token_type_ids and y.
func openTexts(path string, t *Tokenizer, length int) (*data.Dataset, error) {
	if filepath.Ext(path) == ".npz" {
		return data.OpenDataset(path)
	}
	arrays, err := readTexts(path, t, length)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data.NewDataset(arrays)
}

// readTexts tokenizes the texts of a tab-separated file.
func readTexts(path string, t *Tokenizer, length int) (tensor.Arrays, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var columns *textColumns
	var ids, mask, types, labels []int64
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if columns == nil {
			if columns, err = findColumns(fields); err != nil {
				return nil, err
			}
			continue
		}
		label, text, second, err := columns.read(fields)
		if err != nil {
			return nil, fmt.Errorf("text %d: %w", len(labels)+1, err)
		}
		e := t.Encode(text, second, length)
		ids, mask, types = append(ids, e.InputIDs...), append(mask, e.AttentionMask...), append(types, e.TokenTypeIDs...)
		labels = append(labels, label)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	var arrays tensor.Arrays
	for _, a := range []struct {
		name   string
		values []int64
	}{{"input_ids", ids}, {"attention_mask", mask}, {"token_type_ids", types}} {
		x, err := tensor.FromSlice(a.values, len(labels), length)
		if err != nil {
			return nil, err
		}
		arrays = append(arrays, tensor.Named{Name: a.name, Tensor: x})
	}
	y, err := tensor.FromSlice(labels, len(labels))
	if err != nil {
		return nil, err
	}
	return append(arrays, tensor.Named{Name: "y", Tensor: y}), nil
}

// textColumns says where in a line the label and the texts are.
type textColumns struct {
	label, first int
	second       int // -1 without
}

// findColumns finds the columns by the names that the files of SST-2, MRPC and
// their like have.
func findColumns(header []string) (*textColumns, error) {
	find := func(names ...string) int {
		return slices.IndexFunc(header, func(h string) bool { return slices.Contains(names, strings.ToLower(strings.Trim(h, "\ufeff "))) })
	}
	c := &textColumns{
		label: find("label", "quality"), first: find("content", "sentence", "sentence1", "#1 string"), second: find("sentence2", "#2 string"),
	}
	if c.label < 0 || c.first < 0 {
		return nil, fmt.Errorf("the header %q names no label and text", header)
	}
	return c, nil
}

func (c *textColumns) read(fields []string) (label int64, text, second string, err error) {
	if len(fields) <= max(c.label, c.first, c.second) {
		return 0, "", "", fmt.Errorf("%d columns where column %d is needed", len(fields), max(c.label, c.first, c.second)+1)
	}
	if _, err := fmt.Sscan(fields[c.label], &label); err != nil {
		return 0, "", "", fmt.Errorf("the label %q is no number", fields[c.label])
	}
	if c.second >= 0 {
		second = fields[c.second]
	}
	return label, fields[c.first], second, nil
}

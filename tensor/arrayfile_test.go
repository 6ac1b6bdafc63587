package tensor

import (
	"archive/zip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOpenArrays reads rows and whole arrays, small and large, stored and deflated: the same as all at once gives.
func TestOpenArrays(t *testing.T) {
	large := counted(t, Int32, Shape{3000, 10, 10}) // more than is kept in memory
	small := counted(t, Uint8, Shape{7, 2})
	for name, method := range map[string]uint16{"stored.npz": zip.Store, "deflated.npz": zip.Deflate, "x.npy": 0} {
		path := filepath.Join(t.TempDir(), name)
		f := must(os.Create(path))
		if strings.HasSuffix(name, ".npy") {
			if err := WriteNPY(f, large); err != nil {
				t.Fatal(err)
			}
		} else {
			z := zip.NewWriter(f)
			for _, a := range []Named{{"large", large}, {"small", small}} {
				if err := WriteNPY(must(z.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: method})), a.Tensor); err != nil {
					t.Fatal(err)
				}
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		arrays, err := OpenArrays(context.Background(), path, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer arrays.Close()
		for i, want := range []*Tensor{large, small}[:len(arrays.Arrays)] {
			a := arrays.Arrays[i]
			if got := must(a.Whole()); !same(got, want) {
				t.Errorf("%s: %s differs", name, a.Name)
			}
			rows := []int{5, 0, 1, 2, 2, 6}
			got := must(a.Rows(rows))
			for k, r := range rows {
				if !slices.Equal(must(got.Slice(0, k, k+1, 1)).Bytes(), must(want.Slice(0, r, r+1, 1)).Bytes()) {
					t.Errorf("%s: row %d of %s differs", name, r, a.Name)
				}
			}
			if _, err := a.Rows([]int{want.Dim(0)}); err == nil {
				t.Errorf("%s: a row that is not there", name)
			}
		}
	}
}

// TestOpenArraysChecks notices a flipped byte of a large array when it is opened, and a budget that is too small when it is read.
func TestOpenArraysChecks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := WriteNPZ(path, []Named{{"x", counted(t, Int32, Shape{1000, 1000})}}); err != nil {
		t.Fatal(err)
	}
	arrays, err := OpenArrays(context.Background(), path, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer arrays.Close()
	if _, err := arrays.Arrays[0].Rows([]int{0, 999}); err != nil {
		t.Error(err)
	}
	var budget *BudgetError
	if _, err := arrays.Arrays[0].Whole(); !errors.As(err, &budget) {
		t.Errorf("more than the budget: %v", err)
	}
	content := must(os.ReadFile(path))
	content[2_000_000] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var fe *FileError
	if _, err := OpenArrays(context.Background(), path, 0); !errors.As(err, &fe) || fe.File != path || fe.Record != "x.npy" {
		t.Errorf("a flipped byte: %v", err)
	}
}

// TestRowWriter writes arrays batch by batch: the file is that of all at once.
func TestRowWriter(t *testing.T) {
	a, b := counted(t, Float32, Shape{7, 2, 3}), counted(t, Int64, Shape{7})
	var w RowWriter
	defer w.Close()
	for _, part := range [][2]int{{0, 3}, {3, 4}, {4, 7}} {
		batch := []*Tensor{must(a.Slice(0, part[0], part[1], 1)), must(b.Slice(0, part[0], part[1], 1))}
		if err := w.Add([]string{"a", "b"}, batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Add([]string{"a"}, []*Tensor{b}); err == nil {
		t.Error("rows of another type were taken")
	}
	whole, parts := filepath.Join(t.TempDir(), "whole.npz"), filepath.Join(t.TempDir(), "parts.npz")
	if err := errors.Join(WriteNPZ(whole, []Named{{"a", a}, {"b", b}}), w.WriteNPZ(parts)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(must(os.ReadFile(whole)), must(os.ReadFile(parts))) {
		t.Error("the file differs from that of all rows at once")
	}
}

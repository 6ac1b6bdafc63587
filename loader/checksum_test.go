package loader

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
)

// TestFlippedBytes loads a file with two other bytes at each place of its header, and at places drawn in its tensors: what was
// written is read, or a *FileError names file and record.
func TestFlippedBytes(t *testing.T) {
	g := floatNet(t)
	g.Info = &graph.Info{Labels: []string{"cat", "dog"}, Preprocessing: &graph.Preprocessing{Size: []int{8}, Mean: []float32{0.5}}}
	raw := must(os.ReadFile(savedModel(t, g)))
	path := filepath.Join(t.TempDir(), "flipped.safetensors")
	r := rand.New(rand.NewPCG(3, 4))
	tensors := false
	for i := range 900 {
		at := i * 47 % len(raw)
		damaged := slices.Clone(raw)
		damaged[at] ^= byte(1 + r.IntN(255))
		damaged[r.IntN(len(raw))] ^= byte(1 + r.IntN(255))
		if slices.Equal(damaged, raw) {
			continue
		}
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		for name, options := range map[string][]Option{"read": nil, "mapped": {Mapped(new(Mapping))}, "on demand": {OnDemand()}} {
			err := loadAll(path, options...)
			var fe *FileError
			if !errors.As(err, &fe) || fe.File != path {
				t.Fatalf("%s with byte %d flipped: %v", name, at, err)
			}
			var ce *ChecksumError
			tensors = tensors || errors.As(err, &ce) && fe.Record == "conv.weight"
		}
	}
	if !tensors {
		t.Error("no checksum of a tensor was compared")
	}
}

// loadAll loads a model with all its constants.
func loadAll(path string, options ...Option) error {
	g, err := Load(path, options...)
	if err != nil {
		return err
	}
	for _, v := range g.Constants() {
		if err := v.Const.Load(); err != nil {
			return err
		}
	}
	return nil
}

// TestInfo saves what a model says of itself, and reads it back.
func TestInfo(t *testing.T) {
	g := floatNet(t)
	g.Info = &graph.Info{
		Source: "a.pt", SourceDigest: strings.Repeat("0", 64), Labels: []string{"cat", "dog"}, SampleRate: 16000,
		Preprocessing: &graph.Preprocessing{Size: []int{256}, Crop: []int{224}, Mean: []float32{0.485}, Std: []float32{0.229}},
	}
	path := savedModel(t, g)
	got := must(Load(path)).Info
	in := graph.InputInfo{Name: "image", DType: "float32", Shape: []int64{-1, 3, 8, 8}}
	switch {
	case got == nil || got.Octet != Version() || len(got.GraphDigest) != 64:
		t.Errorf("version and digest: %+v", got)
	case len(got.Inputs) != 1 || got.Inputs[0].Name != in.Name || got.Inputs[0].DType != in.DType || len(got.Inputs[0].Shape) != 4:
		t.Errorf("inputs %+v", got.Inputs)
	case got.Source != "a.pt" || got.SourceDigest != g.Info.SourceDigest || !slices.Equal(got.Labels, g.Info.Labels) || got.SampleRate != 16000:
		t.Errorf("%+v", got)
	case got.Preprocessing == nil || !slices.Equal(got.Preprocessing.Crop, []int{224}) || got.Preprocessing.Mean[0] != 0.485:
		t.Errorf("preprocessing %+v", got.Preprocessing)
	}
}

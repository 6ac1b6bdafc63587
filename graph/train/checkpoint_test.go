package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// run makes steps over a fixed set of samples.
func run(t *testing.T, tr *Trainer, s *Sampler, n int) {
	t.Helper()
	all, labels := batch(t, 40, 77)
	x, y := batch(t, 8, 1)
	for range n {
		for i, k := range s.Next() {
			copy(x.Float32s()[i*50:(i+1)*50], all.Float32s()[k*50:(k+1)*50])
			y.Int64s()[i] = labels.Int64s()[k]
		}
		if _, err := tr.Step(context.Background(), x, y); err != nil {
			t.Fatal(err)
		}
	}
}

func newSampler(t testing.TB, seed uint64) *Sampler {
	t.Helper()
	s, err := NewSampler(seed, 40, 8)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestResume checks that training which was stopped and resumed, in the middle of an epoch
// and across the step at which batch norm freezes, ends with the same bits.
func TestResume(t *testing.T) {
	opts := Options{Optimizer: Adam{LR: 0.01, WeightDecay: 0.01}, FreezeBatchNorm: 9, Schedule: Cosine(14, 0)}
	_, whole := newTrainer(t, opts)
	run(t, whole, newSampler(t, 5), 14)

	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	_, first := newTrainer(t, opts)
	s := newSampler(t, 5)
	run(t, first, s, 7)
	if err := first.Save(path, s); err != nil {
		t.Fatal(err)
	}
	_, second := newTrainer(t, opts)
	resumed := newSampler(t, 5)
	if err := second.Load(path, resumed); err != nil {
		t.Fatal(err)
	}
	if second.Steps() != 7 || resumed.Epoch() != 1 {
		t.Errorf("resumed at step %d of epoch %d", second.Steps(), resumed.Epoch())
	}
	run(t, second, resumed, 7)
	if !bytes.Equal(values(whole.Parameters()), values(second.Parameters())) {
		t.Error("the resumed training gives other parameters")
	}
}

// TestResumeRefuses checks that a file of something else changes nothing.
func TestResumeRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "checkpoint.npz")
	_, tr := newTrainer(t, Options{Optimizer: Adam{LR: 0.01}})
	if err := tr.Save(path, newSampler(t, 5)); err != nil {
		t.Fatal(err)
	}
	reject := func(what string, tr *Trainer, path string, s *Sampler) {
		t.Helper()
		before := values(tr.Parameters())
		var file *tensor.FileError
		if err := tr.Load(path, s); !errors.As(err, &file) || file.File != path {
			t.Errorf("%s: %v", what, err)
		}
		if !bytes.Equal(before, values(tr.Parameters())) {
			t.Errorf("%s: parameters have changed", what)
		}
	}
	_, sgd := newTrainer(t, Options{Optimizer: SGD{LR: 0.01}})
	reject("another optimiser", sgd, path, nil)
	reject("another seed", tr, path, newSampler(t, 6))
	_, other := newTrainer(t, Options{Optimizer: Adam{LR: 0.02}, Settings: map[string]string{"lr": "0.02"}})
	reject("other settings", other, path, nil)
	settings := filepath.Join(dir, "settings.npz")
	if err := other.Save(settings, nil); err != nil {
		t.Fatal(err)
	}
	reject("settings of another training", tr, settings, nil)
	if err := other.Load(settings, nil); err != nil {
		t.Errorf("its own settings: %v", err)
	}
	arrays, err := tensor.ReadNPZ(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, arrays tensor.Arrays) string {
		p := filepath.Join(dir, name)
		if err := tensor.WriteNPZ(p, arrays); err != nil {
			t.Fatal(err)
		}
		return p
	}
	reject("a missing array", tr, write("missing.npz", arrays[:len(arrays)-1]), nil)
	reject("no state", tr, write("stateless.npz", arrays[1:]), nil)
	wrong := slices.Clone(arrays)
	text := bytes.Replace(arrays[0].Tensor.Uint8s(), []byte(`"next":0`), []byte(`"next":9`), 1)
	if wrong[0].Tensor, err = tensor.FromSlice(text, len(text)); err != nil {
		t.Fatal(err)
	}
	reject("a batch that does not exist", tr, write("batch.npz", wrong), newSampler(t, 5))
	before := values(tr.Parameters())
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.npz")
	if err := os.WriteFile(cut, data[:len(data)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	reject("half a file", tr, cut, nil)
	for i := 50; i < len(data); i += 997 {
		flipped := slices.Clone(data)
		flipped[i] ^= 0x10
		if err := os.WriteFile(cut, flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		var file *tensor.FileError
		if err := tr.Load(cut, newSampler(t, 5)); err != nil && !errors.As(err, &file) {
			t.Errorf("with byte %d of %d flipped: %v", i, len(data), err)
		} else if err == nil && !bytes.Equal(values(tr.Parameters()), before) {
			t.Errorf("with byte %d of %d flipped other values are taken", i, len(data))
		}
	}
}

func TestSampler(t *testing.T) {
	s := newSampler(t, 1)
	seen := make(map[int]int)
	var first []int
	for range s.PerEpoch() {
		b := s.Next()
		if len(b) != 8 {
			t.Fatalf("a batch of %d", len(b))
		}
		first = append(first, b...)
		for _, k := range b {
			seen[k]++
		}
	}
	if len(seen) != 40 || s.Epoch() != 1 {
		t.Errorf("an epoch has %d of 40 samples, then comes epoch %d", len(seen), s.Epoch())
	}
	if slices.Equal(first[:8], s.Next()) {
		t.Error("both epochs begin with the same batch")
	}
	again := newSampler(t, 1)
	if !slices.Equal(first[:8], again.Next()) {
		t.Error("the same seed gives another order")
	}
	if _, err := NewSampler(1, 7, 8); err == nil {
		t.Error("a batch larger than the data was accepted")
	}
}

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Schedule
		want map[int]float64
	}{
		{"constant", Constant, map[int]float64{0: 1, 1000: 1}},
		{"step", StepDecay(10, 0.1), map[int]float64{0: 1, 9: 1, 10: 0.1, 29: 0.01}},
		{"cosine", Cosine(100, 0.1), map[int]float64{0: 1, 50: 0.55, 100: 0.1, 500: 0.1}},
		{"warm-up", WarmUp(4, StepDecay(2, 0.5)), map[int]float64{0: 0.2, 3: 0.8, 4: 1, 5: 1, 6: 0.5}},
	} {
		for step, want := range c.want {
			if got := c.s(step); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s at step %d: %v, want %v", c.name, step, got, want)
			}
		}
	}
}

package quantize

import (
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

var updateStates = flag.Bool("update-states", false, "write testdata/states anew, which no change of the format may do")

// writeStates makes a state of each version: 4 with moments, 3 of a shard, 2, and 1, which did not name its model.
func writeStates(t *testing.T) {
	m := build(t, []int{1, 3, 16, 16}, mobile)
	write := func(name string, data string) {
		if err := os.WriteFile(filepath.Join("testdata/states", name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	q := observing(MinMax)
	observeBatches(t, q, m, 1, 2)
	data, err := q.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	write("v2.json", string(data))
	write("v1.json", strings.Replace(strings.Replace(string(data), `"version":2`, `"version":1`, 1), `"model":"`+q.model+`",`, "", 1))
	s := observing(MinMax)
	if err := s.Shard(Shard{0, 1}, 4, 2); err != nil {
		t.Fatal(err)
	}
	observeBatches(t, s, m, 1, 2)
	if data, err = s.MarshalJSON(); err != nil {
		t.Fatal(err)
	}
	write("v3.json", string(data))
	r := withMoments()
	observeBatches(t, r, m, 1, 2)
	if data, err = r.MarshalJSON(); err != nil {
		t.Fatal(err)
	}
	write("v4.json", string(data)) // v2_moments.json has the same, written by version 2
}

// withMoments returns a quantizer that rounds two layers, one of them in groups, by what data says.
func withMoments() *Quantizer {
	return New(Options{Activation: &ObserverConfig{Kind: MinMax, Spec: affineU8}, Rounding: Learned, CorrectBias: true, Filter: Filter{IncludeNames: []string{"depthwise", "reduce"}}})
}

// TestMomentsOfAllVersions quantizes from moments of version 2 and of version 4, and merges them.
func TestMomentsOfAllVersions(t *testing.T) {
	m := build(t, []int{1, 3, 16, 16}, mobile)
	x := randomInput(t, 9, 1, 3, 16, 16)
	now := withMoments()
	observeBatches(t, now, m, 1, 2)
	want := run(t, quantized(t, now, m), x)[0].Float32s()
	var all []*Quantizer
	for _, name := range []string{"v2_moments.json", "v4.json"} {
		q, err := LoadQuantizer(filepath.Join("testdata/states", name))
		if err != nil {
			t.Fatal(err)
		}
		for layer, rows := range map[string]int64{"depthwise.weight": 256, "reduce.weight": 4} {
			have, want := q.moments[layer].moments(), now.moments[layer].moments()
			if have.rows != rows {
				t.Fatalf("%s: %d rows of %s", name, have.rows, layer)
			}
			for i, v := range want.sum {
				if math.Abs(have.sum[i]-v) > 1e-4*math.Abs(v)+1e-4 {
					t.Errorf("%s: sum %d of %s is %v, want %v", name, i, layer, have.sum[i], v)
				}
			}
			for i, v := range want.second {
				if math.Abs(float64(have.second[i]-v)) > 1e-4*math.Abs(float64(v))+1e-4 {
					t.Errorf("%s: product %d of %s is %v, want %v", name, i, layer, have.second[i], v)
				}
			}
		}
		got := run(t, quantized(t, q, m), x)[0].Float32s()
		if s := sumsOf(got, want); s.noise > 1e-3*s.signal {
			t.Errorf("%s: the outputs differ by %v of %v", name, s.noise, s.signal)
		}
		all = append(all, q)
	}
	if err := all[0].Merge(all[1]); err != nil || all[0].moments["reduce.weight"].rows != 8 {
		t.Errorf("merged: %v", err)
	}
}

// TestStatesOfAllVersions reads a state of each version that was ever written, and says of a newer one what to do.
func TestStatesOfAllVersions(t *testing.T) {
	if *updateStates {
		writeStates(t)
	}
	m := build(t, []int{1, 3, 16, 16}, mobile)
	for _, name := range []string{"v1.json", "v2.json", "v3.json"} {
		path := filepath.Join("testdata/states", name)
		have, err := LoadQuantizer(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(have.values) != 19 || (len(have.Warnings()) > 0) != (name == "v1.json") {
			t.Errorf("%s: %d values, warnings %q", name, len(have.values), have.Warnings())
		}
		if name == "v3.json" { // a shard, which is used once all are merged
			continue
		}
		// The least and greatest value that the files have of it.
		want := (4.537039 + 3.4188948) / 255
		if p := activations(t, have, m)["add"]; p == nil || math.Abs(float64(p.Scale[0])-want) > 1e-7 || p.ZeroPoint[0] != 110 {
			t.Errorf("%s: add is %v, want scale %v", name, p, want)
		}
	}
	data, err := os.ReadFile("testdata/states/v2.json")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "new.json")
	if err := os.WriteFile(path, []byte(strings.Replace(string(data), `"version":2`, `"version":5`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = LoadQuantizer(path)
	if file, ok := errors.AsType[*tensor.FileError](err); !ok || file.File != path || !strings.Contains(err.Error(), "version 5 of the format, this is for version 4: use a newer octet") {
		t.Errorf("a newer version: %v", err)
	}
}

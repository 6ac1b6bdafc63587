package loader

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// biasNet is two layers that have their biases in units of their sums, but for those that a test changes.
func biasNet(t *testing.T, change func(scales []float32)) *graph.Graph {
	b := newNet(t)
	x := b.g.Input("x", tensor.Float32, 1, 4, 6, 6)
	v := b.add("in", int8.Quantize{Q: tensor.PerTensor(tensor.Uint8, 0.023529412, 114)}, x)
	layer := func(name string, op ops.Op, shape ...int) {
		w := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Min: -127, Max: 127, ZeroPoint: make([]int32, shape[0])}
		bias := &tensor.QParams{DType: tensor.Int32, Scheme: tensor.PerChannelSymmetric, Min: -1 << 31, Max: 1<<31 - 1, ZeroPoint: make([]int32, shape[0])}
		for range shape[0] {
			w.Scale = append(w.Scale, b.r.Float32()/300+1e-4)
			bias.Scale = append(bias.Scale, v.Type.Q.Scale[0]*w.Scale[len(w.Scale)-1])
		}
		if name == "fc" {
			change(bias.Scale)
		}
		v = b.add(name, op, v, b.g.Const(name+".weight", randomTensor(b.r, tensor.Int8, shape...).WithQParams(w)),
			b.g.Const(name+".bias", randomTensor(b.r, tensor.Int32, shape[0]).WithQParams(bias)))
	}
	out := tensor.PerTensor(tensor.Uint8, 0.1, 7)
	layer("conv", int8.Conv{ConvAttributes: ops.ConvAttributes(threeByThree), Out: out}, 8, 4, 3, 3)
	v = b.add("flatten", ops.Flatten{Start: 1, End: -1}, v)
	layer("fc", int8.Linear{LinearAttributes: ops.LinearAttributes{HasBias: true}}, 3, 8*36)
	b.g.SetOutputs(v)
	return b.g
}

// TestBiasScales saves biases whose scales follow from their layers without them, and reads all back.
func TestBiasScales(t *testing.T) {
	for name, c := range map[string]struct {
		change func([]float32)
		want   bool // whether the file has the scales of fc
	}{
		"those of the sums": {func([]float32) {}, false},
		"others":            {func(s []float32) { s[1] *= 1.25 }, true},
	} {
		g := biasNet(t, c.change)
		path := savedModel(t, g)
		checkEqualGraphs(t, must(Load(path)), g)
		raw := must(os.ReadFile(path))
		if bytes.Contains(raw, []byte(`"conv.bias.scale"`)) || bytes.Contains(raw, []byte(`"fc.bias.scale"`)) != c.want {
			t.Errorf("%s: %s", name, raw[:2000])
		}
	}
	path := savedModel(t, biasNet(t, func([]float32) {}))
	for old, edited := range map[string]string{
		`"inputs":[7,3,4]`:           `"inputs":[7,3]`, // nobody adds fc.bias
		`"qparams":{"DType":"int32"`: `"qparams":{"DType":"uint8"`,
		`"Min":-2147483648`:          `"Min":2147483647`,
	} {
		raw := editModel(t, path, old, edited)
		_, err := LoadFrom(bytes.NewReader(raw), int64(len(raw)))
		var fe *FileError
		if !errors.As(err, &fe) || !strings.Contains(fe.Record, "fc") && !strings.Contains(fe.Record, "conv") {
			t.Errorf("%s: %v", edited, err)
		}
	}
}

// TestChecksumsByName reads the checksums of older files.
func TestChecksumsByName(t *testing.T) {
	entries := []safetensorsEntry{{name: "b"}, {name: "a"}}
	for _, c := range []struct {
		text, bad string
		want      []string
	}{
		{text: `{"__metadata__":"00000001","a":"00000002","b":"00000003"}`, want: []string{"00000001", "00000003", "00000002"}},
		{text: "000000010000000300000002", want: []string{"00000001", "00000003", "00000002"}},
		{text: "0000000100000003", bad: "2 checksums"},
		{text: "00000001000000030000000", bad: "checksums"},
		{text: `{"__metadata__":"00000001","a":"00000002"}`, bad: "2 checksums"},
		{text: `{"`, bad: "unexpected end"},
		{text: "", bad: "0 checksums"},
	} {
		got, err := splitChecksums(c.text, entries)
		if c.bad == "" && (err != nil || !slices.Equal(got, c.want)) || c.bad != "" && (err == nil || !strings.Contains(err.Error(), c.bad)) {
			t.Errorf("%s: %v, %v", c.text, got, err)
		}
	}
}

// TestPackedText refuses graphs that are not what packText makes, without reading more than is allowed.
func TestPackedText(t *testing.T) {
	packed := must(packText(`{"version":2}`))
	if text := must(unpackText(modelMetadata, packed)); text != `{"version":2}` {
		t.Errorf("%s", text)
	}
	bomb := must(packText(`{"version":2` + strings.Repeat(" ", maxModelText)))
	for _, c := range []struct{ packed, reason string }{
		{"%" + packed, "neither JSON nor compressed"},
		{packed[:len(packed)-4], "cannot be decompressed"},
		{packed + "AAAA", "follow"},
		{"", "cannot be decompressed"},
	} {
		_, err := unpackText(modelMetadata, c.packed)
		if !isFileError(err, "") || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%.20s: %v", c.packed, err)
		}
	}
	if len(bomb) > 1<<20 {
		t.Fatalf("%d bytes", len(bomb))
	}
	raw := modelBytes(t, bomb, nil)
	if _, err := LoadFrom(bytes.NewReader(raw), int64(len(raw))); !isFileError(err, "") || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a graph of more than %d bytes: %v", maxModelText, err)
	}
}

// TestInputParamsKept saves a graph with a quantized input: the loaded one takes its parameters, and no others.
func TestInputParamsKept(t *testing.T) {
	q := tensor.PerTensor(tensor.Uint8, 0.5, 3)
	b := newNet(t)
	x := b.g.Input("x", tensor.Uint8, 2)
	x.Type.Q = q
	b.g.SetOutputs(b.add("", int8.Dequantize{}, x))
	s, err := must(Load(savedModel(t, b.g))).Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	integers := must(tensor.FromSlice([]uint8{3, 5}, 2))
	if out, err := s.Run(t.Context(), integers.WithQParams(q)); err != nil || out[0].Float32s()[1] != 1 {
		t.Errorf("the parameters of the file: %v, %v", out, err)
	}
	var ie *graph.InputError
	if _, err := s.Run(t.Context(), integers.WithQParams(tensor.PerTensor(tensor.Uint8, 0.25, 3))); !errors.As(err, &ie) || ie.Name != "x" {
		t.Errorf("other parameters: %v", err)
	}
}

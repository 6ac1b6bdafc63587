package loader

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// editModel returns a saved model with its graph changed as text.
func editModel(t testing.TB, path, old, new string) []byte {
	t.Helper()
	tensors, metadata, err := ReadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	text := must(unpackText(modelMetadata, metadata[modelMetadata]))
	if !strings.Contains(text, old) {
		t.Fatalf("%q is not in %s", old, text)
	}
	return modelBytes(t, strings.Replace(text, old, new, 1), tensors)
}

// modelBytes returns a file with the given text as its graph.
func modelBytes(t testing.TB, text string, tensors []Named) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "edited")
	if err := WriteSafetensors(path, map[string]string{modelMetadata: text}, tensors); err != nil {
		t.Fatal(err)
	}
	return must(os.ReadFile(path))
}

func TestLoadRefuses(t *testing.T) {
	floats, ints := savedModel(t, floatNet(t)), savedModel(t, int8Net(t))
	for _, c := range []struct{ path, old, new, record, reason string }{
		{floats, `{"version":2`, `{"version":3`, "octet", "use a newer octet"},
		{floats, `{"version":2`, `{"version":3,"later":[{}]`, "octet", "use a newer octet"},
		{floats, `{"version":2`, `{"version":0`, "octet", "version 0"},
		{floats, `{"version":2`, `{"version":2,"version":2`, "octet", "stands twice"},
		{floats, `"inputs"`, `"Inputs"`, "octet", `unknown field "Inputs"`},
		{floats, `"op":"conv"`, `"op":"conv","more":1`, "octet", `unknown field "more"`},
		{floats, `"op":"conv"`, `"op":"cnov"`, "node 0 (conv, cnov)", "does not have: cnov"},
		{floats, `"Groups":1`, `"Groups":1,"Grups":1`, "node 0 (conv, conv)", `attributes: unknown field "Grups"`},
		{floats, `"Groups":1`, `"Groups":1,"Groups":1`, "node 0 (conv, conv)", "stands twice"},
		{floats, `"Groups":1`, `"Groups":0`, "node 0 (conv, conv)", "groups"},
		{floats, `"Groups":1`, `"Groups":1.5`, "node 0 (conv, conv)", "Groups: 1.5 where a number of type int"},
		{floats, `"Groups":1`, `"Groups":"one"`, "node 0 (conv, conv)", "Groups: one"},
		{floats, `"Groups":1`, `"Groups":99999999999999999999`, "node 0 (conv, conv)", "Groups"},
		{floats, `"Stride":[1,1]`, `"Stride":[1,1,1]`, "node 0 (conv, conv)", "5 dimensions"},
		{floats, `"Stride":[1,1]`, `"Stride":{}`, "node 0 (conv, conv)", "a list"},
		{floats, `"Stride":[1,1]`, `"Stride":[[1],1]`, "node 0 (conv, conv)", "[ where"},
		{floats, `"HasBias":true`, `"HasBias":1`, "node 0 (conv, conv)", "true or false"},
		{floats, `"Act":"relu6"`, `"Act":"relu7"`, "node 3 (add, binary)", "unknown activation"},
		{floats, `"Act":"relu6"`, `"Act":2`, "node 3 (add, binary)", "a name"},
		{floats, `"Fn":"clamp"`, `"Fn":"clmap"`, "node 7 (clamp, unary)", "unknown function"},
		{floats, `"Alpha":"-Infinity"`, `"Alpha":"Inf"`, "node 7 (clamp, unary)", "Alpha"},
		{floats, `"inputs":[0,1,2]`, `"inputs":[0,1,-2]`, "node 0 (conv, conv)", "value -2"},
		{floats, `"inputs":[0,1,2]`, `"inputs":[0,1,99]`, "node 0 (conv, conv)", "value 99"},
		{floats, `"inputs":[0,1,2]`, `"inputs":[0,1,7]`, "node 0 (conv, conv)", "value 7"},
		{floats, `"inputs":[0,1,2]`, `"inputs":[0,1]`, "node 0 (conv, conv)", "inputs"},
		{floats, `"dtype":"float32"`, `"dtype":"float31"`, "octet", "unknown dtype"},
		{floats, `"dtype":"float32"`, `"dtype":"int8"`, "node 0 (conv, conv)", "float32"},
		{floats, `"dtype":"float32",`, ``, "input 0 (image)", "element type"},
		{floats, `"shape":[1,3,8,8]`, `"shape":[1,3,8,-8]`, "input 0 (image)", "negative"},
		{floats, `"shape":[1,3,8,8]`, `"shape":[1,3,99999999999,99999999]`, "input 0 (image)", "too many"},
		{floats, `"shape":[1,3,8,8]`, `"shape":[0,3,9999999999,999999]`, "input 0 (image)", "too many"},
		{floats, `"shape":[1,3,8,8]`, `"shape":[` + strings.Repeat("1,", 64) + `1]`, "input 0 (image)", "dimensions"},
		{floats, `"tensor":"conv.weight"`, `"tensor":"fc.weight"`, "conv.weight", "does not use"},
		{floats, `"tensor":"conv.weight"`, `"tensor":"else"`, "conv.weight", "does not use"},
		{floats, `{"name":"conv.weight","tensor":"conv.weight"}`, `{"name":"conv.weight","tensor":"conv.weight"},{"tensor":"else"}`, "constant 1 ()", `no tensor "else"`},
		{floats, `"names":["logits"]`, `"names":["logits","more"]`, "node 9 (fc, linear)", "2 names"},
		{floats, `"outputs":[`, `"outputs":[-1,`, "outputs", "value -1"},
		{floats, `"outputs":[16,0,6,16]`, `"outputs":[]`, "", "no outputs"},
		{floats, `"outputs":[16,0,6,16]}`, `"outputs":[16]}]`, "octet", "follows"},
		{floats, `"outputs":[16,0,6,16]}`, `"outputs":[16]`, "octet", "EOF"},
		{ints, `"Scheme":"per_channel_symmetric"`, `"Scheme":"per_chanel"`, "octet", "scheme"},
		{ints, `"Scheme":"per_channel_symmetric"`, `"Scheme":"per_tensor_affine"`, "constant 0 (conv.weight)", "scales"},
		{ints, `"qparams":{"DType":"int8"`, `"qparams":{"DType":"int32"`, "constant 0 (conv.weight)", "parameters of int32"},
		{ints, `"scales":"conv.weight.scale"`, `"scales":"conv.weight"`, "conv.weight.scale", "does not use"},
		{ints, `"scales":"conv.weight.scale"`, `"scales":"conv.weight.scale","zero_points":"conv.bias"`, "constant 0 (conv.weight)", "zero point"},
		{ints, `"scales":"conv.bias.scale"`, `"bias_scales":true`, "conv.bias.scale", "does not use"},
		{ints, `"scales":"conv.bias.scale"`, `"scales":"conv.bias.scale","bias_scales":true`, "constant 1 (conv.bias)", "scales of a layer's sums"},
		{ints, `"ZeroPoint":[114]`, `"ZeroPoint":[256]`, "node 0 (in, int8.quantize)", "zero point 256"},
		{ints, `"ZeroPoint":[7]`, `"ZeroPoint":[]`, "node 1 (conv, int8.conv)", "zero points"},
		{ints, `"Scale":[0.1]`, `"Scale":[1e-60]`, "node 1 (conv, int8.conv)", "positive"},
		{ints, `"Scale":[0.1]`, `"Scale":[1e60]`, "node 1 (conv, int8.conv)", "Scale"},
		{ints, `"Scale":[0.1]`, `"Scale":["NaN"]`, "node 1 (conv, int8.conv)", "positive"},
		{ints, `"Values":[`, `"Values":[0,`, "node 4 (table, int8.table)", "where ] should be"},
		{ints, `"Values":[`, `"Values":[],"Old":[`, "node 4 (table, int8.table)", "a list of 0 where 256"},
	} {
		raw := editModel(t, c.path, c.old, c.new)
		g, err := LoadFrom(bytes.NewReader(raw), int64(len(raw)))
		var fe *FileError
		if reason := reasonHere(c.new, c.reason); reason != c.reason {
			c.record, c.reason = "octet", reason
		}
		if g != nil || !errors.As(err, &fe) || fe.Record != c.record || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s instead of %s: %q (%v), want record %q and %q", c.new, c.old, err, g != nil, c.record, c.reason)
		}
	}
	path := filepath.Join(t.TempDir(), "unknown")
	raw := editModel(t, floats, `"op":"slice"`, `"op":"a"`)
	raw = bytes.Replace(raw, []byte(`\"op\":\"pad\"`), []byte(`\"op\":\"b\"  `), 1) // which is not compressed
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	var fe *FileError
	var unknown *UnknownOperatorError
	if !errors.As(err, &fe) || fe.File != path || !errors.As(err, &unknown) || !slices.Equal(unknown.Operators, []string{"a", "b"}) {
		t.Errorf("unknown operators give %v", err)
	}
}

// TestLoadBudgets checks that lists which take much more memory than text are
// bounded.
func TestLoadBudgets(t *testing.T) {
	for name, c := range map[string]struct{ text, reason string }{
		"nodes":     {`{"version":2,"nodes":[` + strings.Repeat(`{},`, maxModelNodes) + `{}]}`, "memory"},
		"constants": {`{"version":2,"constants":[` + strings.Repeat(`{},`, 1<<15) + `{}]}`, "memory"},
		"scales":    {`{"version":2,"inputs":[{"qparams":{"Scale":[` + strings.Repeat(`1,`, 1<<18) + `1]}}]}`, "memory"},
		"text":      {`{"version":2` + strings.Repeat(` `, maxModelText) + `}`, "bytes"},
		"depth":     {`{"version":2,"nodes":[{"op":"conv","attributes":` + strings.Repeat(`[`, 1<<20) + `}]}`, "depth"},
	} {
		var m modelRecord
		budget := 1 << 20
		if err := parseModel(c.text, &m, &budget); !isFileError(err, c.reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var m modelRecord
	budget := maxModelMemory
	if err := parseModel(`{"version":2,"nodes":[`+strings.Repeat(`{},`, maxModelNodes)+`{}]}`, &m, &budget); !isFileError(err, "65537 nodes") {
		t.Error(err)
	}
	nested := `{"version":2,"nodes":[{"op":"conv","attributes":` + strings.Repeat(`{"Stride":`, 5000) + `1` + strings.Repeat(`}`, 5000) + `}]}`
	raw := modelBytes(t, nested, nil)
	if _, err := LoadFrom(bytes.NewReader(raw), int64(len(raw))); !isFileError(err, "Stride") {
		t.Error(err)
	}
}

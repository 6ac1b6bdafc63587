package exported

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// numbered joins n texts that a number makes.
func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// TestMany has more of each thing in a program than any real one has: small texts that would take far more memory, or time.
func TestMany(t *testing.T) {
	inSpec := func(tree string) string {
		return `"module_call_graph": [{"signature": {"in_spec": "[1, {\"children_spec\": [` + tree + `]}]"}}]`
	}
	for name, c := range map[string]struct{ old, text, reason string }{
		"guards":         {`"guards_code": [`, `"guards_code": [` + numbered(maxGuards, `"L['x'].size()[0] != %d",`), "more than 65536 guards"},
		"arguments":      {`"inputs": [{"name": "self"`, `"inputs": [` + strings.Repeat("{},", maxArgs) + `{"name": "self"`, "more than 1048576 arguments"},
		"tensors":        {`"tensor_values": {`, `"tensor_values": {` + numbered(maxValues, `"%d":{},`), "more than 524288 tensors"},
		"numbers":        {`"sym_bool_values": {`, `"sym_bool_values": {` + strings.TrimSuffix(numbered(maxValues+1, `"%d":{"as_int":1},`), ","), "more than 524288 tensors"},
		"wide pytree":    {`"module_call_graph": []`, inSpec(strings.Repeat("{},", maxTree) + "{}"), "more than 262144 parts"},
		"deep pytree":    {`"module_call_graph": []`, inSpec(strings.Repeat(`{\"children_spec\": [`, maxJSONDepth)), "nested more than"},
		"inputs":         {`"input_specs": [`, `"input_specs": [` + strings.Repeat(`{"token": {"arg": {"name": "t"}}},`, maxInputs), "more than 131072 inputs"},
		"outputs":        {`"output_specs": [`, `"output_specs": [` + strings.Repeat(`{"token": {"arg": {"name": "t"}}},`, maxInputs), "more than 131072 outputs"},
		"large exponent": {`"arg": {"as_tensor": {"name": "p_w"}}`, `"arg": {"as_float": 1e` + strings.Repeat("9", 500) + `}`, "a number of"},
		"long key":       {`"tensor_values": {`, `"tensor_values": {"` + strings.Repeat("k", maxJSONKey+1) + `": {},`, "a key of"},
		"nested graphs": {`"arg": {"as_tensor": {"name": "p_w"}}`, `"arg": ` + strings.Repeat(`{"as_graph": {"name": "g", "graph": {"nodes": [{"inputs": [{"arg": `, maxNested) +
			`{"as_none": true}` + strings.Repeat(`}]}]}}}`, maxNested), "graphs are nested more than 40 deep"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(program, c.old) {
				t.Fatal(c.old)
			}
			text := []byte(strings.Replace(program, c.old, c.text, 1))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := ParseProgram("p.json", text)
			runtime.ReadMemStats(&after)
			if !isFileError(err, c.reason) {
				t.Errorf("got %v, want a rejection with %q", err, c.reason)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 512<<20 {
				t.Errorf("allocated %d bytes for %d", grown, len(text))
			}
		})
	}
}

// TestManyAssertions reads a program that asserts one condition in many nodes: it is one guard.
func TestManyAssertions(t *testing.T) {
	const node = `{"target": "torch.ops.aten._assert_scalar.default", "inputs": [{"name": "self", "arg": {"as_sym_bool": {"as_name": "q"}}}], "outputs": [], "metadata": {}},`
	text := strings.Replace(program, `"nodes": [`, `"nodes": [{"target": "t", "inputs": [], "outputs": [{"as_sym_bool": {"as_name": "q"}}], "metadata": {}},`+strings.Repeat(node, 1000), 1)
	text = strings.Replace(text, `"sym_bool_values": {}`, `"sym_bool_values": {"q": {"as_expr": {"expr_str": "Symbol('s0') < 100"}}}`, 1)
	p, err := ParseProgram("p.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Contract()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.guards) != 2 || len(p.Guards) != 1 {
		t.Errorf("%d guards of the inputs, %d of them in the file", len(c.guards), len(p.Guards))
	}
}

// TestOneRecordOfManyTypes reads a record as one element type after the other: each takes memory of its own, which is counted.
func TestOneRecordOfManyTypes(t *testing.T) {
	meta := func(dtype int) string {
		return fmt.Sprintf(`"t%d": {"path_name": "r", "use_pickle": false, "tensor_meta": {"dtype": %d, "sizes": [{"as_int": 1}], "strides": [{"as_int": 1}], "storage_offset": {"as_int": 0}, "device": {"type": "cpu"}, "layout": 7}}`,
			dtype, dtype)
	}
	text := `{"config": {` + meta(7) + "," + meta(5) + "," + meta(1) + `}}`
	raw := zipped(append(sound()[:4:4], member{"m/data/weights/model_weights_config.json", text}, member{"m/data/weights/r", strings.Repeat("\x00", 4096)})...)
	a, err := Open(bytes.NewReader(raw), int64(len(raw)), 1<<40, noOpen)
	if err != nil {
		t.Fatal(err)
	}
	a.views = 5000
	w, err := a.tensors("model", flatWeights, weightsFolder, "_weights_config.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"t7", "t5"} {
		if _, err := w.Tensor(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Tensor("t1"); !isFileError(err, "more than 16 times") {
		t.Errorf("a third type: %v", err)
	}
}

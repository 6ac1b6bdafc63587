package exported

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

type member struct{ name, data string }

// zipped returns an archive, deflated where the name begins with "deflated:".
func zipped(members ...member) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		name, deflated := strings.CutPrefix(m.name, "deflated:")
		method := zip.Store
		if deflated {
			method = zip.Deflate
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err == nil {
			_, err = w.Write([]byte(m.data))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

const (
	metaX   = `{"dtype": 7, "sizes": [{"as_expr": {"expr_str": "Symbol('s0', positive=True, integer=True)", "hint": {"as_int": 3}}}, {"as_int": 2}], "requires_grad": false, "device": {"type": "cpu", "index": null}, "strides": [{"as_int": 2}, {"as_int": 1}], "storage_offset": {"as_int": 0}, "layout": 7}`
	metaW   = `{"dtype": 7, "sizes": [{"as_int": 2}], "requires_grad": true, "device": {"type": "cuda", "index": 0}, "strides": [{"as_int": 1}], "storage_offset": {"as_int": 0}, "layout": 7}`
	program = `{"graph_module": {"graph": {"inputs": [{"as_tensor": {"name": "p_w"}}, {"as_tensor": {"name": "x"}}], "outputs": [{"as_tensor": {"name": "add"}}],
"nodes": [{"target": "torch.ops.aten.add.Tensor", "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "x"}}, "kind": 1}, {"name": "other", "arg": {"as_tensor": {"name": "p_w"}}, "kind": 1}],
"outputs": [{"as_tensor": {"name": "add"}}], "metadata": {"nn_module_stack": "L__self__,,__main__.Net"}, "name": "add"}],
"tensor_values": {"p_w": ` + metaW + `, "x": ` + metaX + `, "add": ` + metaX + `}, "sym_int_values": {}, "sym_bool_values": {}, "is_single_tensor_return": false, "custom_obj_values": {}, "sym_float_values": {}},
"signature": {"input_specs": [{"parameter": {"arg": {"name": "p_w"}, "parameter_name": "w"}}, {"user_input": {"arg": {"as_tensor": {"name": "x"}}}}], "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "add"}}}}]},
"module_call_graph": [], "metadata": {}}, "opset_version": {"aten": 10}, "range_constraints": {"s0": {"min_val": 2, "max_val": 16}}, "schema_version": {"major": 8, "minor": 20}, "verifiers": ["TRAINING"], "torch_version": "2.14.1", "guards_code": ["L['x'].size()[0] != 5"]}`
	config = `{"config": {"w": {"path_name": "weight_0", "is_param": true, "use_pickle": false, "tensor_meta": ` + metaW + `}}}`
)

func floats(values ...float32) string {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return string(b)
}

// sound returns the records of an archive that is in order.
func sound() []member {
	return []member{
		{"m/archive_format", "pt2"}, {"m/archive_version", "0"}, {"m/byteorder", "little"}, {"m/models/model.json", program},
		{"m/data/weights/model_weights_config.json", config}, {"m/data/weights/weight_0", floats(1, 2)},
		{"m/data/constants/model_constants_config.json", `{"config": {}}`}, {"m/data/sample_inputs/model.pt", "not read"},
	}
}

// with returns the records with one that is changed or added, or, with no data, removed.
func with(name, data string) []byte {
	var out []member
	found := false
	for _, m := range sound() {
		if m.name != name {
			out = append(out, m)
			continue
		}
		found = true
		if data != "" {
			out = append(out, member{name, data})
		}
	}
	if !found {
		out = append(out, member{name, data})
	}
	return zipped(out...)
}

func noOpen(io.ReaderAt, int64) (Tensors, error) { return nil, errors.New("no file of torch.save") }

// load reads a whole archive.
func load(raw []byte) ([]*tensor.Tensor, error) {
	a, err := Open(bytes.NewReader(raw), int64(len(raw)), 1<<40, noOpen)
	if err != nil {
		return nil, err
	}
	name, err := a.Choose("")
	if err != nil {
		return nil, err
	}
	p, err := a.Program(name)
	if err != nil {
		return nil, err
	}
	if _, err := p.Contract(); err != nil {
		return nil, err
	}
	return a.Weights(p)
}

func TestArchive(t *testing.T) {
	raw := zipped(sound()...)
	a, err := Open(bytes.NewReader(raw), int64(len(raw)), 1<<40, noOpen)
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.Program("model")
	if err != nil {
		t.Fatal(err)
	}
	if p.Schema != (Version{8, 20}) || p.Torch != "2.14.1" || !slices.Equal(p.Devices, []string{"cuda"}) || len(p.Graph.Nodes) != 1 || len(p.Guards) != 1 {
		t.Errorf("the program is %+v", p)
	}
	beside := zipped(append(sound(), member{"m/data/aotinductor/model/a.so", "x"}, member{"m/data/executorch/a.pte", "x"}, member{"m/extra/a.txt", "x"})...)
	if _, err := load(beside); err != nil {
		t.Errorf("with compiled code beside the program: %v", err)
	}
	w, err := a.Weights(p)
	if err != nil || len(w) != 2 || w[1] != nil || !slices.Equal(w[0].Float32s(), []float32{1, 2}) {
		t.Errorf("weights %v, %v", w, err)
	}
}

// altered returns the archive with a program in which one text stands for another.
func altered(old, text string) []byte {
	if !strings.Contains(program, old) {
		panic(old)
	}
	return with("m/models/model.json", strings.Replace(program, old, text, 1))
}

func payloadOf(old, text string) []byte {
	if !strings.Contains(config, old) {
		panic(old)
	}
	return with("m/data/weights/model_weights_config.json", strings.Replace(config, old, text, 1))
}

// TestHostile has one archive for each thing that a file may do wrong.
func TestHostile(t *testing.T) {
	deep := strings.Repeat(`{"as_graph": {"name": "g", "graph": {"nodes": [{"inputs": [{"arg": `, 3000)
	blanks := strings.Repeat(" ", 20<<20)
	for name, c := range map[string]struct {
		raw    []byte
		reason string
	}{
		"no program":        {with("m/models/model.json", ""), "without a program"},
		"AOTInductor":       {zipped(member{"m/archive_format", "pt2"}, member{"m/data/aotinductor/model/a.so", "x"}), "AOTInductor package"},
		"AOTInductor, flat": {zipped(member{"archive_format", "pt2"}, member{"data/aotinductor/model/a.so", "x"}), "AOTInductor package"},
		"ExecuTorch":        {zipped(member{"m/archive_format", "pt2"}, member{"m/data/executorch/a.pte", "x"}), "ExecuTorch"},
		"2.1":               {zipped(member{"serialized_exported_program.json", "{}"}, member{"serialized_state_dict.json", "{}"}), "PyTorch 2.1"},
		"several":           {with("m/models/other.json", program), "several models, model, other"},
		"archive version":   {with("m/archive_version", "1"), `archive_version: "1"`},
		"big endian":        {with("m/byteorder", "big"), `byteorder: "big"`},
		"schema 9":          {altered(`"major": 8`, `"major": 9`), "schema version 9.20"},
		"schema 6":          {altered(`"major": 8`, `"major": 6`), "schema version 6.20"},
		"no schema":         {altered(`"schema_version"`, `"other"`), "schema version 0.0"},
		"negative schema":   {altered(`"major": 8`, `"major": -8`), "-8"},
		"not JSON":          {with("m/models/model.json", "x"), "'{'"},
		"BOM":               {with("m/models/model.json", "\ufeff"+program), "byte order mark"},
		"not UTF-8":         {altered("p_w", "p_\xff"), "not UTF-8"},
		"trailing":          {with("m/models/model.json", program+"{}"), "follow after"},
		"deep":              {with("m/models/model.json", `{"schema_version": {"major": 8, "minor": 0}, "graph_module": {"graph": {"nodes": [{"inputs": [{"arg": `+deep), "nested more than"},
		"deep braces":       {with("deflated:m/models/model.json", strings.Repeat("[", 200000)), ""},
		"blanks":            {zipped(append(sound()[:3:3], member{"deflated:m/models/model.json", blanks})...), "deflated records claim"},
		"duplicate key":     {altered(`"target"`, `"target": "a", "target"`), "stands twice"},
		"code in guard":     {altered("L['x'].size()[0] != 5", "__import__('os').system('touch x') or True"), "__import__"},
		"unknown guard":     {altered("L['x'].size()[0] != 5", "L['y'].size()[0] != 5"), "L['y'] is no input"},
		"guard past rank":   {altered("L['x'].size()[0] != 5", "L['x'].size()[2] != 5"), "of an input of 2 dimensions"},
		"code in extent":    {altered("Symbol('s0', positive=True, integer=True)", "eval('1')"), "eval"},
		"deep extent":       {altered("Symbol('s0', positive=True, integer=True)", strings.Repeat("(", 20000)), "is not read"},
		"unknown argument":  {altered(`{"as_tensor": {"name": "p_w"}}, "kind": 1}]`, `{"as_future": {"name": "p_w"}}, "kind": 1}]`), `"as_future" is not read`},
		"two kinds":         {altered(`{"as_tensor": {"name": "p_w"}}, "kind": 1}]`, `{"as_tensor": {"name": "p_w"}, "as_int": 1}, "kind": 1}]`), "more than one kind"},
		"unknown spec":      {altered(`{"parameter":`, `{"thing":`), `"thing" is not read`},
		"spec of another":   {altered(`{"arg": {"name": "p_w"}, "parameter_name"`, `{"arg": {"name": "q"}, "parameter_name"`), `"q" in its spec`},
		"mutated buffer":    {altered(`{"user_output": {"arg": {"as_tensor": {"name": "add"}}}}`, `{"buffer_mutation": {"arg": {"name": "add"}, "buffer_name": "w"}}`), `buffer mutation of "w": the program has no such input`},
		"mutated parameter": {altered(`{"user_output": {"arg": {"as_tensor": {"name": "add"}}}}`, `{"parameter_mutation": {"arg": {"name": "add"}, "parameter_name": "v"}}`), `parameter mutation of "v": the program has no such input`},
		"mutated input":     {altered(`{"user_output": {"arg": {"as_tensor": {"name": "add"}}}}`, `{"user_input_mutation": {"arg": {"name": "add"}, "user_input_name": "w"}}`), `input mutation of "w": the program has no such input`},
		"spec missing":      {altered(`{"parameter": {"arg": {"name": "p_w"}, "parameter_name": "w"}}, `, ""), "1 input specs for 2"},
		"used before":       {altered(`"arg": {"as_tensor": {"name": "p_w"}}`, `"arg": {"as_tensor": {"name": "add"}}`), "used before it is defined"},
		"undefined":         {altered(`"arg": {"as_tensor": {"name": "p_w"}}`, `"arg": {"as_tensor": {"name": "z"}}`), "used before it is defined"},
		"defined twice":     {altered(`"outputs": [{"as_tensor": {"name": "add"}}], "metadata"`, `"outputs": [{"as_tensor": {"name": "x"}}], "metadata"`), "defined twice"},
		"no meta":           {altered(`"add": {`, `"other": {`), `nothing is said of the tensor "add"`},
		"int beyond 64":     {altered(`{"as_int": 2}]`, `{"as_int": 9223372036854775808}]`), "integer of 64 bits"},
		"float extent":      {altered(`{"as_int": 2}]`, `{"as_int": 2.0}]`), "integer of 64 bits"},
		"rank":              {altered(`"sizes": [`, `"sizes": [`+strings.Repeat(`{"as_int": 1}, `, 70)), "more than 64 dimensions"},
		"complex input":     {altered(`"x": {"dtype": 7`, `"x": {"dtype": 9`), "complex32"},
		"sparse input":      {with("m/models/model.json", strings.Replace(program, `"x": `+metaX, `"x": `+strings.Replace(metaX, `"layout": 7`, `"layout": 2`, 1), 1)), "sparse_csr"},
		"meta device":       {with("m/models/model.json", strings.Replace(program, `"x": `+metaX, `"x": `+strings.Replace(metaX, `"type": "cpu"`, `"type": "meta"`, 1), 1)), "device meta"},

		"mkldnn input":    {with("m/models/model.json", strings.Replace(program, `"x": `+metaX, `"x": `+strings.Replace(metaX, `"layout": 7`, `"layout": 6`, 1), 1)), "_mkldnn"},
		"record upwards":  {with("m/extra/../../a", "x"), "not a plain record name"},
		"record absolute": {with("/m/extra/a", "x"), "not a plain record name"},
		"record twice":    {zipped(append(sound(), member{"m/models/model.json", program})...), "two records"},
		"two roots":       {with("n/models/model.json", program), "not one of torch.export.save"},
		"custom object":   {payloadOf(`"path_name": "weight_0", "is_param": true, "use_pickle": false`, `"path_name": "custom_obj_0", "is_param": false, "use_pickle": true`), "Python's pickle"},

		"weight missing":    {with("m/data/weights/weight_0", ""), "no such record"},
		"weight unnamed":    {payloadOf(`"w":`, `"v":`), "no tensor of this name"},
		"no weights":        {with("m/data/weights/model_weights_config.json", ""), "no tensor of this name"},
		"empty record":      {zipped(append(sound()[:5:5], member{"m/data/weights/weight_0", ""})...), "its elements were not saved"},
		"short record":      {with("m/data/weights/weight_0", floats(1)), "outside its storage"},
		"odd record":        {with("m/data/weights/weight_0", "12345"), "no whole number of elements"},
		"pickled":           {payloadOf(`"use_pickle": false`, `"use_pickle": true`), "Python's pickle"},
		"upwards":           {payloadOf(`"weight_0"`, `"../weight_0"`), "no name of a record"},
		"absolute":          {payloadOf(`"weight_0"`, `"/etc/passwd"`), "no name of a record"},
		"dots":              {payloadOf(`"weight_0"`, `".."`), "no name of a record"},
		"no name":           {payloadOf(`"weight_0"`, `""`), "no name of a record"},
		"no meta of weight": {payloadOf(metaW, "null"), "nothing is said"},
		"negative size":     {payloadOf(`"as_int": 2`, `"as_int": -2`), "-2"},
		"negative stride":   {payloadOf(`"strides": [{"as_int": 1}]`, `"strides": [{"as_int": -1}]`), "-1"},
		"huge stride":       {payloadOf(`"strides": [{"as_int": 1}]`, `"strides": [{"as_int": 9223372036854775807}]`), "outside its storage"},
		"huge offset":       {payloadOf(`"storage_offset": {"as_int": 0}`, `"storage_offset": {"as_int": 9223372036854775807}`), ""},
		"giant":             {payloadOf(`"sizes": [{"as_int": 2}]`, `"sizes": [{"as_int": 1099511627776}]`), ""},
		"zero stride giant": {payloadOf(`"sizes": [{"as_int": 2}], "requires_grad": true, "device": {"type": "cuda", "index": 0}, "strides": [{"as_int": 1}]`,
			`"sizes": [{"as_int": 1099511627776}], "requires_grad": true, "device": {"type": "cuda", "index": 0}, "strides": [{"as_int": 0}]`), "more than 16 times"},
		"overflowing":      {payloadOf(`"sizes": [{"as_int": 2}]`, `"sizes": [{"as_int": 4611686018427387904}, {"as_int": 4}]`), ""},
		"other rank":       {payloadOf(`"strides": [{"as_int": 1}]`, `"strides": []`), "bad view"},
		"other size":       {payloadOf(`"sizes": [{"as_int": 2}]`, `"sizes": [{"as_int": 1}]`), "where the program has"},
		"other type":       {payloadOf(`"dtype": 7`, `"dtype": 4`), "where the program has"},
		"float8":           {payloadOf(`"dtype": 7`, `"dtype": 29`), "float8_e4m3fn"},
		"unknown type":     {payloadOf(`"dtype": 7`, `"dtype": 99`), "element type 99"},
		"symbolic weight":  {payloadOf(`"sizes": [{"as_int": 2}]`, `"sizes": [{"as_expr": {"expr_str": "Symbol('s0')", "hint": null}}]`), "which is no number"},
		"sparse":           {payloadOf(`"layout": 7`, `"layout": 1`), "sparse_coo"},
		"flat, damaged":    {zipped(member{"serialized_exported_program.json", program}, member{"serialized_state_dict.pt", "x"}), "no file of torch.save"},
		"flat, no weights": {zipped(member{"serialized_exported_program.json", program}), "no tensor of this name"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := load(c.raw)
			runtime.ReadMemStats(&after)
			if strconv.IntSize == 32 && isFileError(err, "the extent, stride or offset") {
				return // refused before it is looked at closely
			}
			var choice *ChoiceError
			if !isFileError(err, c.reason) && !(errors.As(err, &choice) && strings.Contains(err.Error(), c.reason)) {
				t.Errorf("got %v, want a rejection with %q", err, c.reason)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
				t.Errorf("allocated %d bytes for %d", grown, len(c.raw))
			}
		})
	}
}

func TestManyNodes(t *testing.T) {
	node := `{"target": "t", "inputs": [], "outputs": [], "metadata": {}},`
	text := strings.Replace(program, `"nodes": [`, `"nodes": [`+strings.Repeat(node, maxNodes), 1)
	if _, err := ParseProgram("p.json", []byte(text)); !isFileError(err, "more than 262144 nodes") {
		t.Errorf("too many nodes: %v", err)
	}
}

// TestSharedWeights reads tensors of one record: tied, sliced, transposed, empty, of int16.
func TestSharedWeights(t *testing.T) {
	meta := func(dtype, sizes, strides, offset string) string {
		return `{"path_name": "r", "use_pickle": false, "tensor_meta": {"dtype": ` + dtype + `, "sizes": ` + sizes + `, "strides": ` + strides +
			`, "storage_offset": {"as_int": ` + offset + `}, "device": {"type": "cpu"}, "layout": 7}}`
	}
	const two, three = `[{"as_int": 2}, {"as_int": 3}]`, `[{"as_int": 3}, {"as_int": 1}]`
	text := `{"config": {"whole": ` + meta("7", two, three, "0") + `, "tied": ` + meta("7", two, three, "0") +
		`, "t": ` + meta("7", `[{"as_int": 3}, {"as_int": 2}]`, `[{"as_int": 1}, {"as_int": 3}]`, "0") + `, "part": ` + meta("7", `[{"as_int": 2}]`, `[{"as_int": 1}]`, "4") +
		`, "scalar": ` + meta("7", "[]", "[]", "5") + `, "empty": ` + meta("7", `[{"as_int": 0}, {"as_int": 3}]`, three, "0") +
		`, "bytes": ` + meta("1", `[{"as_int": 24}]`, `[{"as_int": 1}]`, "0") + `, "short": ` + meta("3", `[{"as_int": 2}]`, `[{"as_int": 1}]`, "1") + `}}`
	raw := zipped(append(sound()[:4:4], member{"m/data/weights/model_weights_config.json", text}, member{"m/data/weights/r", floats(0, 1, 2, 3, 4, 5)})...)
	a, err := Open(bytes.NewReader(raw), int64(len(raw)), 1<<40, noOpen)
	if err != nil {
		t.Fatal(err)
	}
	w, err := a.tensors("model", flatWeights, weightsFolder, "_weights_config.json")
	if err != nil {
		t.Fatal(err)
	}
	get := func(name string) *tensor.Tensor {
		x, err := w.Tensor(name)
		if err != nil || x == nil {
			t.Fatalf("%s: %v", name, err)
		}
		return x
	}
	get("whole").Float32s()[4] = 40
	for name, want := range map[string][]float32{"tied": {0, 1, 2, 3, 40, 5}, "t": {0, 3, 1, 40, 2, 5}, "part": {40, 5}, "scalar": {5}, "empty": {}} {
		if got := get(name).Contiguous().Float32s(); !slices.Equal(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if get("bytes").Uint8s()[18] == byte(floats(40)[2]) && get("bytes").Rank() != 1 {
		t.Error("a byte view has no memory of its own")
	}
	if got := get("short").Int32s(); !slices.Equal(got, []int32{int32(int16(binary.LittleEndian.Uint16([]byte(floats(0, 1, 2, 3, 4, 5))[2:]))), 0}) {
		t.Errorf("int16 gives %v", got)
	}
}

//go:build !nopytorch

package loader

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

const exportedFloats = `{"dtype": 7, "sizes": [{"as_int": 2}, {"as_int": 3}], "requires_grad": false, "device": {"type": "cpu"}, "strides": [{"as_int": 3}, {"as_int": 1}], "storage_offset": {"as_int": 0}, "layout": 7}`

// exportedArchive returns an archive of a program that takes x and returns y, float32[2, 3] both.
func exportedArchive(t *testing.T, nodes string, changes ...string) []byte {
	t.Helper()
	text := strings.NewReplacer(changes...).Replace(`{"graph_module": {"graph": {"inputs": [{"as_tensor": {"name": "x"}}], "outputs": [{"as_tensor": {"name": "y"}}], "nodes": [` + nodes + `],
"tensor_values": {"x": ` + exportedFloats + `, "y": ` + exportedFloats + `, "z": ` + exportedFloats + `}, "sym_int_values": {}, "sym_bool_values": {}},
"signature": {"input_specs": [{"user_input": {"arg": {"as_tensor": {"name": "x"}}}}], "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "y"}}}}]},
"module_call_graph": []}, "range_constraints": {}, "schema_version": {"major": 8, "minor": 20}, "torch_version": "2.14.1"}`)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range [][2]string{{"m/archive_format", "pt2"}, {"m/byteorder", "little"}, {"m/models/model.json", text}} {
		w := must(z.CreateHeader(&zip.FileHeader{Name: m[0]}))
		must(w.Write([]byte(m[1])))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// exportedNode is a node with one result; args are pairs of a name and a value.
func exportedNode(target, result string, args ...string) string {
	var in []string
	for i := 0; i < len(args); i += 2 {
		in = append(in, fmt.Sprintf(`{"name": %q, "arg": %s, "kind": 1}`, args[i], args[i+1]))
	}
	return fmt.Sprintf(`{"target": %q, "inputs": [%s], "outputs": [{"as_tensor": {"name": %q}}], "metadata": {}}`, target, strings.Join(in, ", "), result)
}

// exportedBody is a graph that takes and returns tensors of these names, with no node.
func exportedBody(in, out string) string {
	list := func(names string) string {
		var all []string
		for name := range strings.FieldsSeq(names) {
			all = append(all, `{"as_tensor": {"name": "`+name+`"}}`)
		}
		return strings.Join(all, ", ")
	}
	var known []string
	for name := range strings.FieldsSeq(in) {
		known = append(known, `"`+name+`": `+exportedFloats)
	}
	return fmt.Sprintf(`{"as_graph": {"name": "g", "graph": {"inputs": [%s], "outputs": [%s], "nodes": [], "tensor_values": {%s}, "sym_int_values": {}, "sym_bool_values": {}}}}`,
		list(in), list(out), strings.Join(known, ", "))
}

// runProgram loads an archive and runs it on a 2x3 tensor of floats.
func runProgram(data []byte) ([]*tensor.Tensor, error) {
	g, err := LoadFrom(bytes.NewReader(data), int64(len(data)), MaxMemory(64<<20))
	if err != nil {
		return nil, err
	}
	s, err := g.Compile(graph.Options{Threads: 1, MaxMemory: 64 << 20})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Run(context.Background(), must(tensor.New(tensor.Float32, 2, 3)))
}

// TestExportedNodesRefused has programs whose nodes are not what their operators take, or would do more than there is memory for.
func TestExportedNodesRefused(t *testing.T) {
	const x, large, flag = `{"as_tensor": {"name": "x"}}`, `{"as_int": 9223372036854775807}`, `{"as_bool": true}`
	ints := func(n ...int64) string {
		return `{"as_ints": ` + strings.Join(strings.Fields(fmt.Sprint(n)), ", ") + `}`
	}
	const aten, higher = "torch.ops.aten.", "torch.ops.higher_order."
	list := `{"as_tensors": [{"name": "x"}]}`
	for name, nodes := range map[string]string{
		"a module's function": exportedNode("os.system", "y", "command", `{"as_string": "touch x"}`),
		"eval":                exportedNode("builtins.eval", "y", "source", `{"as_string": "1"}`),
		"dunder":              exportedNode(aten+"__import__.default", "y", "name", `{"as_string": "os"}`),
		"extension":           exportedNode("#ext:x", "y", "self", x),
		"empty namespace":     exportedNode("torch.ops..", "y", "self", x),
		"dots":                exportedNode("....", "y", "self", x),
		"effects":             exportedNode(higher+"with_effects", "y", "token", `{"as_none": true}`, "op", `{"as_operator": "aten.add"}`),
		"unknown overload":    exportedNode(aten+"add.Evil", "y", "self", x, "other", x, "more", x, "alpha", x),
		"no arguments":        exportedNode(aten+"add.Tensor", "y"),
		"argument twice":      exportedNode(aten+"relu.default", "y", "self", x, "self", x),
		"unknown argument":    exportedNode(aten+"relu.default", "y", "self", x, "evil", x),
		"text for a tensor":   exportedNode(aten+"relu.default", "y", "self", `{"as_string": "x"}`),
		"graph for a tensor":  exportedNode(aten+"relu.default", "y", "self", exportedBody("a", "a")),
		"element type":        exportedNode(aten+"to.dtype", "y", "self", x, "dtype", `{"as_scalar_type": 99}`),
		"memory format":       exportedNode(aten+"clone.default", "y", "self", x, "memory_format", `{"as_memory_format": 77}`),
		"layout":              exportedNode(aten+"zeros.default", "y", "size", ints(2, 3), "layout", `{"as_layout": 99}`),
		"other rank":          exportedNode(aten+"unsqueeze.default", "y", "self", x, "dim", `{"as_int": 0}`),
		"other extent":        exportedNode(aten+"cat.default", "y", "tensors", `{"as_tensors": [{"name": "x"}, {"name": "x"}]}`, "dim", `{"as_int": 0}`),
		"other type":          exportedNode(aten+"argsort.default", "y", "self", x),
		"giant zeros":         exportedNode(aten+"zeros.default", "y", "size", ints(1<<40)),
		"overflowing zeros":   exportedNode(aten+"zeros.default", "y", "size", ints(1<<62, 1<<62)),
		"negative zeros":      exportedNode(aten+"zeros.default", "y", "size", ints(-1)),
		"many dimensions":     exportedNode(aten+"zeros.default", "y", "size", ints(make([]int64, 5000)...)),
		"giant repeat":        exportedNode(aten+"repeat.default", "y", "self", x, "repeats", ints(1<<40, 1<<20)),
		"giant expand":        exportedNode(aten+"expand.default", "y", "self", x, "size", ints(1<<61, 2, 3)),
		"giant pad":           exportedNode(aten+"constant_pad_nd.default", "y", "self", x, "pad", ints(1<<62, 1<<62)),
		"giant arange":        exportedNode(aten+"arange.default", "y", "end", large),
		"giant step":          exportedNode(aten+"slice.Tensor", "y", "self", x, "dim", large, "start", large, "end", large, "step", large),
		"giant roll":          exportedNode(aten+"roll.default", "y", "self", x, "shifts", ints(-1<<63, 1<<62), "dims", ints(0, 7)),
		"giant window":        exportedNode(aten+"unfold.default", "y", "self", x, "dimension", `{"as_int": 0}`, "size", large, "step", large),
		"giant view":          exportedNode(aten+"as_strided.default", "y", "self", x, "size", ints(1<<31, 1<<31), "stride", ints(1<<31, 1<<31)),
		"giant transform":     exportedNode(aten+"fft_fft.default", "y", "self", x, "n", large),
		"giant one-hot":       exportedNode(aten+"eye.default", "y", "n", large),
		"giant interpolation": exportedNode(aten+"upsample_nearest1d.default", "y", "self", x, "output_size", ints(1<<40)),
		"cond of no graph":    exportedNode(higher+"cond", "y", "pred", flag, "true", x, "false", x, "operands", list),
		"cond of operands":    exportedNode(higher+"cond", "y", "pred", flag, "true", exportedBody("a b", "a"), "false", exportedBody("a b", "a"), "operands", list),
		"cond of no results":  exportedNode(higher+"cond", "y", "pred", flag, "true", exportedBody("a", ""), "false", exportedBody("a", ""), "operands", list),
		"cond of a matrix":    exportedNode(higher+"cond", "y", "pred", x, "true", exportedBody("a", "a"), "false", exportedBody("a", "a"), "operands", list),
		"cond alone":          exportedNode(higher+"cond", "y"),
		"loop of no graph":    exportedNode(higher+"while_loop", "y", "cond_fn", x, "body_fn", x, "carried", list, "additional", `{"as_tensors": []}`),
		"loop of operands":    exportedNode(higher+"while_loop", "y", "cond_fn", exportedBody("a b", "a"), "body_fn", exportedBody("a b", "a b"), "carried", list, "additional", `{"as_tensors": []}`),
		"loop on a matrix":    exportedNode(higher+"while_loop", "y", "cond_fn", exportedBody("a", "a"), "body_fn", exportedBody("a", "a"), "carried", list, "additional", `{"as_tensors": []}`),
		"loop that grows":     exportedNode(higher+"while_loop", "y", "cond_fn", exportedBody("a", "a"), "body_fn", exportedBody("a", "a a"), "carried", list, "additional", `{"as_tensors": []}`),
		"map of operands":     exportedNode(higher+"map_impl", "y", "f", exportedBody("a b", "a"), "xs", list, "args", `{"as_tensors": []}`),
		"scan of nothing":     exportedNode(higher+"scan", "y", "combine_fn", exportedBody("a b", "a"), "init", `{"as_tensors": []}`, "xs", `{"as_tensors": []}`, "additional", `{"as_tensors": []}`),
		"returns no tensor":   exportedNode("torch.ops.prim.device.default", "y", "a", x),
		"returns text":        exportedNode("torch.ops.aten.str.default", "y", "t", `{"as_int": 1}`),
		"returns numbers":     exportedNode(aten+"size.default", "y", "self", x),
		"returns nothing":     exportedNode(aten+"_assert_async.default", "y", "self", x),
		"returns a pair":      exportedNode(aten+"max.dim", "y", "self", x, "dim", `{"as_int": 0}`),
		"numbers in place":    exportedNode(aten+"size_.default", "y", "self", x),
		"a pair in place":     exportedNode(aten+"aminmax_.default", "y", "self", x),
		"a list into one":     strings.ReplaceAll(exportedNode(aten+"split.Tensor", "y", "self", x, "split_size", `{"as_int": 1}`, "out", x), `"out", "arg": {"as_tensor": {"name": "x"}}, "kind": 1`, `"out", "arg": {"as_tensor": {"name": "x"}}, "kind": 2`),
		"numbers by map":      exportedNode(higher+"map_impl", "y", "f", exportedBody("a", ""), "xs", list, "args", `{"as_tensors": []}`),
		"int16 as floats":     exportedNode(aten+"to.dtype", "y", "self", x, "dtype", `{"as_scalar_type": 3}`),
		"unknown order":       exportedNode(higher+"evil", "y", "f", exportedBody("a", "a"), "xs", list),
	} {
		t.Run(name, func(t *testing.T) {
			// All shapes are in the file, so that it is refused before it runs.
			_, err := runProgram(exportedArchive(t, nodes))
			if _, unsupported := errors.AsType[*UnsupportedError](err); !unsupported && !isFileError(err, "node 0 (") {
				t.Errorf("got %v, want an error that names the node", err)
			}
		})
	}
	if y, err := runProgram(exportedArchive(t, exportedNode(aten+"relu.default", "y", "self", x))); err != nil || len(y) != 1 {
		t.Errorf("what the others change: %v", err)
	}
}

// TestExportedSpecsRefused has programs whose inputs or outputs are none that are read.
func TestExportedSpecsRefused(t *testing.T) {
	relu := exportedNode("torch.ops.aten.relu.default", "y", "self", `{"as_tensor": {"name": "x"}}`)
	const in, out = `{"user_input": {"arg": {"as_tensor": {"name": "x"}}}}`, `{"user_output": {"arg": {"as_tensor": {"name": "y"}}}}`
	for name, change := range map[string][]string{
		"token":           {in, `{"token": {"arg": {"name": "x"}}}`},
		"custom object":   {in, `{"custom_obj": {"arg": {"name": "x", "class_fqn": "C"}, "custom_obj_name": "o"}}`},
		"gradient":        {out, `{"gradient_to_parameter": {"arg": {"name": "y"}, "parameter_name": "w"}}`},
		"loss":            {out, `{"loss_output": {"arg": {"name": "y"}}}`},
		"unknown buffer":  {out, `{"buffer_mutation": {"arg": {"name": "y"}, "buffer_name": "b"}}`},
		"unknown input":   {out, `{"user_input_mutation": {"arg": {"name": "y"}, "user_input_name": "b"}}`},
		"unwritten param": {in, `{"parameter": {"arg": {"name": "x"}, "parameter_name": "w"}}`},
		"no output":       {`"outputs": [{"as_tensor": {"name": "y"}}], "nodes"`, `"outputs": [], "nodes"`, out, ""},
	} {
		_, err := runProgram(exportedArchive(t, relu, change...))
		if _, unsupported := errors.AsType[*UnsupportedError](err); unsupported != (name == "no output") || !unsupported && !isFileError(err, "") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

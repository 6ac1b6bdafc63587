//go:build !nopytorch

package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/loader/internal/script"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// The pickles of a module __torch__.M without attributes, and of no constants.
const (
	emptyModule = "\x80\x02c__torch__\nM\n)\x81}b."
	noConstants = "\x80\x02)."
)

// moduleM is an archive of a module whose forward has a body, written as TorchScript.
func moduleM(body string, more ...string) *scriptCase {
	var b strings.Builder
	b.WriteString("class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n")
	for _, line := range strings.Split(body, "\n") {
		b.WriteString("    " + line + "\n")
	}
	b.WriteString(strings.Join(more, ""))
	return &scriptCase{Files: map[string]scriptRecordText{
		"data.pkl": scriptRecordText(emptyModule), "constants.pkl": scriptRecordText(noConstants), "version": scriptRecordText("10\n"),
		"code/__torch__.py": scriptRecordText(b.String()),
	}}
}

// runArchive loads an archive and runs it once on a 2x3 tensor of floats.
func runArchive(data []byte) ([]*tensor.Tensor, error) { return runWith(data) }

// runWith is runArchive with options.
func runWith(data []byte, opts ...Option) ([]*tensor.Tensor, error) {
	g, err := LoadFrom(bytes.NewReader(data), int64(len(data)), opts...)
	if err != nil {
		return nil, err
	}
	s, err := g.Compile(graph.Options{Threads: 1, MaxMemory: 64 << 20})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	x, err := tensor.New(tensor.Float32, 2, 3)
	if err != nil {
		return nil, err
	}
	return s.Run(context.Background(), x)
}

// TestScriptModuleM checks that what the tests below change would run.
func TestScriptModuleM(t *testing.T) {
	out, err := runArchive(moduleM("return torch.add(x, 1)").archive(t))
	if err != nil || len(out) != 1 || out[0].Float32s()[5] != 1 {
		t.Errorf("%v, %v", out, err)
	}
}

// isTyped reports whether an error says what of the file, the program or the
// inputs it is about.
func isTyped(err error) bool {
	var (
		file        *FileError
		program     *ScriptError
		unsupported *UnsupportedError
		input       *graph.InputError
		node        *graph.NodeError
		memory      *graph.MemoryError
	)
	return errors.As(err, &file) || errors.As(err, &program) || errors.As(err, &unsupported) || errors.As(err, &input) || errors.As(err, &node) || errors.As(err, &memory)
}

// TestScriptBombs runs short programs that would take far more time or memory
// than there is.
func TestScriptBombs(t *testing.T) {
	grow := func(what string) string {
		return "a = " + what + "\nfor i in range(100):\n  a = torch.add(a, a)\nreturn x"
	}
	big := "s = torch.mul(\"ab\", 4000000)\n"
	bombs := map[string]string{
		"list times n":          "a = torch.mul([1, 2], 1000000000000)\nreturn x",
		"n times list":          "a = torch.mul(9223372036854775807, [1])\nreturn x",
		"text times n":          "a = torch.mul(\"ab\", 1000000000000)\nreturn x",
		"growing list":          grow("[1]"),
		"growing text":          grow("\"ab\""),
		"growing tuple":         "a = (1, 2)\nfor i in range(100):\n  a = (a, a)\nreturn a",
		"compared tuples":       "a = (1, 2)\nb = (1, 2)\nfor i in range(100):\n  a = (a, a)\n  b = (b, b)\nif torch.eq(a, b):\n  x = x\nreturn x",
		"loop":                  "for i in range(1000000000000):\n  y = x\nreturn x",
		"empty loop":            "for i in range(1000000000000):\n  pass\nreturn x",
		"endless loop":          "while True:\n  pass\nreturn x",
		"loops in loops":        "for i in range(1000000):\n  for j in range(1000000):\n    for k in range(1000000):\n      pass\nreturn x",
		"comprehension":         "a = [i for i in range(1000000000000)]\nreturn x",
		"nested comprehensions": "a = [[[k for k in range(100000)] for j in range(100000)] for i in range(100000)]\nreturn x",
		"many nodes":            "for i in range(1000000000):\n  x = torch.add(x, 1)\nreturn x",
		"replaced text":         big + "a = torch.replace(s, \"a\", s)\nreturn x",
		"joined text":           big + "a = torch.join(s, torch.mul([s], 1000000))\nreturn x",
		"formatted text":        big + "a = torch.format(torch.mul(\"{}\", 8), s, s, s, s, s, s, s, s)\nreturn x",
		"searched list":         "a = torch.mul([1], 4000000)\nfor i in range(8000000):\n  b = torch.count(a, 2)\nreturn x",
		"appended list":         "a = torch.mul([1], 4000000)\nfor i in range(8000000):\n  b = torch.append(torch.slice(a, 0, 1), 2)\n  c = torch.reverse(a)\nreturn x",
		"popped list":           "a = torch.mul([1], 4000000)\nfor i in range(4000000):\n  b = torch.pop(a, 0)\nreturn x",
		"searched text":         big + "for i in range(8000000):\n  b = torch.find(s, \"c\")\nreturn x",
		"tuples as keys":        "d = annotate(Dict[Tuple[int, int], int], {})\nfor i in range(8000000):\n  torch._set_item(d, (i, i), i)\nreturn x",
		"types of elements":     "a = torch.mul([1], 4000000)\nfor i in range(8000000):\n  b = isinstance(a, List[int])\nreturn x",
		"recursion":             "return (self).forward(x, )",
		"zeros":                 "return torch.zeros([1000000000000, 1000])",
		"zeros beyond 64 bits":  "return torch.zeros([4294967296, 4294967296, 4294967296])",
		"negative extent":       "return torch.zeros([-5])",
		"arange":                "return torch.arange(1000000000000000)",
		"arange in small steps": "return torch.arange(0., 1e300, 1e-300)",
		"linspace":              "return torch.linspace(0, 1, 1000000000000)",
		"eye":                   "return torch.eye(1000000000)",
		"window":                "return torch.hann_window(1000000000000)",
		"triangle":              "return torch.tril_indices(1000000000, 1000000000)",
		"expand":                "return torch.add(torch.expand(x, [1000000000000, 2, 3]), 1)",
		"repeat":                "return torch.repeat(x, [1000000000000, 1000000000000])",
		"tile":                  "return torch.tile(x, [9223372036854775807])",
		"pad":                   "return torch.constant_pad_nd(x, [1000000000000, 1000000000000])",
		"interpolate":           "return torch.upsample_nearest2d(torch.reshape(x, [1, 1, 2, 3]), [1000000000, 1000000000])",
		"one-hot":               "return torch.one_hot(torch.zeros([2], dtype=4), 1000000000000)",
		"outer product":         "y = torch.reshape(torch.zeros([10000000]), [-1, 1])\nreturn torch.matmul(y, torch.t(y))",
		"growing tensor":        "for i in range(100):\n  x = torch.cat([x, x])\nreturn x",
		"growing rank":          "for i in range(100000):\n  x = torch.unsqueeze(x, 0)\nreturn x",
		"repeat_interleave":     "return torch.repeat_interleave(x, 1000000000000)",
		"diagonal":              "return torch.diag_embed(x, 1000000000)",
		"stft":                  "return torch.stft(x, 1000000000000, None, None, None, False, None, False)",
		"list of tensors":       "a = torch.mul([x], 300000)\nreturn torch.stack(a)",
		"split":                 "a = torch.split(torch.zeros([1000000]), 1)\nreturn torch.cat(a)",
	}
	if testing.Short() { // these reach their limit after about a second
		for _, name := range []string{"types of elements", "many nodes", "searched list", "popped list", "tuples as keys"} {
			delete(bombs, name)
		}
	}
	for name, body := range bombs {
		t.Run(name, func(t *testing.T) {
			data := moduleM(body).archive(t)
			before := heapAllocs()
			out, err := runArchive(data)
			grown := heapAllocs() - before
			if grown > 2<<30 {
				t.Errorf("it took %d MiB", grown>>20)
			}
			if err == nil {
				t.Fatalf("it ran and gave %v", out)
			}
			if !isTyped(err) {
				t.Errorf("%T: %v", err, err)
			}
			if len(err.Error()) > 2000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

// TestScriptPrints writes values that are endless, or far longer than there is
// memory, to texts, which are cut short.
func TestScriptPrints(t *testing.T) {
	for name, body := range map[string]string{
		"tuples in tuples": "a = (1, 2)\nfor i in range(100):\n  a = (a, a)\ns = torch.format(\"{}{}\", a, a)\nreturn x",
		"long texts":       "a = torch.mul([torch.mul(\"ab\", 4000000)], 1000000)\ns = torch.format(\"{}\", a)\nreturn x",
		"list in itself":   "a = annotate(List[Any], [])\nb = torch.append(a, a)\nc = torch.append(a, a)\ns = torch.format(\"{}\", a)\nreturn x",
	} {
		before := heapAllocs()
		if _, err := runArchive(moduleM(body).archive(t)); err != nil && !isTyped(err) {
			t.Errorf("%s: %v", name, err)
		}
		if grown := heapAllocs() - before; grown > 512<<20 {
			t.Errorf("%s took %d MiB", name, grown>>20)
		}
	}
}

// TestScriptRefuses loads archives that are wrong.
func TestScriptRefuses(t *testing.T) {
	deep := func(open, shut string, n int) string { return strings.Repeat(open, n) + "x" + strings.Repeat(shut, n) }
	module := func(state string) string { return "\x80\x02c__torch__\nM\nq\x00)\x81q\x01" + state + "b." }
	for _, c := range []struct {
		name, record, content string
		body                  string
		want                  string
	}{
		{"cyclic attribute", "data.pkl", module("}(X\x02\x00\x00\x00meh\x01u"), "return self.me.me.me.me", "contains itself"},
		{"cyclic list", "data.pkl", module("}(X\x02\x00\x00\x00me]q\x02h\x02au"), "return self.me", "contains itself"},
		{"list in itself", "", "", "a = annotate(List[Any], [])\nb = torch.append(a, a)\nreturn a", "too deeply"},
		{"list in itself that is compared", "", "", "a = annotate(List[Any], [])\nb = torch.append(a, a)\nif torch.eq(a, [a]):\n  x = torch.add(x, 1)\nreturn x", "too large to be compared"},
		{"cyclic dict", "data.pkl", module("}(X\x02\x00\x00\x00me}q\x02(K\x01h\x02uu"), "return self.me", "contains itself"},
		{"no attribute", "", "", "return self.weight", "no attribute weight"},
		{"no constant", "", "", "return torch.add(x, CONSTANTS.c0)", "constant 0 is not among the 0"},
		{"a constant beyond the last", "constants.pkl", "\x80\x02K\x01\x85.", "return torch.add(x, CONSTANTS.c1)", "constant 1 is not among the 1"},
		{"no function", "", "", "return __torch__.f(x, )", "__torch__.f"},
		{"no method", "", "", "return (self).other(x, )", "other"},
		{"no class", "data.pkl", "\x80\x02c__torch__\nN\n)\x81}b.", "return x", "does not define"},
		{"no module", "data.pkl", "\x80\x02K\x01.", "return x", "no module"},
		{"another class", "data.pkl", "\x80\x02cos\nsystem\n)\x81}b.", "return x", "os"},
		{"constants that are a list", "constants.pkl", "\x80\x02].", "return x", "not a tuple"},
		{"more behind the pickle", "data.pkl", emptyModule + "x", "return x", "follow after the pickle"},
		{"10^5 parentheses", "", "", "return " + deep("(", ")", 100_000), "nested deeper"},
		{"10^5 calls", "", "", "return " + deep("torch.relu(", ")", 100_000), "nested deeper"},
		{"10^5 lists", "", "", "y = " + deep("[", "]", 100_000) + "\nreturn x", "nested deeper"},
		{"10^5 negations", "", "", "return " + deep("-", "", 100_000), "nested deeper"},
		{"10^5 attributes", "", "", "return " + deep("", ".a", 100_000), "nested deeper"},
		{"10^5 sums", "", "", "return x" + strings.Repeat(" + x", 100_000), "nested deeper"},
		{"text that does not end", "", "", "return \"", "string"},
		{"no expression", "", "", "return torch.add(x,", ""},
		{"no text", "code/__torch__.py", "\xff\xfe\x00", "", ""},
		{"no version", "version", "ten", "return x", "is not a version"},
		{"an old version", "version", "1", "return x", "save it again"},
		{"a newer version", "version", "1000", "return x", "newer than"},
		{"big-endian", "byteorder", "big", "return x", "little-endian"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := moduleM(c.body)
			if c.record != "" {
				m.Files[c.record] = scriptRecordText(c.content)
			}
			before := heapAllocs()
			out, err := runArchive(m.archive(t))
			if grown := heapAllocs() - before; grown > 256<<20 {
				t.Errorf("took %d MiB", grown>>20)
			}
			if err == nil {
				t.Fatalf("it ran and gave %v", out)
			}
			if !isTyped(err) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%T %v, want one about %q", err, err, c.want)
			}
		})
	}
	for _, record := range []string{"data.pkl", "constants.pkl", "code/__torch__.py"} {
		m := moduleM("return x")
		delete(m.Files, record)
		if out, err := runArchive(m.archive(t)); !isTyped(err) {
			t.Errorf("without %s: %v, %v", record, out, err)
		}
	}
}

// TestScriptNestedCode checks the limits of depth from the other side.
func TestScriptNestedCode(t *testing.T) {
	_, err := runArchive(moduleM("return " + strings.Repeat("torch.relu(", 300) + "x" + strings.Repeat(")", 300)).archive(t))
	if err != nil {
		t.Error(err)
	}
	_, err = runArchive(moduleM("return " + strings.Repeat("(", 5000) + "x" + strings.Repeat(")", 5000)).archive(t))
	if !errors.Is(err, script.ErrBudget) {
		t.Errorf("5000 parentheses: %v", err)
	}
}

// smallArchive is a module with a submodule, parameters and constants.
func smallArchive(t testing.TB) *scriptCase {
	t.Helper()
	for _, c := range readScriptCases(t, "testdata/script/state.json.gz") {
		if c.What == "Buffers" {
			return &c
		}
	}
	t.Fatal("the fixture is not there")
	return nil
}

// TestScriptTruncated cuts an archive, and each of its records, at every byte.
func TestScriptTruncated(t *testing.T) {
	c := smallArchive(t)
	whole := c.archive(t)
	if _, err := runArchive(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := runArchive(whole[:n]); err == nil || !isFileError(err, "") {
			t.Fatalf("the first %d of %d bytes: %v", n, len(whole), err)
		}
	}
	for name, content := range c.Files {
		for n := range content {
			c.Files[name] = content[:n]
			_, err := runArchive(c.archive(t))
			if err != nil && !isTyped(err) {
				t.Errorf("%s: the first %d of %d bytes: %T %v", name, n, len(content), err, err)
			}
			// Source may end between two functions, and a version at a digit.
			if err == nil && !strings.HasSuffix(name, ".py") && name != versionRecord {
				t.Errorf("%s: the first %d of %d bytes are accepted", name, n, len(content))
			}
		}
		c.Files[name] = content
	}
}

// TestScriptRecords reads archives as newer versions of PyTorch write them, with
// records that say nothing of the model.
func TestScriptRecords(t *testing.T) {
	for v := minScriptVersion; v <= maxScriptVersion; v++ {
		m := moduleM("return torch.add(x, 1)")
		m.Files["version"] = scriptRecordText(fmt.Sprintln(v))
		for name, content := range map[string]string{
			".data/serialization_id": "0636067187", "byteorder": "little", ".format_version": "1", ".storage_alignment": "64",
			"bytecode.pkl": "\x80\x02(K\x04t.", "extra/notes.txt": "by hand", "code/__torch__.py.debug_pkl": "\x80\x02).", "mobile_debug_handles.pkl": "\x80\x02).",
		} {
			m.Files[name] = scriptRecordText(content)
		}
		if _, err := runArchive(m.archive(t)); err != nil {
			t.Errorf("version %d: %v", v, err)
		}
	}
}

// FuzzScript runs programs, on pickles of modules and constants.
func FuzzScript(f *testing.F) {
	for _, path := range scriptFamilies(f) {
		for i, c := range readScriptCases(f, path) {
			if i%7 != 0 || len(c.Files) > 6 {
				continue
			}
			for name, text := range c.Files {
				if strings.HasPrefix(name, "code/__torch__/net") {
					f.Add(string(text), string(c.Files["data.pkl"]), string(c.Files["constants.pkl"]))
				}
			}
		}
	}
	f.Add(string(moduleM("return torch.add(x, 1)").Files["code/__torch__.py"]), emptyModule, noConstants)
	f.Add(string(moduleM("a = [torch.mul(i, 2) for i in range(3)]\nd = {\"k\": x}\nif torch.gt(torch.size(x, 0), 1):\n  y = d[\"k\"]\nelse:\n  y = x\nreturn torch.add(y, a[1])").Files["code/__torch__.py"]), emptyModule, noConstants)
	f.Fuzz(func(t *testing.T, code, data, constants string) {
		if len(code) > 1<<14 {
			return
		}
		m := moduleM("return x")
		m.Files["data.pkl"], m.Files["constants.pkl"] = scriptRecordText(data), scriptRecordText(constants)
		m.Files["code/__torch__/net.py"] = scriptRecordText(code)
		m.Files["code/__torch__.py"] = scriptRecordText(code)
		if _, err := runArchive(m.archive(t)); err != nil && !isTyped(err) {
			t.Errorf("%T %v", err, err)
		}
	})
}

// TestLimitError loads programs that run or make more than they may before their graph is complete. The limits of the test are
// low, so that they are reached soon; TestScriptBombs reaches those that hold by default.
func TestLimitError(t *testing.T) {
	low := build.Limits{Steps: 1 << 10, Items: 1 << 10, Work: 1 << 12, Nodes: 1 << 8, Evaluated: 1 << 10, Outputs: 1 << 6}
	for body, limit := range map[string]string{
		"c = []\nfor i in range(1000000):\n  for j in range(1000000):\n    _0 = torch.append(c, j)\nreturn torch.add(x, torch.len(c))": "list elements",
		"while True:\n  pass\nreturn x": "runs too long",
		"c = [0]\nfor i in range(60):\n  c = torch.add(c, c)\nreturn torch.add(x, torch.len(c))": "list elements",
		"a = torch.mul([1], 500)\nfor i in range(20):\n  b = torch.count(a, 2)\nreturn x":        "runs too long",
		"for i in range(300):\n  x = torch.add(x, 1)\nreturn x":                                  "too large a graph: 257 nodes",
		"return torch.mul([x], 65)":   "returns more than 64 values",
		"return torch.mul([1.5], 65)": "returns more than 64 values",
	} {
		_, err := runWith(moduleM(body).archive(t), func(f *modelFile) { f.limits = low })
		var over *LimitError
		var at *ScriptError
		if !errors.As(err, &over) || !errors.As(err, &at) || !strings.Contains(err.Error(), limit) {
			t.Errorf("%s\ngives %v, want %q", body, err, limit)
		}
	}
	if _, err := runWith(moduleM("return torch.mul([x], 64)").archive(t), func(f *modelFile) { f.limits = low }); err != nil {
		t.Errorf("64 outputs: %v", err)
	}
	if d := build.DefaultLimits; d.Steps != 1<<23 || d.Items != 1<<24 || d.Work != 1<<25 || d.Nodes != 1<<18 || d.Evaluated != 1<<24 || d.Outputs != 1<<16 {
		t.Errorf("the limits by default are %+v", d)
	}
}

// TestManyOutputs: programs that return or make millions of values are refused, within the memory that is allowed.
func TestManyOutputs(t *testing.T) {
	const limit = 16 << 20
	for name, body := range map[string]string{
		"list of one tensor": "return torch.mul([x], 5000000)",
		"list of numbers":    "return torch.mul([1.5], 5000000)",
		"lists in a list":    "a = torch.mul([x], 2000)\nreturn torch.mul([a], 2500)",
		"split":              "return torch.split(torch.zeros([5000000]), 1)",
		"unbind":             "return torch.unbind(torch.zeros([5000000]))",
		"appended":           "a = annotate(List[Tensor], [])\nfor i in range(5000000):\n  _0 = torch.append(a, torch.add(x, i))\nreturn a",
		"kept":               "a = annotate(List[Tensor], [])\nfor i in range(5000000):\n  _0 = torch.append(a, x)\nreturn torch.stack(a)",
		"dict":               "d = annotate(Dict[int, Tensor], {})\nfor i in range(5000000):\n  torch._set_item(d, i, x)\nreturn d",
		"numbers":            "return torch.list(torch.arange(5000000))",
	} {
		data := moduleM(body).archive(t)
		before := heapAllocs()
		_, err := runWith(data, MaxMemory(limit))
		if !isTyped(err) {
			t.Errorf("%s: %v", name, err)
		}
		if grown := heapAllocs() - before; grown > 6*limit {
			t.Errorf("%s: %d bytes were allocated", name, grown)
		}
	}
}

// TestScriptContext: the end of a context stops the making of a graph, and that of loading is not kept for runs.
func TestScriptContext(t *testing.T) {
	data := moduleM("while True:\n  pass\nreturn x").archive(t)
	x := must(tensor.New(tensor.Float32, 2, 3))
	loading, stop := context.WithCancel(t.Context())
	g := must(LoadFrom(bytes.NewReader(data), int64(len(data)), Context(loading)))
	stop()
	if _, err := g.SpecializeContext(loading, ops.TypeOf(x)); err != context.Canceled {
		t.Errorf("making a graph gives %v", err)
	}
	s := must(g.Compile(graph.Options{Threads: 1}))
	defer s.Close()
	running, end := context.WithCancel(t.Context())
	end()
	if _, err := s.Run(running, x); err != context.Canceled {
		t.Errorf("a run gives %v", err)
	}

	data = moduleM("return torch.add(x, 1)").archive(t)
	loading, stop = context.WithCancel(t.Context())
	g = must(LoadFrom(bytes.NewReader(data), int64(len(data)), Context(loading)))
	stop()
	fine := must(g.Compile(graph.Options{Threads: 1}))
	defer fine.Close()
	if _, err := fine.Run(t.Context(), x); err != nil {
		t.Errorf("a run after the context of loading has ended: %v", err)
	}
}

// TestScriptContextLate ends a context while a graph is made: after some thousands of statements.
func TestScriptContextLate(t *testing.T) {
	data := moduleM("while True:\n  pass\nreturn x").archive(t)
	g := must(LoadFrom(bytes.NewReader(data), int64(len(data))))
	ctx := &endsAfter{Context: t.Context(), looks: 10}
	if _, err := g.SpecializeContext(ctx, ops.F32(2, 3)); err != context.Canceled || ctx.looks < -1000 {
		t.Errorf("%v after %d looks", err, ctx.looks)
	}
}

// endsAfter is a context that ends once it was looked at so many times.
type endsAfter struct {
	context.Context
	looks int
}

func (c *endsAfter) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

package exported

import (
	"slices"
	"strings"
	"testing"
)

func TestModuleScope(t *testing.T) {
	for stack, want := range map[string][2]string{
		"":                        {"", ""},
		"L__self__,,__main__.Net": {"", "Net"},
		"L__self__,,__main__.Net;L__self__l@1,l,torch.nn.modules.linear.Linear":                    {"l", "torch.nn.modules.linear.Linear"},
		"L__s__,,m.Net;L__s___layer1_8_conv1,layer1.8.conv1,torch.nn.modules.conv.Conv2d":          {"layer1.8.conv1", "torch.nn.modules.conv.Conv2d"},
		"L__s__,,m.Net;L__s___l,L['s'].l,torch.nn.modules.linear.Linear":                           {"l", "torch.nn.modules.linear.Linear"},
		"k,getattr(L['s'].layer1, '8').conv1,torch.nn.modules.conv.Conv2d":                         {"layer1.8.conv1", "torch.nn.modules.conv.Conv2d"},
		"k,getattr(getattr(L['self'].layers, '0').blocks, '11').fc,torch.nn.modules.linear.Linear": {"layers.0.blocks.11.fc", "torch.nn.modules.linear.Linear"},
		"k,L['self'].layers[3].fc,C":            {"layers.3.fc", "C"},
		"k,L['self'].d['a;b'].fc,C":             {"d.a;b.fc", "C"},
		"k,encoder@1.layer,C":                   {"encoder.layer", "C"},
		noStack + "," + noStack + "," + noStack: {"", ""},
		"nonsense":                              {"", ""},
		"getattr(,":                             {"", ""},
	} {
		path, class := ModuleScope(stack)
		if path != want[0] || class != want[1] {
			t.Errorf("%s: got %q %q, want %q", stack, path, class, want)
		}
	}
}

func TestTree(t *testing.T) {
	const leaf = `{"type": null, "context": null, "children_spec": []}`
	for text, want := range map[string][]string{
		`[1, ` + leaf + `]`: {""},
		`[1, {"type": "builtins.tuple", "context": "null", "children_spec": [` + leaf + `, ` + leaf + `]}]`:                                                                    {"", ""},
		`[1, {"type": "builtins.dict", "context": "[\"a\", \"b\"]", "children_spec": [` + leaf + `, ` + leaf + `]}]`:                                                           {"a", "b"},
		`[1, {"type": "collections.defaultdict", "context": "[{\"x\": 1}, [\"a\", \"b\"]]", "children_spec": [` + leaf + `, ` + leaf + `]}]`:                                   {"a", "b"},
		`[1, {"type": "M.Out", "context": "[[\"logits\"], []]", "children_spec": [` + leaf + `]}]`:                                                                             {"logits"},
		`[1, {"type": "M.Out", "context": "[\"logits\"]", "children_spec": [` + leaf + `]}]`:                                                                                   {"logits"},
		`[1, {"type": "builtins.dict", "context": "[\"a\"]", "children_spec": [{"type": "builtins.list", "context": "null", "children_spec": [` + leaf + `, ` + leaf + `]}]}]`: {"a", "a"},
		`[1, {"type": "builtins.tuple", "context": "null", "children_spec": []}]`:                                                                                              nil,
	} {
		tree, err := parseTree(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := tree.Names(); !slices.Equal(got, want) || tree.Leaves() != len(want) {
			t.Errorf("%s: got %q, %d leaves", text, got, tree.Leaves())
		}
	}
	tuple, err := parseTree(`[1, {"type": "collections.namedtuple", "context": "\"M.Out\"", "children_spec": [` + leaf + `, ` + leaf + `]}]`)
	if err != nil {
		t.Fatal(err)
	}
	tuple.nameFields(map[string][]string{"M.Out": {"a", "b"}})
	if got := tuple.Names(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("a NamedTuple's fields are %q", got)
	}
	for _, text := range []string{"", "[]", "[2, " + leaf + "]", "[1]", "[1, 2]", "[1, " + leaf + ", 3]", strings.Repeat(`[1, {"children_spec": `, 5000)} {
		if _, err := parseTree(text); err == nil {
			t.Errorf("%.40s is read as a tree", text)
		}
	}
}

//go:build !nopytorch

package loader

import (
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// TestRootHooks calls the hooks of the module itself around its forward, as PyTorch does; None changes nothing.
func TestRootHooks(t *testing.T) {
	c := moduleM("return torch.add(x, 1)",
		"  def double(self: __torch__.M,\n    input: Tuple[Tensor]) -> Tuple[Tensor]:\n    return (torch.mul((input)[0], 2),)\n",
		"  def look(self: __torch__.M,\n    input: Tuple[Tensor]) -> NoneType:\n    return None\n",
		"  def sum(self: __torch__.M,\n    input: Tuple[Tensor],\n    output: Tensor) -> Tensor:\n    return torch.add(torch.mul(output, 10), (input)[0])\n",
		"  def forget(self: __torch__.M,\n    input: Tuple[Tensor],\n    output: Tensor) -> NoneType:\n    return None\n",
	)
	code := string(c.Files["code/__torch__.py"])
	c.Files["code/__torch__.py"] = scriptRecordText(strings.Replace(code, "  __buffers__ = []\n",
		"  __buffers__ = []\n  __forward_pre_hooks__ = [\"double\", \"look\", ]\n  __forward_hooks__ = [\"sum\", \"forget\", ]\n", 1))
	out, err := runArchive(c.archive(t))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := runArchive(moduleM("y = torch.mul(x, 2)\nreturn torch.add(torch.mul(torch.add(y, 1), 10), y)").archive(t))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range plain[0].Float32s() {
		if got := out[0].Float32s()[i]; got != v {
			t.Errorf("element %d is %v, want %v", i, got, v)
		}
	}
	c.Files["code/__torch__.py"] = scriptRecordText(strings.Replace(code, "  __buffers__ = []\n", "  __buffers__ = []\n  __forward_hooks__ = [\"gone\", ]\n", 1))
	if _, err := runArchive(c.archive(t)); err == nil || !strings.Contains(err.Error(), "no method gone") {
		t.Errorf("a hook that is no method: %v", err)
	}
}

// TestArchiveVersion reads the version of the operators where PyTorch writes it since it has operators of version 6: full gives integers
// since version 5.
func TestArchiveVersion(t *testing.T) {
	for record, want := range map[string]tensor.DType{"version 10": tensor.Int64, ".data/version 6": tensor.Int64, "version 2": tensor.Float32, ".data/version 4": tensor.Float32} {
		name, version, _ := strings.Cut(record, " ")
		c := moduleM("return torch.full([2], 3)")
		delete(c.Files, "version")
		c.Files[name] = scriptRecordText(version + "\n")
		out, err := runArchive(c.archive(t))
		if err != nil {
			t.Fatal(err)
		}
		if out[0].DType() != want {
			t.Errorf("%s: full gives %v, want %v", record, out[0].DType(), want)
		}
	}
}

//go:build !nopytorch

package loader

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// TestLongChains loads and compiles models of many nodes, in chains, in lists and as views: eight times the nodes take at
// most twelve times the memory that is allocated on the way, which is what the time goes into.
func TestLongChains(t *testing.T) {
	for name, body := range map[string]string{
		"adds":   "y = x\nfor i in range(%d):\n  y = torch.add(y, x)\nreturn y",
		"views":  "y = x\nfor i in range(%d):\n  y = torch.transpose(y, 0, 1)\nreturn y",
		"writes": "y = x\nfor i in range(%d):\n  _0 = torch.copy_(torch.select(y, 0, 0), torch.select(y, 0, 1))\nreturn y",
		"list":   "l = annotate(List[Tensor], [])\nfor i in range(%d):\n  _0 = torch.append(l, torch.neg(x))\nreturn torch.cat(l, 0)",
		"parts":  "y = x\nfor i in range(%d):\n  a, b = torch.split(y, [1, 1], 0)\n  y = torch.cat([b, a], 0)\nreturn y",
	} {
		few, many := compileAllocates(t, fmt.Sprintf(body, 1<<11)), compileAllocates(t, fmt.Sprintf(body, 1<<14))
		if many > 12*few {
			t.Errorf("%s: %d bytes for 2^14 and %d for 2^11", name, many, few)
		}
	}
}

// compileAllocates returns the bytes that are allocated while a module is loaded and compiled.
func compileAllocates(t *testing.T, body string) uint64 {
	t.Helper()
	data := moduleM(body).archive(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	g := must(must(LoadFrom(bytes.NewReader(data), int64(len(data)))).Specialize(ops.F32(2, 2)))
	must(g.Compile(graph.Options{Threads: 1})).Close()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

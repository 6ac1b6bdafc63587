package loader

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestMappedWeightsOnce checks that weights of a mapped file leave the memory when
// a session has them in its own form, and come back.
func TestMappedWeightsOnce(t *testing.T) {
	const kib = 1024 * 2048 * 4 / 1024
	b := newNet(t)
	x := b.g.Input("x", tensor.Float32, 1, 2048)
	b.g.SetOutputs(b.add("fc", ops.Linear{}, x, b.konst("w", tensor.Float32, 1024, 2048)))
	path := savedModel(t, b.g)
	var m Mapping
	g := must(Load(path, Mapped(&m)))
	defer m.Close()
	weight := g.Constants()[0].Const
	sum := func() (total float32) {
		for _, v := range weight.Float32s() {
			total += v
		}
		return total
	}
	before := sum()
	if got := residentKiB(t, path); got < kib {
		t.Fatalf("of %d KiB of weights that were read, %d are in memory", kib, got)
	}
	must(g.Compile(graph.Options{Threads: 1})).Close()
	if got := residentKiB(t, path); got > kib/8 {
		t.Errorf("of %d KiB of weights that were packed, %d are still in memory", kib, got)
	}
	if after := sum(); after != before {
		t.Errorf("the weights add up to %v, not %v", after, before)
	}
}

// residentKiB returns how much of the mapped file at path is in memory.
func residentKiB(t *testing.T, path string) int {
	t.Helper()
	mapping := regexp.MustCompile(fmt.Sprintf(`%s\n(?:\w+: .*\n)*?Rss: +(\d+) kB`, regexp.QuoteMeta(path)))
	found := mapping.FindSubmatch(must(os.ReadFile("/proc/self/smaps")))
	if found == nil {
		t.Fatal("the file is not mapped")
	}
	return must(strconv.Atoi(string(found[1])))
}

package ops

import (
	"testing"
	"unsafe"

	"github.com/octet-ml/octet/internal/fixture"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestKernelsDoNotAllocate runs one fixture of every size of every operator
// again and again with the same memory.
func TestKernelsDoNotAllocate(t *testing.T) {
	for _, family := range families(t) {
		seen := map[string]bool{}
		for i, f := range fixture.Read[recorded](t, "testdata/"+family+".json.gz") {
			if f.Err != "" {
				continue
			}
			op, err := fixtureOps[f.Op](f.Attr)
			if err != nil {
				t.Fatal(err)
			}
			types := make([]Type, len(f.In))
			in := fixture.Tensors(t, f.In)
			if laster, ok := op.(ChannelsLaster); ok && WantsChannelsLast(laster) {
				op = moveChannelsLast(t, laster, in, nil)
			}
			key := op.Name()
			for i := range f.In {
				types[i] = TypeOf(in[i])
				key += types[i].DType.Short()
			}
			if seen[key] {
				continue
			}
			seen[key] = true
			checkAllocations(t, i, op, types, in)
		}
	}
}

func checkAllocations(t *testing.T, i int, op Op, types []Type, in []*tensor.Tensor) {
	t.Helper()
	out, err := op.Infer(types)
	if err != nil {
		t.Fatal(err)
	}
	k, err := op.Prepare(&Prepare{In: types, Out: out, Tier: asm.Best(), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := &Call{In: in, Out: newOutputs(t, out), Scratch: tensor.AlignedBytes(k.Scratch), Workers: []Worker{{
		Scratch: tensor.AlignedBytes(k.WorkerScratch), Pointers: make([]unsafe.Pointer, k.WorkerPointers),
	}}}
	if n := testing.AllocsPerRun(2, func() {
		if err := k.Run(c); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("case %d: %s of %v allocates %v times", i, op.Name(), types, n)
	}
}

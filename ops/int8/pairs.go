package int8

import (
	"fmt"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
)

// choosePairs sets the kernel of panels whose products may be summed by pairs in 16 bits, where the tier has one and no other
// form of the layer reads the panels as the kernel of all others packs them.
func (l *layer) choosePairs() {
	l.most = 255
	if q := l.p.In[0].Q; q != nil {
		// Padding is the zero point, and so may be what an activation leaves alone.
		l.most = int(max(q.Max, q.ZeroPoint[0]))
	}
	if !l.onePacking {
		l.pairs = asm.IGemmU8S8PairsFor(l.g)
	}
}

// run computes the outputs of a call, of neighbouring panels with the same kernel at a time.
func (l *layer) run(wk *ops.Worker, s *scratch, t *call) {
	if l.packed.pairs == nil {
		l.runWith(l.g, wk, s, t)
		return
	}
	pairs := l.packed.pairs[t.group*l.packed.weights.Panels():]
	part := *t
	for n0 := t.n0; n0 < t.n1; n0 = part.n1 {
		in := pairs[n0/l.g.NR]
		n1 := n0 + l.g.NR
		for n1 < t.n1 && pairs[n1/l.g.NR] == in {
			n1 += l.g.NR
		}
		part.n0, part.n1 = n0, min(n1, t.n1)
		k := l.g
		if in {
			k = l.pairs
		}
		l.runWith(k, wk, s, &part)
		part.next = nil
	}
}

// choice says which kernel computes the layer, and how many of its panels are summed by pairs, or could be.
func (l *layer) choice() string {
	s := fmt.Sprintf("%s %s %dx%d", l.g.Op, l.g.Tier, l.g.MR, l.g.NR)
	what := "panels are pair-safe"
	if l.pairs != nil {
		what = "panels summed by pairs"
	}
	if l.packed.safe > 0 {
		s += fmt.Sprintf(", %d of %d %s", l.packed.safe, l.groups*l.packed.weights.Panels(), what)
	}
	return s
}

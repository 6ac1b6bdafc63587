package graph

import (
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// fuseAttention makes one operator of softmax(q k^T * scale + mask) v, looking from the last product.
func fuseAttention(g *Rewriter, n *Node) (*Patch, error) {
	if op, ok := n.Op.(ops.MatMul); !ok || op.TransposeB {
		return nil, nil
	}
	soft := g.Producer(n.Inputs[0])
	if soft == nil {
		return nil, nil
	}
	rank := len(n.Outputs[0].Type.Shape)
	if op, ok := soft.Op.(ops.Softmax); !ok || op.Log || (op.Axis != -1 && op.Axis != rank-1) {
		return nil, nil
	}
	scores, value := soft.Inputs[0], n.Inputs[1]
	op := ops.Attention{Scale: 1}
	var mask *Value
	if add := binaryProducer(g, scores, ops.Add); add != nil {
		// The mask is the side that broadcasts, or the one that is no product.
		i := 0
		if isScores(g, add.Inputs[1]) {
			i = 1
		}
		scores, mask = add.Inputs[i], add.Inputs[1-i]
		op.HasMask = true
	}
	scores, op.Scale = scaled(g, scores)
	product := g.Producer(scores)
	if product == nil || op.Scale == 0 {
		return nil, nil
	}
	m, ok := product.Op.(ops.MatMul)
	if !ok {
		return nil, nil
	}
	query, key := product.Inputs[0], product.Inputs[1]
	p := &Patch{Old: n.Outputs}
	if !m.TransposeB {
		order := identity(len(key.Type.Shape))
		if len(order) < 2 {
			return nil, nil
		}
		last := len(order) - 1
		order[last], order[last-1] = order[last-1], order[last]
		from := key
		if t := key.Node; t != nil {
			if permute, ok := t.Op.(ops.Permute); ok {
				from = t.Inputs[0]
				order = permuted(permute.Order, order)
			}
		}
		if slices.Equal(order, identity(len(order))) {
			key = from
		} else {
			node, err := g.newNode(product.Scope, ops.Permute{Order: order}, from)
			if err != nil {
				return nil, err
			}
			p.Nodes = append(p.Nodes, node)
			key = node.Outputs[0]
		}
	}
	inputs := []*Value{query, key, value}
	if mask != nil {
		inputs = append(inputs, mask)
	}
	if _, err := op.Infer(typesOf(inputs)); err != nil {
		return nil, nil // a form of attention that the operator does not have
	}
	node, err := g.newNode(n.Scope, op, inputs...)
	if err != nil {
		return nil, err
	}
	if !node.Outputs[0].Type.Shape.Equal(n.Outputs[0].Type.Shape) {
		return nil, nil
	}
	p.Nodes = append(p.Nodes, node)
	p.New = node.Outputs
	return p, nil
}

// binaryProducer returns the node that computes v with the function, if only it uses v.
func binaryProducer(g *Rewriter, v *Value, fn ops.BinaryFn) *Node {
	n := g.Producer(v)
	if n == nil {
		return nil
	}
	if op, ok := n.Op.(ops.Binary); !ok || op.Fn != fn || op.Act != ops.NoActivation {
		return nil
	}
	return n
}

// isScores reports whether v is a product of matrices, scaled or not.
func isScores(g *Rewriter, v *Value) bool {
	v, _ = scaled(g, v)
	n := g.Producer(v)
	if n == nil {
		return false
	}
	_, ok := n.Op.(ops.MatMul)
	return ok
}

// scaled returns what v multiplies by a constant, and that; v and 1 where it does not.
func scaled(g *Rewriter, v *Value) (*Value, float64) {
	for _, fn := range []ops.BinaryFn{ops.Div, ops.Mul} {
		n := binaryProducer(g, v, fn)
		if n == nil {
			continue
		}
		if s, ok := number(n.Inputs[1]); ok {
			if fn == ops.Div {
				return n.Inputs[0], 1 / s
			}
			return n.Inputs[0], s
		}
		if s, ok := number(n.Inputs[0]); ok && fn == ops.Mul {
			return n.Inputs[1], s
		}
	}
	return v, 1
}

// number returns the value of a constant number. What is known of the example's shape
// alone is none: it is another number for other inputs.
func number(v *Value) (float64, bool) {
	t := v.Const
	if t == nil || t.Numel() != 1 {
		return 0, false
	}
	f, err := t.To(tensor.Float32)
	if err != nil {
		return 0, false
	}
	return float64(f.Contiguous().Float32s()[0]), true
}

// attentionHeads lets attention take positions and heads in the order in which linear
// layers give them, instead of exchanging them before and behind.
func attentionHeads(g *Rewriter, n *Node) (*Patch, error) {
	if permute, ok := n.Op.(ops.Permute); !ok || !exchangesHeads(permute.Order) {
		return nil, nil
	}
	attention := g.Producer(n.Inputs[0])
	if attention == nil {
		return nil, nil
	}
	op, ok := attention.Op.(ops.Attention)
	if !ok || op.HeadsLast {
		return nil, nil
	}
	op.HeadsLast = true
	inputs := slices.Clone(attention.Inputs)
	for i, v := range inputs[:3] {
		if v.Node == nil {
			return nil, nil
		}
		permute, ok := v.Node.Op.(ops.Permute)
		if !ok || !exchangesHeads(permute.Order) {
			return nil, nil
		}
		inputs[i] = v.Node.Inputs[0]
	}
	node, err := g.newNode(attention.Scope, op, inputs...)
	if err != nil {
		return nil, err
	}
	return &Patch{Nodes: []*Node{node}, Old: n.Outputs, New: node.Outputs}, nil
}

// exchangesHeads reports whether a permutation exchanges the two dimensions in front of the last.
func exchangesHeads(order []int) bool {
	n := len(order)
	if n < 3 {
		return false
	}
	want := identity(n)
	want[n-2], want[n-3] = want[n-3], want[n-2]
	return slices.Equal(order, want)
}

// permuted returns the order of a permutation by first and then by second.
func permuted(first, second []int) []int {
	order := make([]int, len(second))
	for i, k := range second {
		order[i] = first[k]
	}
	return order
}

func identity(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

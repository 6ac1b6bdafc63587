package quantize

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops/int8"
)

// valueNames names the values that can be observed, each by a name of its own: inputs by their name,
// the outputs of torch.nn's modules by the module's path, and those of functions by
// the function and the module that calls it. Repeated names are numbered.
func valueNames(g *graph.Graph) map[*graph.Value]string {
	var values []*graph.Value
	var wanted []string
	for _, v := range g.Inputs {
		values, wanted = append(values, v), append(wanted, v.Name)
	}
	for _, n := range g.Nodes {
		base := n.Scope.Path
		switch {
		case base == "":
			base = n.Op.Name()
		case !isLeaf(n.Scope.Class):
			base += "." + n.Op.Name()
		}
		for _, v := range n.Outputs {
			values, wanted = append(values, v), append(wanted, base)
		}
	}
	names := make(map[*graph.Value]string)
	for i, name := range distinct(wanted) {
		names[values[i]] = name
	}
	return names
}

// isLeaf reports whether modules of the class are operators, not compositions.
func isLeaf(class string) bool {
	return strings.HasPrefix(class, "torch.nn.") && !strings.HasPrefix(class, "torch.nn.modules.container.")
}

// distinct numbers repeated names: conv, conv_1, conv_2. A number that makes another
// name of the list, as that of a module conv_1, is followed by one more: conv_1_1.
func distinct(wanted []string) []string {
	taken := make(map[string]bool)
	for _, name := range wanted {
		taken[name] = true
	}
	// Numbers that collide with nothing go first: they do not depend on those that do.
	count := make(map[string]int)
	names := make([]string, len(wanted))
	var collide []int
	for i, base := range wanted {
		names[i] = base
		k := count[base]
		if count[base]++; k == 0 {
			continue
		}
		if names[i] += "_" + strconv.Itoa(k); taken[names[i]] {
			collide = append(collide, i)
		}
		taken[names[i]] = true
	}
	for _, i := range collide {
		names[i] = free(names[i], taken)
		taken[names[i]] = true
	}
	return names
}

// free returns the first of base_1, base_2, ... that is not taken.
func free(base string, taken map[string]bool) string {
	for k := 1; ; k++ {
		if name := base + "_" + strconv.Itoa(k); !taken[name] {
			return name
		}
	}
}

// layerNames names the layers by their weights, each by a name of its own: the weight's, or for one that was computed
// when the model was loaded the module's with ".weight" behind it. Layers that share a weight have one name.
func (p *prepared) layerNames() map[*graph.Node]string {
	var weights []*graph.Node // the first layer of each name
	var wanted []string
	first := make(map[*graph.Node]int)
	byBase := make(map[string][]int)
	for _, n := range p.graph.Nodes {
		if !isLayer(n.Op) || constantWeight(n) != "" {
			continue
		}
		base := weightBase(n)
		first[n] = -1
		for _, i := range byBase[base] {
			if p.shareWeight(weights[i], n) {
				first[n] = i
				break
			}
		}
		if first[n] < 0 {
			first[n] = len(weights)
			byBase[base] = append(byBase[base], len(weights))
			weights, wanted = append(weights, n), append(wanted, base)
		}
	}
	unique := distinct(wanted)
	names := make(map[*graph.Node]string)
	for n, i := range first {
		names[n] = unique[i]
	}
	return names
}

// weightBase is the name of a layer's weight before it is made unique.
func weightBase(n *graph.Node) string {
	switch {
	case n.Inputs[1].Name != "":
		return n.Inputs[1].Name
	case n.Scope.Path != "":
		return n.Scope.Path + ".weight"
	}
	return n.Op.Name() + ".weight"
}

// shareWeight reports whether two layers multiply by the same weight in the same groups.
func (p *prepared) shareWeight(a, b *graph.Node) bool {
	return int8.LayerOf(a.Op).Groups == int8.LayerOf(b.Op).Groups && p.sameConstant(a.Inputs[1], b.Inputs[1])
}

// sameConstant reports whether two constants are one, or were computed from the same ones in the same way,
// so that they remain equal when training changes what they were computed from.
func (p *prepared) sameConstant(a, b *graph.Value) bool {
	if a == b {
		return true
	}
	x, computed := p.origins[a]
	y, too := p.origins[b]
	if computed != too {
		return false
	}
	if !computed {
		return a.Const != nil && b.Const != nil && a.Name == b.Name && a.Type.DType == b.Type.DType && a.Type.Shape.Equal(b.Type.Shape) &&
			(a.Const == b.Const || bytes.Equal(a.Const.Contiguous().Bytes(), b.Const.Contiguous().Bytes()))
	}
	if x.out != y.out || len(x.by.in) != len(y.by.in) || !reflect.DeepEqual(x.by.op, y.by.op) {
		return false
	}
	for i := range x.by.in {
		if !p.sameConstant(x.by.in[i], y.by.in[i]) {
			return false
		}
	}
	return true
}

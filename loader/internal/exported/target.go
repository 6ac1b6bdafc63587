package exported

import "strings"

// pythonOperators are the functions of Python and torch on numbers, as operators of the table.
var pythonOperators = map[string]string{
	"_operator.add": "aten::add", "_operator.sub": "aten::sub", "_operator.mul": "aten::mul", "_operator.floordiv": "aten::floordiv",
	"_operator.truediv": "aten::div", "_operator.mod": "aten::remainder", "_operator.pow": "aten::pow", "_operator.neg": "aten::neg",
	"_operator.pos": "prim::identity", "_operator.eq": "aten::eq", "_operator.ne": "aten::ne", "_operator.lt": "aten::lt", "_operator.le": "aten::le",
	"_operator.gt": "aten::gt", "_operator.ge": "aten::ge", "_operator.and_": "aten::__and__", "_operator.or_": "aten::__or__",
	"_operator.xor": "aten::__xor__", "_operator.not_": "aten::__not__", "_operator.getitem": "aten::__getitem__", "_operator.abs": "aten::abs",
	"_operator.lshift": "aten::__lshift__", "_operator.rshift": "aten::__rshift__",
	"math.trunc": "aten::Int", "math.floor": "aten::floor", "math.ceil": "aten::ceil", "builtins.round": "aten::round",
	"torch.sym_float": "aten::Float", "torch.sym_int": "aten::Int", "torch.sym_max": "prim::max", "torch.sym_min": "prim::min",
	"torch.sym_not": "aten::__not__", "torch.sym_ite": "prim::ite", "torch.sym_sum": "prim::sum", "torch._sym_sqrt": "aten::sqrt", "math.sqrt": "aten::sqrt",
}

const (
	operatorPrefix    = "torch.ops."
	higherOrderPrefix = "torch.ops.higher_order."
)

// operatorName returns the name of a node's operator without its overload, as the table
// has it, "" of one that is no operator of PyTorch's libraries.
func operatorName(target string) string {
	if name, ok := pythonOperators[target]; ok {
		return name
	}
	rest, ok := strings.CutPrefix(target, operatorPrefix)
	parts := strings.Split(rest, ".")
	if !ok || len(parts) < 2 || len(parts) > 3 {
		return ""
	}
	return parts[0] + "::" + parts[1]
}

// refusedTargets are calls that no table has, by the beginning of their targets, and what to do instead.
var refusedTargets = []struct{ prefix, advice string }{
	{"torch._functorch.predispatch.", "torch.vmap: call run_decompositions() before saving"},
	{"torch.ops.higher_order.with_effects", "an operator with effects"},
	{"torch.ops.higher_order.triton_kernel_wrapper", "a Triton kernel"},
	{"torch.ops.higher_order.call_torchbind", "an object of a custom class"},
	{"torch.ops.higher_order.aoti_call_delegate", "compiled code for one machine"},
	{"torch.ops.higher_order.executorch_call_delegate", "a part compiled for ExecuTorch"},
	{"#", "an extension of the format"},
}

// describeTarget names what a node calls, in lists of what is not supported.
func describeTarget(target string) string {
	for _, r := range refusedTargets {
		if strings.HasPrefix(target, r.prefix) {
			return target + ": " + r.advice
		}
	}
	if name := operatorName(target); name != "" {
		return name
	}
	return target
}

// writes reports whether a node does something besides giving its results: it writes to
// memory, checks something, or executes a graph that may.
func (n *Node) writes() bool {
	if strings.HasPrefix(n.Target, higherOrderPrefix) {
		return true
	}
	_, name, _ := strings.Cut(operatorName(n.Target), "::")
	inPlace := strings.HasSuffix(name, "_") && !strings.HasSuffix(name, "__")
	return inPlace || strings.HasPrefix(name, "_assert") || strings.HasPrefix(name, "sym_constrain") || name == "" || len(n.Outputs) == 0
}

// live returns which nodes of a graph a run needs, and which names they use: random numbers that nobody uses, for
// one, are no reason to refuse a program.
func (g *Graph) live() (live []bool, used map[string]bool) {
	used = make(map[string]bool)
	var use func(a Arg)
	use = func(a Arg) {
		switch a := a.(type) {
		case List:
			for _, x := range a {
				use(x)
			}
		case Dict:
			use(List(a.Values))
		default:
			if name := nameOf(a); name != "" {
				used[name] = true
			}
		}
	}
	for _, a := range g.Outputs {
		use(a)
	}
	live = make([]bool, len(g.Nodes))
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := &g.Nodes[i]
		live[i] = n.writes() || anyUsed(n.Outputs, used)
		if !live[i] {
			continue
		}
		for _, in := range n.Inputs {
			use(in.Arg)
		}
	}
	return live, used
}

func anyUsed(args []Arg, used map[string]bool) bool {
	for _, a := range args {
		if list, ok := a.(List); ok {
			if anyUsed(list, used) {
				return true
			}
		} else if used[nameOf(a)] {
			return true
		}
	}
	return false
}

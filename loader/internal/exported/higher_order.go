package exported

import (
	"fmt"
	"strconv"

	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/tensor"
)

// higherCall is a call of an operator that takes graphs.
type higherCall struct {
	*scope
	at     place
	graphs []*Graph
	plain  []Arg        // bools, ints and strings in front of the graphs
	rest   []aten.Value // arguments behind the last graph, lists as *aten.List
}

// higherOrder are the operators that take graphs, by name.
var higherOrder map[string]func(c *higherCall) ([]aten.Value, error)

func init() {
	inline := func(c *higherCall) ([]aten.Value, error) { return c.graph(c.graphs[0], flat(c.rest)) }
	higherOrder = map[string]func(c *higherCall) ([]aten.Value, error){
		"cond": cond, "while_loop": whileLoop, "map_impl": mapOver, "map": mapOver, "scan": scan,
		"wrap": inline, "wrap_with_set_grad_enabled": setGradEnabled, "wrap_with_autocast": autocast, "strict_mode": inline,
		"tag_activation_checkpoint": inline, "wrap_activation_checkpoint": inline, "checkpoint": inline,
		"out_dtype": outDType,
		"invoke_subgraph": func(c *higherCall) ([]aten.Value, error) {
			if len(c.rest) > 0 {
				if _, ok := c.rest[0].(string); ok { // its name
					c.rest = c.rest[1:]
				}
			}
			return c.graph(c.graphs[0], flat(c.rest))
		},
	}
}

// higherOrder executes a call of an operator that takes graphs.
func (s *scope) higherOrder(n *Node, at place, name string) error {
	f := higherOrder[name]
	c := &higherCall{scope: s, at: at}
	for _, in := range n.Inputs {
		if g, ok := in.Arg.(*Subgraph); ok {
			c.graphs = append(c.graphs, g.Graph)
			continue
		}
		if f == nil {
			continue
		}
		if len(c.graphs) == 0 && name != "cond" {
			c.plain = append(c.plain, in.Arg)
			continue
		}
		v, err := s.value(in.Arg)
		if err != nil {
			return err
		}
		c.rest = append(c.rest, v)
	}
	if f == nil {
		s.Note(at, describeTarget(n.Target))
		return s.results(n, aten.Unknown{})
	}
	if need := graphsOf(name); len(c.graphs) != need {
		return fmt.Errorf("%d graphs", len(c.graphs))
	}
	for _, v := range flat(c.rest) {
		if aten.IsUnknown(v) {
			return s.results(n, aten.Unknown{})
		}
	}
	out, err := f(c)
	if err != nil {
		return err
	}
	if s.Unsupported() != nil && len(out) == 0 {
		return s.results(n, aten.Unknown{})
	}
	if len(n.Outputs) == 1 {
		if _, isList := n.Outputs[0].(List); isList {
			return s.set(n.Outputs[0], &aten.List{Items: out})
		}
	}
	if name == "out_dtype" {
		return s.results(n, out[0])
	}
	return s.results(n, &aten.Tuple{Items: out})
}

// graphsOf returns how many graphs an operator takes.
func graphsOf(name string) int {
	switch name {
	case "cond", "while_loop":
		return 2
	case "out_dtype":
		return 0
	}
	return 1
}

// flat returns arguments with the elements of lists in their place.
func flat(args []aten.Value) []aten.Value {
	var out []aten.Value
	for _, v := range args {
		if items, ok := aten.Items(v); ok {
			out = append(out, flat(items)...)
		} else {
			out = append(out, v)
		}
	}
	return out
}

// condition returns a predicate, a tensor or a number, as a number.
func (r *run) condition(v aten.Value) (aten.Value, error) {
	if t, ok := v.(*build.Tensor); ok {
		return aten.Item(r.Builder, t, build.Bool)
	}
	return v, nil
}

// cond is torch.cond(pred, true_fn, false_fn, operands).
func cond(c *higherCall) ([]aten.Value, error) {
	if len(c.rest) < 1 {
		return nil, fmt.Errorf("no predicate")
	}
	pred, err := c.condition(c.rest[0])
	if err != nil {
		return nil, err
	}
	operands := flat(c.rest[1:])
	block := func(g *Graph) aten.Block {
		return func() (aten.Flow, aten.Value, error) {
			out, err := c.graph(g, operands)
			return aten.Next, &aten.Tuple{Items: out}, err
		}
	}
	_, v, err := c.Branch(&aten.Frame{Vars: map[string]aten.Value{}}, pred, block(c.graphs[0]), block(c.graphs[1]))
	if err != nil {
		return nil, err
	}
	out, _ := aten.Items(v)
	return out, nil
}

// whileLoop is while_loop(cond_fn, body_fn, carried, additional).
func whileLoop(c *higherCall) ([]aten.Value, error) {
	if len(c.rest) < 1 {
		return nil, fmt.Errorf("nothing is carried")
	}
	carried := flat(c.rest[:1])
	additional := flat(c.rest[1:])
	f := &aten.Frame{Vars: make(map[string]aten.Value)}
	names := make([]string, len(carried))
	for i, v := range carried {
		names[i] = strconv.Itoa(i)
		f.Vars[names[i]] = v
	}
	args := func() []aten.Value {
		out := make([]aten.Value, 0, len(names)+len(additional))
		for _, name := range names {
			out = append(out, f.Vars[name])
		}
		return append(out, additional...)
	}
	_, _, err := c.While(f, aten.Loop{
		Assigned: func() []string { return names },
		Cond: func() (aten.Value, error) {
			out, err := c.graph(c.graphs[0], args())
			if err != nil {
				return nil, err
			}
			if len(out) != 1 {
				return nil, fmt.Errorf("a condition of %d values", len(out))
			}
			return c.condition(out[0])
		},
		Body: func() (aten.Flow, aten.Value, error) {
			out, err := c.graph(c.graphs[1], args())
			if err != nil {
				return aten.Next, nil, err
			}
			if len(out) != len(names) {
				return aten.Next, nil, fmt.Errorf("a body that gives %d values for %d", len(out), len(names))
			}
			for i, name := range names {
				f.Vars[name] = out[i]
			}
			return aten.Next, nil, nil
		},
	})
	return args()[:len(names)], err
}

// maxUnrolled bounds the iterations that become nodes one by one.
const maxUnrolled = 1 << 14

// count returns the extent of the dimension that a map or scan goes over, on which the graph then depends.
func (c *higherCall) count(xs []aten.Value, axis int64) (int, error) {
	if len(xs) == 0 {
		return 0, fmt.Errorf("nothing to go over")
	}
	t, ok := xs[0].(*build.Tensor)
	if !ok || axis < 0 || int(axis) >= t.Rank() {
		return 0, fmt.Errorf("it goes over dimension %d of a %s that does not have it", axis, aten.TypeName(xs[0]))
	}
	v, err := c.PlainValue(c.Dims(t)[axis])
	if err != nil {
		return 0, err
	}
	n, _ := v.(int64)
	if n < 1 || n > maxUnrolled {
		return 0, fmt.Errorf("%d iterations, where 1 to %d are supported", n, maxUnrolled)
	}
	return int(n), nil
}

// element returns element i of all of some tensors, along a dimension.
func (c *higherCall) element(xs []aten.Value, axis int64, i int) ([]aten.Value, error) {
	out := make([]aten.Value, len(xs))
	for k, x := range xs {
		var err error
		if out[k], err = c.Dispatch("aten::select", []aten.Value{x, axis, int64(i)}, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// stack joins the results of all iterations.
func (c *higherCall) stack(rows [][]aten.Value) ([]aten.Value, error) {
	out := make([]aten.Value, len(rows[0]))
	for k := range out {
		column := &aten.List{}
		for _, row := range rows {
			column.Items = append(column.Items, row[k])
		}
		if aten.IsUnknown(column) {
			out[k] = aten.Unknown{}
			continue
		}
		var err error
		if out[k], err = c.Dispatch("aten::stack", []aten.Value{column, int64(0)}, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mapOver is map(f, xs, args): it is unrolled.
func mapOver(c *higherCall) ([]aten.Value, error) {
	if len(c.rest) < 1 {
		return nil, fmt.Errorf("nothing to go over")
	}
	xs := flat(c.rest[:1])
	n, err := c.count(xs, 0)
	if err != nil {
		return nil, err
	}
	rows := make([][]aten.Value, n)
	for i := range rows {
		row, err := c.element(xs, 0, i)
		if err != nil {
			return nil, err
		}
		if rows[i], err = c.graph(c.graphs[0], append(row, flat(c.rest[1:])...)); err != nil {
			return nil, err
		}
	}
	return c.stack(rows)
}

// scan is scan(f, init, xs, additional), of PyTorch 2.6 scan(f, init, xs, dim, reverse,
// additional): f takes what is carried and an element of each of xs, and gives what is
// carried on and a result, of which those of all are stacked along dimension 0. It is unrolled.
func scan(c *higherCall) ([]aten.Value, error) {
	if len(c.rest) < 2 {
		return nil, fmt.Errorf("%d arguments", len(c.rest))
	}
	carried, xs, rest := flat(c.rest[:1]), flat(c.rest[1:2]), c.rest[2:]
	axis, reverse := int64(0), false
	if len(rest) >= 2 {
		if dim, ok := rest[0].(int64); ok {
			axis = dim
			reverse, _ = rest[1].(bool)
			rest = rest[2:]
		}
	}
	n, err := c.count(xs, axis)
	if err != nil {
		return nil, err
	}
	rows := make([][]aten.Value, n)
	for k := range n {
		i := k
		if reverse {
			i = n - 1 - k
		}
		row, err := c.element(xs, axis, i)
		if err != nil {
			return nil, err
		}
		args := append(append([]aten.Value(nil), carried...), row...)
		out, err := c.graph(c.graphs[0], append(args, flat(rest)...))
		if err != nil {
			return nil, err
		}
		if len(out) < len(carried) {
			return nil, fmt.Errorf("an iteration gives %d values where %d are carried", len(out), len(carried))
		}
		carried, rows[i] = out[:len(carried)], out[len(carried):]
	}
	results, err := c.stack(rows)
	return append(append([]aten.Value(nil), carried...), results...), err
}

// lowered are the operators that autocast computes in the shorter type on a CPU.
var lowered = map[string]bool{
	"aten::conv1d": true, "aten::conv2d": true, "aten::conv3d": true, "aten::conv_transpose1d": true, "aten::conv_transpose2d": true,
	"aten::conv_transpose3d": true, "aten::convolution": true, "aten::bmm": true, "aten::mm": true, "aten::linear": true, "aten::addmm": true, "aten::addbmm": true, "aten::baddbmm": true,
	"aten::matmul": true, "aten::scaled_dot_product_attention": true, "aten::einsum": true, "aten::linalg_matmul": true, "aten::mv": true, "aten::dot": true,
	"aten::lstm": true, "aten::gru": true, "aten::lstm_cell": true, "aten::gru_cell": true,
}

// autocast is wrap_with_autocast(device, dtype, enabled, cache_enabled, f, args).
func autocast(c *higherCall) ([]aten.Value, error) {
	if len(c.plain) < 3 {
		return nil, fmt.Errorf("%d arguments in front of the graph", len(c.plain))
	}
	outer := c.autocast
	defer func() { c.run.autocast = outer }()
	dtype, _ := c.plain[1].(ScalarType)
	if c.plain[1] == nil {
		dtype = 13 // bfloat16, the default of a CPU
	}
	c.run.autocast = tensor.Invalid
	if enabled, _ := c.plain[2].(bool); enabled {
		if c.run.autocast = dtype.DType(); !c.run.autocast.IsFloat() {
			return nil, fmt.Errorf("autocast to %s", dtype)
		}
	}
	return c.graph(c.graphs[0], flat(c.rest))
}

// setGradEnabled is wrap_with_set_grad_enabled(enabled, f, args).
func setGradEnabled(c *higherCall) ([]aten.Value, error) {
	defer func(noGrad bool) { c.NoGrad = noGrad }(c.NoGrad)
	if len(c.plain) > 0 {
		enabled, ok := c.plain[0].(bool)
		c.NoGrad = ok && !enabled
	}
	return c.graph(c.graphs[0], flat(c.rest))
}

// lower casts the float32 arguments of an operator that autocast computes in a shorter type.
func (s *scope) lower(name string, args []aten.Value, keywords map[string]aten.Value) error {
	if !lowered[name] {
		return nil
	}
	return replaceTensors(args, keywords, func(t *build.Tensor) (aten.Value, error) {
		if t.DType() != tensor.Float32 {
			return t, nil
		}
		return s.castTensor(t, s.autocast)
	})
}

package exported

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// The limits of a program.
const (
	maxNodes  = 1 << 18 // in all of its graphs
	maxNested = 40      // graphs
	maxRank   = 64      // PyTorch's own limit
	maxInputs = 1 << 17
	maxArgs   = 1 << 20 // of nodes, in all graphs
	maxValues = 1 << 19 // tensors and numbers, in all graphs
	maxGuards = 1 << 16
)

// The major versions of the schema that are read.
const (
	minMajor = 7
	maxMajor = 8
)

// decoder makes a program of its JSON.
type decoder struct {
	*jsonReader
	nodes   int
	args    int
	known   int // tensors and numbers
	nested  int
	exprs   map[string]*Expr
	devices []string
}

// ParseProgram reads the JSON of a program, of the record with this name. Errors are
// *tensor.FileError, which say the place in the JSON.
func ParseProgram(record string, data []byte) (*Program, error) {
	d := &decoder{jsonReader: newJSONReader(record, data), exprs: make(map[string]*Expr)}
	if err := d.checkVersion(); err != nil {
		return nil, err
	}
	p := &Program{}
	d.object(func(key string) {
		switch key {
		case "graph_module":
			d.graphModule(p)
		case "range_constraints":
			p.Ranges = d.ranges()
		case "guards_code":
			p.Guards = d.guards()
		case "schema_version":
			p.Schema = d.version()
		case "verifiers":
			d.array(func(int) { p.Dialects = append(p.Dialects, d.str()) })
		case "dialect":
			p.Dialects = append(p.Dialects, d.str())
		case "torch_version":
			p.Torch = d.str()
		default:
			d.skip()
		}
	})
	if err := d.end(); err != nil {
		return nil, err
	}
	p.Devices = d.devices
	return p, p.verify(record)
}

// checkVersion looks for the version of the schema first, since a program of
// another may look different in every respect.
func (d *decoder) checkVersion() error {
	r := d.again()
	v := Version{}
	r.object(func(key string) {
		if key == "schema_version" {
			v = (&decoder{jsonReader: r}).version()
		} else {
			r.skip()
		}
	})
	if r.err != nil {
		return r.err
	}
	if v.Major < minMajor || v.Major > maxMajor {
		return &tensor.FileError{Record: d.record, Err: &UnsupportedFileError{
			What:   fmt.Sprintf("an exported program of schema version %d.%d; versions %d and %d are read, which PyTorch 2.5 to 2.14 write", v.Major, v.Minor, minMajor, maxMajor),
			Advice: "export the model again with PyTorch 2.6 or later, torch.export.save(torch.export.export(model, args), path)",
		}}
	}
	return nil
}

func (d *decoder) version() Version {
	var v Version
	d.object(func(key string) {
		switch key {
		case "major":
			v.Major = d.small()
		case "minor":
			v.Minor = d.small()
		default:
			d.skip()
		}
	})
	return v
}

// small reads a number of 31 bits that is not negative.
func (d *decoder) small() int {
	n := d.int()
	if n < 0 || n > math.MaxInt32 {
		d.fail("%d", n)
		return 0
	}
	return int(n)
}

func (d *decoder) graphModule(p *Program) {
	fields := make(map[string][]string)
	d.object(func(key string) {
		switch key {
		case "graph":
			p.Graph = d.graph()
		case "signature":
			d.signature(p)
		case "module_call_graph":
			d.array(func(i int) {
				if i == 0 {
					d.callSignature(p)
				} else {
					d.skip()
				}
			})
		case "treespec_namedtuple_fields":
			d.object(func(class string) { fields[class] = d.tupleFields() })
		default:
			d.skip()
		}
	})
	for _, t := range []*Tree{p.In, p.Out} {
		t.nameFields(fields)
	}
}

func (d *decoder) tupleFields() []string {
	var names []string
	d.object(func(key string) {
		if key == "field_names" {
			d.array(func(int) { names = append(names, d.str()) })
		} else {
			d.skip()
		}
	})
	return names
}

// callSignature reads how the whole module is called.
func (d *decoder) callSignature(p *Program) {
	d.object(func(key string) {
		if key != "signature" || d.null() {
			if key != "signature" {
				d.skip()
			}
			return
		}
		d.object(func(key string) {
			switch key {
			case "in_spec":
				p.In = d.tree()
			case "out_spec":
				p.Out = d.tree()
			case "forward_arg_names":
				if !d.null() {
					d.array(func(int) { p.ArgNames = append(p.ArgNames, d.str()) })
				}
			default:
				d.skip()
			}
		})
	})
}

// tree reads a pytree, which is JSON in a string.
func (d *decoder) tree() *Tree {
	if d.null() {
		return nil
	}
	text := d.str()
	if d.err != nil {
		return nil
	}
	t, err := parseTree(text)
	if err != nil {
		d.fail("%v", err)
	}
	return t
}

func (d *decoder) ranges() map[string]Range {
	out := make(map[string]Range)
	d.object(func(symbol string) {
		r := Range{Min: math.MinInt64, Max: math.MaxInt64}
		d.object(func(key string) {
			switch {
			case key != "min_val" && key != "max_val":
				d.skip()
			case d.null():
			case key == "min_val":
				r.Min = d.clampedInt()
			default:
				r.Max = d.clampedInt()
			}
		})
		out[symbol] = r
	})
	return out
}

func (d *decoder) guards() []Guard {
	var out []Guard
	if d.null() {
		return nil
	}
	d.array(func(i int) {
		if i >= maxGuards {
			d.fail("more than %d guards", maxGuards)
		}
		text := d.str()
		if d.err != nil {
			return
		}
		cond, err := ParseGuard(text)
		if err != nil {
			d.fail("%v", err)
		}
		out = append(out, Guard{text, cond})
	})
	return out
}

// graph reads a graph, those inside it too.
func (d *decoder) graph() *Graph {
	g := &Graph{Tensors: make(map[string]*TensorMeta), Symbols: make(map[string]*Expr)}
	if d.nested++; d.nested > maxNested {
		d.fail("graphs are nested more than %d deep", maxNested)
	}
	defer func() { d.nested-- }()
	d.object(func(key string) {
		switch key {
		case "inputs":
			g.Inputs = d.list()
		case "outputs":
			g.Outputs = d.list()
		case "nodes":
			d.array(func(int) {
				if d.nodes++; d.nodes > maxNodes {
					d.fail("more than %d nodes", maxNodes)
					return
				}
				g.Nodes = append(g.Nodes, d.node())
			})
		case "tensor_values":
			d.object(func(name string) {
				if d.value() {
					g.Tensors[name] = d.tensorMeta()
				}
			})
		case "sym_int_values", "sym_bool_values", "sym_float_values":
			d.object(func(name string) {
				if g.Symbols[name] != nil {
					d.fail("two numbers have this name")
				}
				if d.value() {
					g.Symbols[name] = d.symbolValue()
				}
			})
		default:
			d.skip()
		}
	})
	return g
}

// value counts a tensor or number.
func (d *decoder) value() bool {
	if d.known++; d.known > maxValues {
		d.fail("more than %d tensors and numbers", maxValues)
	}
	return d.err == nil
}

func (d *decoder) node() Node {
	var n Node
	d.object(func(key string) {
		switch key {
		case "target":
			n.Target = d.str()
		case "name":
			if !d.null() {
				n.Name = d.str()
			}
		case "inputs":
			d.array(func(int) { n.Inputs = append(n.Inputs, d.namedArg()) })
		case "outputs":
			n.Outputs = d.list()
		case "metadata":
			d.object(func(key string) {
				if key == "nn_module_stack" {
					n.Stack = d.str()
				} else {
					d.skip()
				}
			})
		default:
			d.skip()
		}
	})
	return n
}

func (d *decoder) namedArg() NamedArg {
	var a NamedArg
	if d.args++; d.args > maxArgs {
		d.fail("more than %d arguments", maxArgs)
	}
	d.object(func(key string) {
		switch key {
		case "name":
			a.Name = d.str()
		case "arg":
			a.Arg = d.arg()
		case "kind":
			if d.null() {
				return
			}
			k := d.small()
			if k > int(Keyword) {
				d.fail("an argument of kind %d", k)
			}
			a.Kind = ArgKind(k)
		default:
			d.skip()
		}
	})
	return a
}

// tensorMeta reads what is known of a tensor.
func (d *decoder) tensorMeta() *TensorMeta {
	m := &TensorMeta{}
	extents := func() []Extent {
		var out []Extent
		d.array(func(i int) {
			if i >= maxRank {
				d.fail("more than %d dimensions", maxRank)
				return
			}
			out = append(out, d.extent())
		})
		return out
	}
	d.object(func(key string) {
		switch key {
		case "dtype":
			n := d.small()
			m.DType, m.Type, m.Wide = dtypes[n], dtypeName(n), wides[n]
		case "sizes":
			m.Sizes = extents()
		case "strides":
			m.Strides = extents()
		case "storage_offset":
			m.Offset = d.extent()
		case "device":
			m.Device = string(d.device())
			kind, _, _ := strings.Cut(m.Device, ":")
			if kind != "cpu" && !slices.Contains(d.devices, kind) && len(d.devices) < 16 {
				d.devices = append(d.devices, kind)
			}
		case "layout":
			m.Layout = Layout(min(d.small(), math.MaxUint8))
		default:
			d.skip()
		}
	})
	return m
}

// expr parses an expression, each text once.
func (d *decoder) expr(text string) *Expr {
	if e := d.exprs[text]; e != nil || d.err != nil {
		return e
	}
	e, err := ParseExpr(text)
	if err != nil {
		d.fail("%v", err)
		return nil
	}
	d.exprs[text] = e
	return e
}

// extent reads a SymInt that is an extent, a stride or an offset.
func (d *decoder) extent() Extent {
	out := Extent{Hint: -1}
	d.one("a number", func(member string) {
		switch member {
		case "as_int":
			out.Fixed = d.int()
		case "as_expr":
			out.Expr, out.Hint = d.symExpr()
		default:
			d.unknownMember("a number", member)
		}
	})
	return out
}

// symExpr reads an expression and its example.
func (d *decoder) symExpr() (e *Expr, hint int64) {
	hint = -1
	d.object(func(key string) {
		switch {
		case key == "expr_str":
			if text := d.str(); d.err == nil {
				e = d.expr(text)
			}
		case key != "hint":
			d.skip()
		case d.null():
		default:
			d.one("an example", func(member string) {
				if member == "as_int" {
					hint = d.int()
				} else {
					d.skip()
				}
			})
		}
	})
	if e == nil {
		d.fail("an expression without a text")
	}
	return e, hint
}

// symbolValue reads a SymInt, SymBool or SymFloat.
func (d *decoder) symbolValue() *Expr {
	var e *Expr
	d.one("a number", func(member string) {
		switch member {
		case "as_expr":
			e, _ = d.symExpr()
		case "as_int":
			e = &Expr{Op: opConst, Const: d.int()}
		case "as_float":
			e = &Expr{Op: opConst, Const: d.float()}
		case "as_bool":
			e = &Expr{Op: opConst, Const: d.bool()}
		default:
			d.unknownMember("a number", member)
		}
	})
	return e
}

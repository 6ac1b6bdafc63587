package exported

import (
	"math"
	"strconv"
)

// list reads a list of arguments.
func (d *decoder) list() []Arg {
	var out []Arg
	d.array(func(int) { out = append(out, d.arg()) })
	return out
}

// listOf reads a list of one kind.
func (d *decoder) listOf(element func() Arg) List {
	out := List{}
	d.array(func(int) { out = append(out, element()) })
	return out
}

// arg reads an Argument. The decoders of its kinds are written out, for what is not
// one of them is refused.
func (d *decoder) arg() (a Arg) {
	d.one("an argument", func(member string) { a = d.argument(member) })
	return a
}

func (d *decoder) argument(member string) Arg {
	switch member {
	case "as_none":
		d.skip()
		return nil
	case "as_tensor":
		return Tensor(d.named())
	case "as_tensors":
		return d.listOf(func() Arg { return Tensor(d.named()) })
	case "as_optional_tensor":
		return d.optionalTensor()
	case "as_optional_tensors":
		return d.listOf(d.optionalTensor)
	case "as_nested_tensors":
		return d.listOf(func() Arg { return d.listOf(func() Arg { return Tensor(d.named()) }) })
	case "as_sym_int", "as_sym_bool", "as_sym_float":
		return d.symbolArg()
	case "as_sym_ints", "as_sym_bools", "as_sym_floats":
		return d.listOf(d.symbolArg)
	case "as_graph":
		return d.subgraph()
	case "as_string_to_argument":
		var out Dict
		d.object(func(key string) {
			out.Keys, out.Values = append(out.Keys, key), append(out.Values, d.arg())
		})
		return out
	case "as_custom_obj":
		return d.customObject()
	}
	return d.plain(member)
}

// plain reads the kinds of arguments that refer to no value.
func (d *decoder) plain(member string) Arg {
	number := func() Arg { return d.int() }
	float := func() Arg { return d.float() }
	text := func() Arg { return d.str() }
	switch member {
	case "as_int":
		return d.int()
	case "as_ints":
		return d.listOf(number)
	case "as_int_lists":
		return d.listOf(func() Arg { return d.listOf(number) })
	case "as_float":
		return d.float()
	case "as_floats":
		return d.listOf(float)
	case "as_float_lists":
		return d.listOf(func() Arg { return d.listOf(float) })
	case "as_bool":
		return d.bool()
	case "as_bools":
		return d.listOf(func() Arg { return d.bool() })
	case "as_string":
		return d.str()
	case "as_strings":
		return d.listOf(text)
	case "as_complex":
		return d.complex()
	case "as_scalar_type":
		return ScalarType(d.small())
	case "as_layout":
		return Layout(min(d.small(), math.MaxUint8))
	case "as_memory_format":
		return MemoryFormat(min(d.small(), math.MaxUint8))
	case "as_device":
		return d.device()
	case "as_operator":
		return Operator(d.str())
	}
	d.unknownMember("an argument", member)
	return nil
}

// named reads an object with a name, such as a TensorArgument.
func (d *decoder) named() string {
	name := ""
	d.object(func(key string) {
		if key == "name" {
			name = d.str()
		} else {
			d.skip()
		}
	})
	if name == "" {
		d.fail("an argument without a name")
	}
	return name
}

func (d *decoder) optionalTensor() (a Arg) {
	d.one("an optional tensor", func(member string) {
		switch member {
		case "as_tensor":
			a = Tensor(d.named())
		case "as_none":
			d.skip()
		default:
			d.unknownMember("an optional tensor", member)
		}
	})
	return a
}

// symbolArg reads a SymIntArgument, SymBoolArgument or SymFloatArgument.
func (d *decoder) symbolArg() (a Arg) {
	d.one("a number", func(member string) {
		switch member {
		case "as_name":
			a = Symbol(d.str())
		case "as_int":
			a = d.int()
		case "as_float":
			a = d.float()
		case "as_bool":
			a = d.bool()
		default:
			d.unknownMember("a number", member)
		}
	})
	return a
}

func (d *decoder) subgraph() Arg {
	s := &Subgraph{}
	d.object(func(key string) {
		switch key {
		case "name":
			s.Name = d.str()
		case "graph":
			s.Graph = d.graph()
		default:
			d.skip()
		}
	})
	if s.Graph == nil {
		d.fail("a graph argument without a graph")
		s.Graph = &Graph{}
	}
	return s
}

func (d *decoder) customObject() Arg {
	var o CustomObject
	d.object(func(key string) {
		switch key {
		case "name":
			o.Name = d.str()
		case "class_fqn":
			o.Class = d.str()
		default:
			d.skip()
		}
	})
	return o
}

func (d *decoder) complex() Arg {
	var re, im float64
	d.object(func(key string) {
		switch key {
		case "real":
			re = d.float()
		case "imag":
			im = d.float()
		default:
			d.skip()
		}
	})
	return complex(re, im)
}

func (d *decoder) device() Device {
	kind, index := "", ""
	d.object(func(key string) {
		switch {
		case key == "type":
			kind = d.str()
		case key != "index":
			d.skip()
		case !d.null():
			index = ":" + strconv.Itoa(d.small())
		}
	})
	return Device(kind + index)
}

package torchscript

import "strings"

// texts are the operators on strings, and what programs say and raise.
var texts = []operator{
	{"prim::RaiseException", "msg:v cls:s?=None", raise},
	{"prim::unchecked_unwrap_optional", "optional:v", unwrap},
	{"aten::_unwrap_optional", "optional:v", unwrap},
	{"prim::unchecked_cast", "x:v", func(c *call) value { return c.args[0] }},
	{"prim::Print", "a:v", func(*call) value { return nil }},
	{"aten::warn", "message:v stacklevel:i=2", func(*call) value { return nil }},
	{"prim::rangelist", "n:i", func(c *call) value { v, err := c.rangeList([]int64{int64(c.int(0))}); c.failed(err); return v }},
	{"aten::wait", "self:v", func(c *call) value { return c.args[0] }},
	{"prim::id", "x:v", func(c *call) value { return c.unsupported("") }},

	{"aten::add", "a:s b:s", func(c *call) value { return c.text(c.string(0) + c.string(1)) }},
	{"aten::mul", "a:s n:i", func(c *call) value { return c.repeatText(c.string(0), c.int(1)) }},
	{"aten::str", "elem:v", func(c *call) value { return c.text(formatValue(c.args[0])) }},
	{"aten::upper", "self:s", mapText(strings.ToUpper)},
	{"aten::lower", "self:s", mapText(strings.ToLower)},
	{"aten::strip", "self:s chars:s?=None", stripText},
	{"aten::startswith", "self:s prefix:s", func(c *call) value { return strings.HasPrefix(c.string(0), c.string(1)) }},
	{"aten::endswith", "self:s suffix:s", func(c *call) value { return strings.HasSuffix(c.string(0), c.string(1)) }},
	{"aten::find", "self:s sub:s", func(c *call) value { return int64(strings.Index(c.string(0), c.string(1))) }},
	{"aten::replace", "self:s old:s new:s", func(c *call) value { return c.text(strings.ReplaceAll(c.string(0), c.string(1), c.string(2))) }},
	{"aten::split", "self:s separator:s?=None max:i=-1", splitText},
	{"aten::join", "self:s values:l", joinText},
	{"aten::format", "self:s args:*", formatText},
}

func compareStrings(f func(int) bool) func(*call) value {
	return func(c *call) value { return f(strings.Compare(c.string(0), c.string(1))) }
}

func raise(c *call) value {
	class := strings.TrimPrefix(c.string(1), "builtins.")
	return c.failed(&RaisedError{class, formatValue(c.args[0])})
}

func unwrap(c *call) value {
	if c.args[0] == nil {
		return c.failed(&RaisedError{"AssertionError", "Unwrapping null optional"})
	}
	return c.args[0]
}

func (c *call) text(s string) value {
	c.failed(c.spend(len(s)))
	return s
}

func (c *call) repeatText(s string, n int) value {
	if n = max(n, 0); len(s) > 0 && n > maxItems/len(s) {
		return c.fail("a string of %d bytes is repeated %d times", len(s), n)
	}
	return c.text(strings.Repeat(s, n))
}

func mapText(f func(string) string) func(*call) value {
	return func(c *call) value { return c.text(f(c.string(0))) }
}

func splitText(c *call) value {
	var parts []string
	if c.isNone(1) {
		parts = strings.Fields(c.string(0))
	} else {
		n := c.int(2)
		if n >= 0 {
			n++
		}
		parts = strings.SplitN(c.string(0), c.string(1), n)
	}
	c.failed(c.spend(len(parts)))
	l := &list{}
	for _, p := range parts {
		l.items = append(l.items, p)
	}
	return l
}

func joinText(c *call) value {
	var parts []string
	for _, x := range c.args[1].(*list).items {
		s, ok := x.(string)
		if !ok {
			return c.fail("a %s is joined to a string", typeName(x))
		}
		parts = append(parts, s)
	}
	return c.text(strings.Join(parts, c.string(0)))
}

func formatText(c *call) value {
	args, _ := itemsOf(c.args[1])
	var b strings.Builder
	rest := c.string(0)
	for _, a := range args {
		before, after, ok := strings.Cut(rest, "{}")
		if !ok {
			break
		}
		b.WriteString(before)
		b.WriteString(formatValue(a))
		rest = after
	}
	b.WriteString(rest)
	return c.text(b.String())
}

func stripText(c *call) value {
	if c.isNone(1) {
		return strings.TrimSpace(c.string(0))
	}
	return strings.Trim(c.string(0), c.string(1))
}

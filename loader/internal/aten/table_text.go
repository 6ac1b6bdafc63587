package aten

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/tensor"
)

// texts are the operators on strings, and what programs say and raise.
var texts = []operator{
	{"prim::RaiseException", "msg:v cls:s?=None", raise},
	{"prim::unchecked_unwrap_optional", "optional:v", unwrap},
	{"aten::_unwrap_optional", "optional:v", unwrap},
	{"prim::unchecked_cast", "x:v", func(c *call) Value { return c.args[0] }},
	{"prim::Print", "a:v", func(*call) Value { return nil }},
	{"aten::warn", "message:v stacklevel:i=2", func(*call) Value { return nil }},
	{"prim::rangelist", "n:i", func(c *call) Value { v, err := rangeList(c, []int64{int64(c.int(0))}); c.failed(err); return v }},
	{"aten::wait", "self:v", func(c *call) Value { return c.args[0] }},
	{"prim::id", "x:v", func(c *call) Value { return c.unsupported("") }},

	{"aten::add", "a:s b:s", func(c *call) Value { return c.text(c.string(0) + c.string(1)) }},
	{"aten::mul", "a:s n:i", func(c *call) Value { return c.repeatText(c.string(0), c.int(1)) }},
	{"aten::str", "elem:v", func(c *call) Value { return c.text(Format(c.plain(c.args[0]))) }},
	{"aten::upper", "self:s", mapText(strings.ToUpper)},
	{"aten::lower", "self:s", mapText(strings.ToLower)},
	{"aten::strip", "self:s chars:s?=None", stripText},
	{"aten::lstrip", "self:s chars:s?=None", stripText},
	{"aten::rstrip", "self:s chars:s?=None", stripText},
	{"aten::isdigit", "self:s", allOf},
	{"aten::isalpha", "self:s", allOf},
	{"aten::isalnum", "self:s", allOf},
	{"aten::isspace", "self:s", allOf},
	{"aten::startswith", "self:s prefix:s", func(c *call) Value { return strings.HasPrefix(c.string(0), c.string(1)) }},
	{"aten::endswith", "self:s suffix:s", func(c *call) Value { return strings.HasSuffix(c.string(0), c.string(1)) }},
	{"aten::find", "self:s substr:s", func(c *call) Value { return int64(strings.Index(c.string(0), c.string(1))) }},
	{"aten::replace", "self:s old:s new:s", replaceText},
	{"aten::split", "self:s separator:s?=None max:i=-1", splitText},
	{"aten::join", "self:s values:l", joinText},
	{"aten::format", "self:s args:*", formatText},
	{"aten::percentFormat", "self:s args:*", percentFormat},
	{"aten::find", "self:s substr:s start:i end:i=-1", findBetween},
	{"aten::ord", "string:s", ord},
	{"aten::chr", "i:i", func(c *call) Value { return string(rune(c.int(0))) }},
}

//go:noinline
func compareStrings(f func(int) bool) func(*call) Value {
	return func(c *call) Value { return f(strings.Compare(c.string(0), c.string(1))) }
}

func raise(c *call) Value {
	class := strings.TrimPrefix(c.string(1), "builtins.")
	return c.failed(&RaisedError{class, Format(c.args[0])})
}

func unwrap(c *call) Value {
	if c.args[0] == nil {
		return c.failed(&RaisedError{"AssertionError", "Unwrapping null optional"})
	}
	return c.args[0]
}

func (c *call) text(s string) Value {
	c.failed(c.Spend(len(s)))
	return s
}

func (c *call) repeatText(s string, n int) Value {
	if n = max(n, 0); len(s) > 0 && n > maxItems/len(s) {
		return c.fail("a string of %d bytes is repeated %d times", len(s), n)
	}
	return c.text(strings.Repeat(s, n))
}

// fits reports whether a string of so many bytes may be made, which c.text counts
// once it is.
func (c *call) fits(bytes int) bool {
	if bytes < 0 || bytes > maxItems {
		c.fail("a string of more than %d bytes", maxItems)
		return false
	}
	return true
}

func replaceText(c *call) Value {
	s, old, by := c.string(0), c.string(1), c.string(2)
	if n := strings.Count(s, old); n > 0 && !c.fits(len(s)+n*len(by)) {
		return nil
	}
	return c.text(strings.ReplaceAll(s, old, by))
}

// allOf reports whether a string has characters, all of the kind that the operator's name says.
func allOf(c *call) Value {
	for _, r := range c.string(0) {
		letter, digit := unicode.IsLetter(r), unicode.IsDigit(r)
		switch c.name {
		case "aten::isspace":
			letter, digit = unicode.IsSpace(r), false
		case "aten::isdigit":
			letter = false
		case "aten::isalpha":
			digit = false
		}
		if !letter && !digit {
			return false
		}
	}
	return c.string(0) != ""
}

//go:noinline
func mapText(f func(string) string) func(*call) Value {
	return func(c *call) Value { return c.text(f(c.string(0))) }
}

func splitText(c *call) Value {
	var parts []string
	c.failed(c.Spend(len(c.string(0))))
	if c.Err() != nil {
		return nil
	}
	if c.isNone(1) {
		parts = strings.Fields(c.string(0))
	} else {
		n := c.int(2)
		if n >= 0 {
			n++
		}
		parts = strings.SplitN(c.string(0), c.string(1), n)
	}
	l := &List{}
	for _, p := range parts {
		l.Items = append(l.Items, p)
	}
	return l
}

func joinText(c *call) Value {
	var parts []string
	size := 0
	for _, x := range c.args[1].(*List).Items {
		s, ok := x.(string)
		if !ok {
			return c.fail("a %s is joined to a string", TypeName(x))
		}
		if size += len(s) + len(c.string(0)); !c.fits(size) {
			return nil
		}
		parts = append(parts, s)
	}
	return c.text(strings.Join(parts, c.string(0)))
}

// written returns the arguments of a text, which then depends on the numbers among them.
func (c *call) written(i int) []Value {
	l, _ := c.plain(c.args[i]).(*List)
	return l.Items
}

// plain returns a value with the numbers in it as the program sees them, as far as a text shows them. Those that only the run knows stay, in messages that nobody may read.
func (c *call) plain(v Value) Value { return c.plainIn(v, NewWalker()) }

func (c *call) plainIn(v Value, w *Walker) Value {
	if !w.Enter() {
		return v
	}
	defer w.Leave()
	all := func(items []Value) []Value {
		out := slices.Clone(items)
		for i, x := range items {
			out[i] = c.plainIn(x, w)
		}
		return out
	}
	switch x := v.(type) {
	case *build.Number:
		if p, err := c.PlainValue(x); err == nil {
			return p
		}
	case *Tuple:
		return &Tuple{Class: x.Class, Items: all(x.Items)}
	case *List:
		if c.failed(c.Toil(len(x.Items))); c.Err() == nil {
			return &List{Items: all(x.Items)}
		}
	}
	return v
}

func formatText(c *call) Value {
	args := c.written(1)
	var b strings.Builder
	rest := c.string(0)
	for _, a := range args {
		before, after, ok := strings.Cut(rest, "{}")
		if !ok {
			break
		}
		b.WriteString(before)
		b.WriteString(Format(a))
		if !c.fits(b.Len()) {
			return nil
		}
		rest = after
	}
	b.WriteString(rest)
	return c.text(b.String())
}

// percentFormat is format % args for the conversions that TorchScript has.
func percentFormat(c *call) Value {
	args := c.written(1)
	if len(args) == 1 {
		if t, ok := args[0].(*Tuple); ok {
			args = t.Items
		}
	}
	var b strings.Builder
	for i := 0; i < len(c.string(0)); i++ {
		ch := c.string(0)[i]
		if ch != '%' || i+1 == len(c.string(0)) {
			b.WriteByte(ch)
			continue
		}
		i++
		if c.string(0)[i] == '%' {
			b.WriteByte('%')
			continue
		}
		if len(args) == 0 {
			return c.failed(&RaisedError{"TypeError", "too few arguments for the format"})
		}
		switch f, _ := build.ToFloat(args[0]); c.string(0)[i] {
		case 'd', 'i':
			b.WriteString(Repr(build.Convert(f, build.Int)))
		case 'f':
			fmt.Fprintf(&b, "%f", f)
		case 'e', 'g':
			fmt.Fprintf(&b, "%"+c.string(0)[i:i+1], f)
		default:
			b.WriteString(Format(args[0]))
		}
		if !c.fits(b.Len()) {
			return nil
		}
		args = args[1:]
	}
	return c.text(b.String())
}

// findBetween looks for a text in a part of another.
func findBetween(c *call) Value {
	s := c.string(0)
	from, to := tensor.SliceBounds(len(s), c.int(2), c.int(3), 1)
	i := strings.Index(s[from:from+to], c.string(1))
	if i >= 0 {
		i += from
	}
	return int64(i)
}

func ord(c *call) Value {
	r := []rune(c.string(0))
	if len(r) != 1 {
		return c.fail("a string of %d characters", len(r))
	}
	return int64(r[0])
}

// stripText removes characters, or spaces, at both ends, or at one of them.
func stripText(c *call) Value {
	s, in := c.string(0), unicode.IsSpace
	if !c.isNone(1) {
		in = func(r rune) bool { return strings.ContainsRune(c.string(1), r) }
	}
	if c.name != "aten::rstrip" {
		s = strings.TrimLeftFunc(s, in)
	}
	if c.name != "aten::lstrip" {
		s = strings.TrimRightFunc(s, in)
	}
	return s
}

package graph

import (
	"fmt"
	"reflect"
	"strings"
)

// String returns a stable text form of the graph, one line per node, for golden
// tests and for people.
func (g *Graph) String() string {
	var b strings.Builder
	names := g.names()
	if g.IsOpen() {
		b.WriteString("open ")
	}
	b.WriteString("graph(")
	for i, v := range g.Inputs {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s: %v", names[v], v.Type)
	}
	b.WriteString(")\n")
	for _, n := range g.Nodes {
		b.WriteString("  ")
		for i, v := range n.Outputs {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%s: %v", names[v], v.Type)
		}
		fmt.Fprintf(&b, " = %s(", FormatOp(n.Op))
		for i, v := range n.Inputs {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(names[v])
		}
		b.WriteByte(')')
		if n.Scope.Path != "" {
			fmt.Fprintf(&b, "  # %s", n.Scope.Path)
		}
		b.WriteByte('\n')
		if c, ok := n.Op.(interface{ Graphs() []*Graph }); ok {
			for _, inner := range c.Graphs() {
				b.WriteString("    " + strings.ReplaceAll(strings.TrimSpace(inner.String()), "\n", "\n    ") + "\n")
			}
		}
	}
	b.WriteString("  return ")
	for i, v := range g.Outputs {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(names[v])
	}
	b.WriteByte('\n')
	return b.String()
}

// names numbers the values in the order of the text, so that a dump does not
// depend on how the graph came to be.
func (g *Graph) names() map[*Value]string {
	names := make(map[*Value]string)
	next := 0
	for _, v := range g.Inputs {
		names[v] = "%" + v.Name
	}
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			if v.isGiven() {
				names[v] = givenName(v)
			}
		}
		for _, v := range n.Outputs {
			names[v] = fmt.Sprintf("%%%d", next)
			next++
		}
	}
	for _, v := range g.Outputs {
		if v.isGiven() {
			names[v] = givenName(v)
		}
	}
	return names
}

func givenName(v *Value) string {
	if v.Variable != nil {
		return "var " + v.Name
	}
	if v.Name == "" {
		return "const " + v.Type.String()
	}
	return v.Name
}

// FormatOp returns an operator's name with the attributes that are not zero:
// "conv2d{Stride: [2 2], Groups: 1}".
func FormatOp(op any) string {
	name := fmt.Sprintf("%T", op)
	if n, ok := op.(interface{ Name() string }); ok {
		name = n.Name()
	}
	v := reflect.ValueOf(op)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return name
	}
	var attrs []string
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case !f.IsExported() || v.Field(i).IsZero() || f.Type == reflect.TypeFor[*Graph]():
		case f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Array: // a table
			attrs = append(attrs, fmt.Sprintf("%s: %v", f.Name, f.Type.Elem()))
		default:
			attrs = append(attrs, fmt.Sprintf("%s: %v", f.Name, v.Field(i).Interface()))
		}
	}
	if len(attrs) == 0 {
		return name
	}
	return name + "{" + strings.Join(attrs, ", ") + "}"
}

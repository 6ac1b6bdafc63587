package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
)

// reachable returns those of some places that are seen from outside: what a
// part of the program made for itself is no place of anyone else.
func reachable(seen map[place]bool, c contents) contents {
	var out contents
	for _, p := range c.places {
		key := p
		if a, ok := p.(attrPlace); ok {
			key = a.object
		}
		if seen[key] {
			out.add(p, c.of[p])
		}
	}
	return out
}

type reacher struct{ seen map[place]bool }

func (r *reacher) value(v Value) {
	switch v := v.(type) {
	case *Tuple: // cannot be a place
		for _, x := range v.Items {
			r.value(x)
		}
		return
	case *build.Tensor:
		r.seen[v] = true
		r.seen[v.Store] = true
		return
	case Callable:
		if o := v.Self(); o != nil {
			r.value(o)
		}
		return
	}
	switch v.(type) {
	case *List, *Dict, *Object:
		if r.seen[v] {
			return
		}
		r.seen[v] = true
	}
	switch v := v.(type) {
	case *List:
		for _, x := range v.Items {
			r.value(x)
		}
	case *Dict:
		for _, x := range v.Values {
			r.value(x)
		}
	case *Object:
		for _, x := range v.Attrs {
			r.value(x)
		}
	}
}

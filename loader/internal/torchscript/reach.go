package torchscript

// reachable returns those of some places that are seen from variables: what a
// part of the program made for itself is no place of anyone else.
func reachable(locals map[string]value, c contents) contents {
	r := &reacher{seen: make(map[place]bool)}
	if len(c.places) > 0 {
		for _, v := range locals {
			r.value(v)
		}
	}
	var out contents
	for _, p := range c.places {
		key := p
		if a, ok := p.(attrPlace); ok {
			key = a.object
		}
		if r.seen[key] {
			out.add(p, c.of[p])
		}
	}
	return out
}

type reacher struct{ seen map[place]bool }

func (r *reacher) value(v value) {
	switch v := v.(type) {
	case *tuple: // cannot be a place
		for _, x := range v.items {
			r.value(x)
		}
		return
	case *Tensor:
		r.seen[v] = true
		r.seen[v.store] = true
		return
	case Callable:
		if o := v.Self(); o != nil {
			r.value(o)
		}
		return
	}
	switch v.(type) {
	case *list, *dict, *object:
		if r.seen[v] {
			return
		}
		r.seen[v] = true
	}
	switch v := v.(type) {
	case *list:
		for _, x := range v.items {
			r.value(x)
		}
	case *dict:
		for _, x := range v.values {
			r.value(x)
		}
	case *object:
		for _, x := range v.attrs {
			r.value(x)
		}
	}
}

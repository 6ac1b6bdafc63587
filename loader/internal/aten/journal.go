package aten

import (
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
)

// place is where a program can leave something: a *build.Storage, a *List, a *Dict, a
// *build.Tensor whose view changes, or an attribute of an object.
type place any

// attrPlace is an attribute of an object.
type attrPlace struct {
	object *Object
	name   string
}

// absent stands for an attribute that is not there.
type absent struct{}

// content returns what stands in a place.
func content(p place) any {
	switch p := p.(type) {
	case *build.Storage:
		return *p
	case *build.Tensor:
		return *p
	case *List:
		return slices.Clone(p.Items)
	case *Dict:
		return *p.clone()
	case attrPlace:
		if v, ok := p.object.Attrs[p.name]; ok {
			return v
		}
	}
	return absent{}
}

// put leaves in a place what content returned.
func put(p place, what any) {
	switch p := p.(type) {
	case *build.Storage:
		*p = what.(build.Storage)
	case *build.Tensor:
		*p = what.(build.Tensor)
	case *List:
		p.Items = slices.Clone(what.([]Value))
	case *Dict:
		d := what.(Dict)
		*p = *d.clone()
	case attrPlace:
		if _, ok := what.(absent); ok {
			p.object.remove(p.name)
		} else {
			p.object.Set(p.name, what)
		}
	}
}

// contents is what stood in some places.
type contents struct {
	places []place // in the order they were met
	of     map[place]any
}

func (c *contents) add(p place, what any) {
	if c.of == nil {
		c.of = make(map[place]any)
	}
	c.places = append(c.places, p)
	c.of[p] = what
}

// put leaves everything in its place.
func (c *contents) put() {
	for _, p := range c.places {
		put(p, c.of[p])
	}
}

// now returns what stands in the same places.
func (c *contents) now() contents {
	var n contents
	for _, p := range c.places {
		n.add(p, content(p))
	}
	return n
}

// in returns what stood in a place, or stands there where nothing is known of it.
func (c *contents) in(p place) any {
	if what, ok := c.of[p]; ok {
		return what
	}
	return content(p)
}

// journal records what a part of the program changes, as it was before. Those of
// parts around it record as well.
type journal struct {
	contents
	outer *journal
}

// record is called before something is left in a place. It returns how many
// elements it copied.
func (j *journal) record(p place) (copied int) {
	for ; j != nil; j = j.outer {
		if _, ok := j.of[p]; !ok {
			j.add(p, content(p))
			v, _ := p.(Value)
			copied += sizeOf(v)
		}
	}
	return copied
}

package build

import "slices"

// Path is how to get from a memory to a tensor: one view after another. nil is the memory itself.
// Tensors share what their paths have in common, for a chain of views may be as long as a graph.
type Path struct {
	before *Path
	view   View
	length int
}

// Then returns the path with a view behind it.
func (p *Path) Then(w View) *Path { return &Path{p, w, p.Len() + 1} }

// Len returns the number of views.
func (p *Path) Len() int {
	if p == nil {
		return 0
	}
	return p.length
}

// Last returns the last view, nil where there is none.
func (p *Path) Last() View {
	if p == nil {
		return nil
	}
	return p.view
}

// Views lists the views in their order.
func (p *Path) Views() []View {
	list := make([]View, 0, p.Len())
	for ; p != nil; p = p.before {
		list = append(list, p.view)
	}
	slices.Reverse(list)
	return list
}

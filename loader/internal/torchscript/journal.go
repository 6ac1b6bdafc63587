package torchscript

// journal records what a part of the program changes, so that it can be undone
// and looked at: both branches of a condition that only the run decides are
// executed.
type journal struct {
	outer  *journal
	stores map[*storage]storage // as they were
	refs   map[*Tensor]Tensor
	attrs  []attrChange
}

type attrChange struct {
	object *object
	name   string
	old    value
	had    bool
}

// storage records memory before it is written to.
func (j *journal) storage(s *storage) {
	for ; j != nil; j = j.outer {
		if _, ok := j.stores[s]; !ok {
			j.stores[s] = *s
		}
	}
}

// reference records what a tensor refers to before that is changed.
func (j *journal) reference(t *Tensor) {
	for ; j != nil; j = j.outer {
		if _, ok := j.refs[t]; !ok {
			j.refs[t] = *t
		}
	}
}

// attribute records an attribute before it is set.
func (j *journal) attribute(o *object, name string) {
	for ; j != nil; j = j.outer {
		old, had := o.attrs[name]
		j.attrs = append(j.attrs, attrChange{o, name, old, had})
	}
}

// list records a list before it is changed.
func (j *journal) list(l *list) {}

// dict records a dict before it is changed.
func (j *journal) dict(d *dict) {}

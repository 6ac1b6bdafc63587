package pickle

// call is the call of a class or function with a tuple of arguments, or, with
// isNew, making an instance without initialising it.
func (m *machine) call(items []entry, isNew bool) error {
	class, isClass := items[0].v.(*Class)
	args, isTuple := items[1].v.(Tuple)
	if isClass && !isTuple && !isNew && m.opts.BareArguments {
		args, isTuple = Tuple{items[1].v}, true
	}
	if !isClass || !isTuple {
		return m.fail("calls %s with %s, not a class with a tuple", kindOf(items[0].v), kindOf(items[1].v))
	}
	if class.Is("collections", "OrderedDict") {
		if isNew {
			return m.fail("makes an OrderedDict without initialising it")
		}
		return m.orderedDict(args, items)
	}
	if m.opts.Call != nil && !isNew {
		if v := m.opts.Call(class, args); v != nil {
			return m.push(v)
		}
	}
	return m.pushHolder(&Object{Class: class, Args: args, New: isNew}, items)
}

// newWithKeywords makes an instance without initialising it, with arguments by name: there may be none.
func (m *machine) newWithKeywords(items []entry) error {
	class, isClass := items[0].v.(*Class)
	args, isTuple := items[1].v.(Tuple)
	keywords, isDict := items[2].v.(*Dict)
	if !isClass || !isTuple || !isDict || class.Is("collections", "OrderedDict") {
		return m.fail("makes an instance of %s of %s and %s", kindOf(items[0].v), kindOf(items[1].v), kindOf(items[2].v))
	}
	return m.pushHolder(&Object{Class: class, Args: args, Keywords: keywords, New: true}, items)
}

// orderedDict makes an empty OrderedDict, or one of a list of pairs, as Python 2 pickled it.
func (m *machine) orderedDict(args Tuple, items []entry) error {
	d := &Dict{Ordered: true}
	if len(args) == 0 {
		return m.push(d)
	}
	list, ok := args[0].(*List)
	if !ok || len(args) != 1 {
		return m.fail("makes an OrderedDict from %d arguments", len(args))
	}
	for _, item := range list.Items {
		pair, _ := item.(Tuple)
		if l, ok := item.(*List); ok {
			pair = l.Items
		}
		if len(pair) != 2 {
			return m.fail("an OrderedDict made from a list with %s", Describe(item))
		}
		if !d.set(pair[0], pair[1]) {
			return m.fail("the key of a dict is %s", kindOf(pair[0]))
		}
	}
	return m.pushHolder(d, items)
}

// build sets the state of an object.
func (m *machine) build(items []entry) error {
	to, err := m.changed(items)
	if err != nil {
		return err
	}
	switch v := to.v.(type) {
	case *Object:
		if v.State != nil {
			return m.fail("sets the state of an object a second time")
		}
		v.State = items[0].v
	case *Dict:
		if !v.Ordered {
			return m.fail("sets the state of a dict")
		}
		// The attributes of an OrderedDict, such as the versions of modules, say nothing that is needed.
		if attrs, ok := items[0].v.(*Dict); !ok || !attrs.named() {
			return m.fail("sets the attributes of an OrderedDict to %s without names", kindOf(items[0].v))
		}
	default:
		return m.fail("sets the state of %s", kindOf(to.v))
	}
	return nil
}

package quantize

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// Rule says how some operators of a model, and the values that they give, are quantized. It is about those that all of its
// patterns match, of the form that Filter has; patterns that are not given match all. What it does not say, rules
// in front of it do.
type Rule struct {
	Modules   []string // paths
	Classes   []string
	Operators []string // types: "conv2d"
	Layers    bool     // only operators with weights
	// Values are names of values, as Parameters has them. A rule with them is about the values alone, those of the model's inputs among them.
	Values []string

	// Precision is what the operators compute in.
	Precision Precision
	// Activation is the spec of the values, Weight that of the operators' weights.
	Activation *Edge
	Weight     *ObserverConfig
}

// Precision is what an operator computes in.
type Precision uint8

// The precisions. Operators are int8 where they have an int8 form and the filter takes them.
const (
	AnyPrecision Precision = iota // what other rules say
	Float32
	Int8
)

// Edge says where the parameters of a value come from. One of its fields is set.
type Edge struct {
	// Observer: they are the value's own, from its range, which is observed.
	Observer *ObserverConfig
	// Shared: they are those of the value with this name.
	Shared string
	// Fixed: they are known. Those of a sigmoid, say, are 1/256 and 0.
	Fixed *tensor.QParams
	// Derived: they are computed from those of other values.
	Derived *Derived
}

// Derived parameters are computed from those of the named values.
type Derived struct {
	From    []string
	QParams func(from []*tensor.QParams) (*tensor.QParams, error)
}

// names lists the values that the parameters of an edge are taken from.
func (e *Edge) names() []string {
	switch {
	case e.Shared != "":
		return []string{e.Shared}
	case e.Derived != nil:
		return e.Derived.From
	}
	return nil
}

// validate returns what is wrong with an edge.
func (e *Edge) validate() error {
	set := 0
	for _, is := range []bool{e.Observer != nil, e.Shared != "", e.Fixed != nil, e.Derived != nil} {
		if is {
			set++
		}
	}
	switch {
	case set != 1:
		return fmt.Errorf("an edge has one of Observer, Shared, Fixed and Derived, not %d", set)
	case e.Observer != nil:
		return checkActivation(*e.Observer)
	case e.Fixed != nil:
		return checkFixed(e.Fixed)
	case e.Derived != nil && e.Derived.QParams == nil:
		return errors.New("a derived edge needs a function")
	}
	return nil
}

// checkActivation returns what is wrong with the configuration of a value.
func checkActivation(c ObserverConfig) error {
	if err := c.Validate(); err != nil {
		return err
	}
	switch s := c.Spec; {
	case s.Scheme.PerChannel() || s.DType == tensor.Int32:
		return &ConfigError{Kind: c.Kind, Reason: "activations are 8 bits, per tensor"}
	case s.PairSafe:
		return &ConfigError{Kind: c.Kind, Reason: "only weights are pair-safe"}
	}
	return nil
}

// checkWeight returns what is wrong with the configuration of a weight.
func checkWeight(c ObserverConfig) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if s := c.Spec; s.Axis != 0 || s.DType == tensor.Int32 {
		return &ConfigError{Kind: c.Kind, Reason: "weights are 8 bits, per tensor or along axis 0"}
	}
	return nil
}

// checkFixed returns what is wrong with parameters of a value that are known.
func checkFixed(p *tensor.QParams) error {
	if p == nil || p.Scheme.PerChannel() || p.DType == tensor.Int32 || p.Validate(nil) != nil {
		return fmt.Errorf("the parameters are %v where those of a tensor in 8 bits are needed", p)
	}
	return nil
}

// validate returns what is wrong with a rule.
func (r *Rule) validate() error {
	if r.Activation != nil {
		if err := r.Activation.validate(); err != nil {
			return err
		}
	}
	if r.Weight != nil {
		if err := checkWeight(*r.Weight); err != nil {
			return err
		}
	}
	if r.Values != nil && (r.Precision != AnyPrecision || r.Weight != nil) {
		return errors.New("a rule about values has no precision and no weight")
	}
	return nil
}

// matches reports whether the rule is about an operator.
func (r *Rule) matches(n *graph.Node) bool {
	return r.Values == nil && (!r.Layers || isLayer(n.Op)) &&
		(r.Modules == nil || matchingName(r.Modules, n.Scope.Path) != "") &&
		(r.Classes == nil || matchingClass(r.Classes, n.Scope.Class) != "") &&
		(r.Operators == nil || matchingOp(r.Operators, n.Op.Name()) != "")
}

// precision returns what the backend computes a node in.
func (b *Backend) precision(n *graph.Node) Precision {
	is := Float32
	for i := range b.Rules {
		if r := &b.Rules[i]; r.Precision != AnyPrecision && r.matches(n) {
			is = r.Precision
		}
	}
	return is
}

// weightConfig returns how a layer's weight is observed.
func (q *Quantizer) weightConfig(n *graph.Node) ObserverConfig {
	c, rules := q.observers.Weight, q.opts.backend().Rules
	for i := range rules {
		if r := &rules[i]; r.Weight != nil && r.matches(n) {
			c = *r.Weight
		}
	}
	if q.static {
		c.Spec = c.Spec.trained()
	}
	return c
}

// edgesOf returns the edges of the values of which rules say something, by name, and an error for a rule that names what is not there.
func (p *prepared) edgesOf(b *Backend) (map[string]*Edge, error) {
	edges := make(map[string]*Edge)
	known := slices.Sorted(maps.Values(p.names))
	var errs []error
	for i := range b.Rules {
		r := &b.Rules[i]
		for v, name := range p.names {
			about := r.Values != nil && matchingName(r.Values, name) != "" || r.Values == nil && v.Node != nil && r.matches(v.Node)
			if r.Activation != nil && about && !slices.Contains(r.Activation.names(), name) {
				edges[name] = r.Activation
			}
		}
		wanted := r.Values
		if r.Activation != nil {
			wanted = slices.Concat(wanted, r.Activation.names())
		}
		for _, pattern := range wanted {
			if !slices.ContainsFunc(known, func(name string) bool { return matchName(pattern, name) }) {
				errs = append(errs, &UnknownNameError{Field: "Rules", Name: pattern, Near: nearest(pattern, known)})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(edges)) {
		if fromItself(edges, name) {
			errs = append(errs, &OptionError{"Backend", fmt.Errorf("the parameters of %q are taken from themselves", name)})
		}
	}
	return edges, errors.Join(errs...)
}

// fromItself reports whether the parameters of a value are taken from its own, by however many others.
func fromItself(edges map[string]*Edge, name string) bool {
	seen, next := make(map[string]bool), []string{name}
	for len(next) > 0 {
		e := edges[next[0]]
		next = next[1:]
		if e == nil {
			continue
		}
		for _, from := range e.names() {
			if from == name {
				return true
			}
			if !seen[from] {
				seen[from] = true
				next = append(next, from)
			}
		}
	}
	return false
}

// sources adds the values that the parameters of others are taken from to a set.
func (p *prepared) sources(values *valueSet, edges map[string]*Edge) {
	byName := make(map[string]*graph.Value)
	for v, name := range p.names {
		byName[name] = v
	}
	for i := 0; i < len(values.list); i++ {
		if e := edges[p.names[values.list[i]]]; e != nil {
			for _, name := range e.names() {
				values.add(byName[name])
			}
		}
	}
}

// edge returns the parameters of a value that a rule says something of, nil where they are its own.
func (q *Quantizer) edge(name string) (*tensor.QParams, error) {
	e := q.edges[name]
	switch {
	case e == nil || e.Observer != nil:
		return nil, nil
	case e.Fixed != nil:
		return e.Fixed, nil
	}
	var from []*tensor.QParams
	for _, source := range e.names() {
		p, err := q.activation(source)
		if err != nil {
			return nil, err
		}
		from = append(from, p)
	}
	if e.Derived == nil {
		return from[0], nil
	}
	p, err := e.Derived.QParams(from)
	if err == nil {
		err = checkFixed(p)
	}
	if err != nil {
		return nil, &OptionError{"Backend", fmt.Errorf("the derived parameters of %q: %w", name, err)}
	}
	return p, nil
}

package quantize

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/octet-ml/octet/internal/sorting"
)

// Filter says which modules of a model are quantized; the zero value takes all.
//
// Names are paths from the root of the model, `layer1.0.conv1`. An entry may
// hold wildcards: `?` and `*` stand for one and for any number of characters
// within a component, and a component `**` for any number of components.
//
// Classes are module classes, in full (`torch.nn.modules.conv.Conv2d`), as users
// write them (`torch.nn.Conv2d`) or by their last component (`Conv2d`,
// `BasicBlock`); wildcards work in them too. Operator types are names of
// operators in any case (`conv2d`, `Linear`); fusions go with the operator they
// begin with, so `conv2d` covers ConvReLU2d.
//
// Naming a module takes in everything inside it. An included module is a world of
// its own, as in the toolkit, whose filters apply to it as if it were the root:
//   - include names that lie inside it narrow it to those;
//   - exclude names and classes act inside it, and on it, but a module around
//     it that is excluded does not take it back.
//
// Where both apply to a module, exclusion wins. Where operator types are given,
// they hold as well.
type Filter struct {
	IncludeNames   []string `json:"include_names,omitempty"`
	IncludeClasses []string `json:"include_classes,omitempty"`
	IncludeOpTypes []string `json:"include_op_types,omitempty"`
	ExcludeNames   []string `json:"exclude_names,omitempty"`
	ExcludeClasses []string `json:"exclude_classes,omitempty"`
	ExcludeOpTypes []string `json:"exclude_op_types,omitempty"`
}

// candidate is what a Filter needs to know of an operator in a model.
type candidate struct {
	Path   string // "layer1.0.conv1"; "" is the root
	Class  string // "torch.nn.modules.conv.Conv2d"
	OpName string // "conv2d"; "" of a module that only contains others
}

// verdict is a Filter's verdict on one module.
type verdict struct {
	Quantize bool
	Reason   string // why not: `excluded by name "fc"`; empty when Quantize
}

// decide says for each operator of a model. Modules that only contain others
// may be listed, which makes their classes known; they are never selected
// themselves. Every entry of the filter must match something: those that do not
// are returned as joined UnknownNameErrors.
func (f Filter) decide(modules []candidate) ([]verdict, error) {
	tree := newModuleTree(modules)
	if err := f.check(tree); err != nil {
		return nil, err
	}
	decisions := make([]verdict, len(modules))
	for i, m := range modules {
		reason := f.reject(tree, m)
		decisions[i] = verdict{Quantize: reason == "", Reason: reason}
	}
	return decisions, nil
}

// reject returns why a module is not quantized, "" when it is.
func (f Filter) reject(tree *moduleTree, m candidate) string {
	if m.OpName == "" {
		return "not an operator"
	}
	if len(f.IncludeOpTypes) > 0 && matchingOp(f.IncludeOpTypes, m.OpName) == "" {
		return fmt.Sprintf("operator type %q is not included", m.OpName)
	}
	if p := matchingOp(f.ExcludeOpTypes, m.OpName); p != "" {
		return fmt.Sprintf("excluded by operator type %q", p)
	}
	root := ""
	if len(f.IncludeNames)+len(f.IncludeClasses) > 0 {
		var ok bool
		if root, ok = f.includedBy(tree, m.Path); !ok {
			return "not included by name or class"
		}
	}
	for path := m.Path; ; path = parent(path) {
		if p := matchingName(f.ExcludeNames, path); p != "" {
			return fmt.Sprintf("excluded by name %q", p)
		}
		if p := matchingClass(f.ExcludeClasses, tree.classes[path]); p != "" {
			return fmt.Sprintf("excluded by class %q", p)
		}
		if path == root {
			return ""
		}
	}
}

// includedBy returns the innermost included module that path belongs to.
func (f Filter) includedBy(tree *moduleTree, path string) (root string, ok bool) {
	for at := path; ; at = parent(at) {
		named := matchingName(f.IncludeNames, at) != ""
		if named || matchingClass(f.IncludeClasses, tree.classes[at]) != "" {
			if at == path || !f.narrows(tree, at) {
				return at, true
			}
		}
		if at == "" {
			return "", false
		}
	}
}

// narrows reports whether an include name lies strictly inside the module.
func (f Filter) narrows(tree *moduleTree, path string) bool {
	return slices.ContainsFunc(tree.paths, func(p string) bool {
		return p != path && inside(p, path) && matchingName(f.IncludeNames, p) != ""
	})
}

// check returns an error for each entry that matches nothing.
func (f Filter) check(tree *moduleTree) error {
	var errs []error
	field := func(name string, entries, known []string, matches func(entry, known string) bool) {
		for _, e := range entries {
			if !slices.ContainsFunc(known, func(k string) bool { return matches(e, k) }) {
				errs = append(errs, &UnknownNameError{Field: name, Name: e, Near: nearest(e, known)})
			}
		}
	}
	field("IncludeNames", f.IncludeNames, tree.paths, matchName)
	field("ExcludeNames", f.ExcludeNames, tree.paths, matchName)
	classes := tree.classNames()
	field("IncludeClasses", f.IncludeClasses, classes, matchClass)
	field("ExcludeClasses", f.ExcludeClasses, classes, matchClass)
	ops := append(slices.Clone(quantizableOps), tree.ops...)
	field("IncludeOpTypes", f.IncludeOpTypes, ops, matchOp)
	field("ExcludeOpTypes", f.ExcludeOpTypes, ops, matchOp)
	return errors.Join(errs...)
}

// moduleTree is the modules of a model, with those that follow from the paths
// of others.
type moduleTree struct {
	paths   []string // without the root
	classes map[string]string
	ops     []string
}

func newModuleTree(modules []candidate) *moduleTree {
	t := &moduleTree{classes: map[string]string{}}
	seen := map[string]bool{"": true}
	for _, m := range modules {
		if m.Class != "" && t.classes[m.Path] == "" {
			t.classes[m.Path] = m.Class
		}
		if m.OpName != "" && !slices.Contains(t.ops, m.OpName) {
			t.ops = append(t.ops, m.OpName)
		}
		for p := m.Path; !seen[p]; p = parent(p) {
			seen[p] = true
			t.paths = append(t.paths, p)
		}
	}
	slices.Sort(t.paths)
	return t
}

func (t *moduleTree) classNames() []string {
	var names []string
	for _, c := range t.classes {
		names = append(names, c)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// parent returns the path of the module around one; that of the root is the root.
func parent(path string) string {
	return path[:max(strings.LastIndexByte(path, '.'), 0)]
}

// inside reports whether path is the module or one inside it.
func inside(path, module string) bool {
	return module == "" || path == module || strings.HasPrefix(path, module) && path[len(module)] == '.'
}

func matchingName(patterns []string, path string) string {
	return firstMatch(patterns, path, matchName)
}

func matchingClass(patterns []string, class string) string {
	return firstMatch(patterns, class, matchClass)
}

func matchingOp(patterns []string, op string) string { return firstMatch(patterns, op, matchOp) }

// firstMatch returns the first pattern that matches, "" when none does.
func firstMatch(patterns []string, name string, match func(pattern, name string) bool) string {
	if i := slices.IndexFunc(patterns, func(p string) bool { return match(p, name) }); i >= 0 {
		return patterns[i]
	}
	return ""
}

// matchName matches a pattern against a whole path. Neither is empty in a match.
func matchName(pattern, path string) bool {
	return pattern != "" && path != "" && matchComponents(strings.Split(pattern, "."), strings.Split(path, "."))
}

// matchComponents matches component by component; `**` stands for any number. It
// keeps, for each prefix of the pattern, whether it matches the prefix of the path.
func matchComponents(pattern, path []string) bool {
	row := make([]bool, len(path)+1)
	row[0] = true
	for _, p := range pattern {
		next := make([]bool, len(path)+1)
		for i := range next {
			switch {
			case p == "**":
				next[i] = row[i] || i > 0 && next[i-1]
			case i > 0:
				next[i] = row[i-1] && matchWildcards(p, path[i-1])
			}
		}
		row = next
	}
	return row[len(path)]
}

// matchWildcards matches `?` and `*` within a component.
func matchWildcards(pattern, s string) bool {
	// After a mismatch the last `*` takes one more character.
	p, i, star, taken := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			taken++
			p, i = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchClass matches a class in full, by its public name below torch.nn, or by
// its last component.
func matchClass(pattern, class string) bool {
	if pattern == "" || class == "" {
		return false
	}
	last := class[strings.LastIndexByte(class, '.')+1:]
	if matchName(pattern, class) || matchName(pattern, last) {
		return true
	}
	return strings.HasPrefix(class, "torch.nn.") && matchName(pattern, "torch.nn."+last)
}

// quantizableOps are the operator types that have weights to quantize; naming
// one is no mistake in a model without it.
var quantizableOps = []string{"conv1d", "conv2d", "conv3d", "linear"}

// fusedOps are the operators that fused module types begin with.
var fusedOps = map[string]string{
	"convrelu1d": "conv1d", "convrelu2d": "conv2d", "convrelu3d": "conv3d",
	"convbn1d": "conv1d", "convbn2d": "conv2d", "convbn3d": "conv3d",
	"convbnrelu1d": "conv1d", "convbnrelu2d": "conv2d", "convbnrelu3d": "conv3d",
	"convadd2d": "conv2d", "convaddrelu2d": "conv2d",
	"linearrelu": "linear", "linearbn1d": "linear",
}

// baseOp returns the operator type in lower case, without a module path, and of
// a fusion the operator it begins with.
func baseOp(name string) string {
	name = strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	if base, ok := fusedOps[name]; ok {
		return base
	}
	return name
}

func matchOp(pattern, op string) bool {
	return pattern != "" && op != "" && matchWildcards(baseOp(pattern), baseOp(op))
}

// nearest returns up to three of the known names that an entry may have meant.
func nearest(entry string, known []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	plain := strings.ToLower(entry)
	for _, k := range known {
		d := levenshtein.ComputeDistance(plain, strings.ToLower(k))
		// The path of a module inside a part that was left out, or the other way.
		if strings.HasSuffix("."+k, "."+entry) || strings.HasSuffix("."+entry, "."+k) {
			d = 1
		}
		if d <= max(2, len(entry)/3) {
			near = append(near, candidate{k, d})
		}
	}
	sorting.Func(near, func(a, b candidate) int { return a.distance - b.distance })
	var names []string
	for _, c := range near[:min(len(near), 3)] {
		names = append(names, c.name)
	}
	return names
}

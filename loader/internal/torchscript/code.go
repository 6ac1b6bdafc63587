package torchscript

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/script"
	"github.com/octet-ml/octet/tensor"
)

// code is the classes and functions of an archive, by their whole names:
// "__torch__.torch.nn.modules.conv.___torch_mangle_3.Conv2d".
type code struct {
	classes   map[string]*class
	functions map[string]*function
	constants int // entries of constants.pkl
}

// class is a class of the archive.
type class struct {
	name    string // whole
	public  string // as in Python: "torch.nn.modules.conv.Conv2d"
	file    string
	def     *script.ClassDef
	methods map[string]*function
	finals  map[string]script.Expr // constants of the class
}

// function is a function or a method.
type function struct {
	name  string
	file  string
	def   *script.FuncDef
	class *class // of a method
}

// method is a function bound to an object.
type method struct {
	self *aten.Object
	fn   *function
}

// closure is a function inside another, which sees its variables.
type closure struct {
	frame *frame
	fn    *function
}

// Self returns nil: a function is bound to no object.
func (f *function) Self() *aten.Object { return nil }

// Self returns the object that the method is bound to.
func (m *method) Self() *aten.Object { return m.self }

// Self returns nil: a closure is bound to no object.
func (c *closure) Self() *aten.Object { return nil }

// Self returns nil: a class is bound to no object.
func (c *class) Self() *aten.Object { return nil }

// Name returns the whole name.
func (c *class) Name() string { return c.name }

// PublicName returns the name as it is in Python.
func (c *class) PublicName() string { return c.public }

// Fields returns the names of a named tuple's elements.
func (c *class) Fields() []string {
	names := make([]string, len(c.def.Attributes))
	for i, a := range c.def.Attributes {
		names[i] = a.Name
	}
	return names
}

// classOf returns the class of an object.
func classOf(o *aten.Object) *class { return o.Class.(*class) }

// packedClasses is where the packed weights of quantized layers live.
const packedClasses = "__torch__.torch.classes."

// maxSource bounds the source of an archive, in bytes: what is parsed takes some
// ten times as much.
const maxSource = 32 << 20

// parseCode reads the files of an archive, by their path below code/.
func parseCode(files map[string][]byte, constants int) (*code, error) {
	c := &code{classes: make(map[string]*class), functions: make(map[string]*function), constants: constants}
	names := make([]string, 0, len(files))
	total := 0
	for name, src := range files {
		names = append(names, name)
		total += len(src)
	}
	if total > maxSource {
		return nil, &tensor.FileError{Record: "code", Reason: fmt.Sprintf("%d bytes of source, at most %d are read", total, maxSource)}
	}
	slices.Sort(names)
	for _, name := range names {
		record := "code/" + name
		f, err := script.Parse(record, files[name], script.Limits{MaxBytes: maxSource})
		if err != nil {
			return nil, &tensor.FileError{Record: record, Reason: "the source is wrong", Err: err}
		}
		module := strings.ReplaceAll(strings.TrimSuffix(name, path.Ext(name)), "/", ".")
		if err := c.declare(record, module, f); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *code) declare(file, module string, f *script.File) error {
	for _, d := range f.Decls {
		var name string
		known := false
		switch d := d.(type) {
		case *script.ClassDef:
			name = module + "." + d.Name
			_, known = c.classes[name]
			cl := &class{name: name, public: publicName(name), file: file, def: d, methods: make(map[string]*function), finals: make(map[string]script.Expr)}
			for _, m := range d.Methods {
				cl.methods[m.Name] = &function{name: name + "." + m.Name, file: file, def: m, class: cl}
			}
			for _, a := range d.Attributes {
				if a.Value != nil {
					cl.finals[a.Name] = a.Value
				}
			}
			c.classes[name] = cl
		case *script.FuncDef:
			name = module + "." + d.Name
			_, known = c.functions[name]
			c.functions[name] = &function{name: name, file: file, def: d}
		}
		if known {
			return positioned(file, d, fmt.Errorf("%s is defined twice", name)).reject()
		}
		if err := c.checkConstants(file, d); err != nil {
			return err
		}
	}
	return nil
}

// checkConstants looks for constants that the archive does not have.
func (c *code) checkConstants(file string, d script.Decl) error {
	var err error
	script.Walk(d, func(n script.Node) bool {
		if k, ok := n.(*script.Constant); ok && k.Index >= c.constants && err == nil {
			err = positioned(file, k, fmt.Errorf("constant %d is not among the %d of the archive", k.Index, c.constants)).reject()
		}
		return err == nil
	})
	return err
}

// publicName returns a class's name as it is in Python: without the prefix of
// serialized names and the parts that keep equal names apart.
func publicName(name string) string {
	parts := strings.Split(strings.TrimPrefix(name, "__torch__."), ".")
	parts = slices.DeleteFunc(parts, func(p string) bool { return strings.HasPrefix(p, "___torch_mangle_") })
	return strings.Join(parts, ".")
}

// passesOn reports whether a function is the scripted forward of an observer that gives back its input after it has counted it in a histogram. What it
// counted goes into parameters that no forward reads, and how the histogram grows follows from values, so octet leaves the counting out. Where such a
// forward was traced, it has no branches and gives parts of the counting, and is executed.
func (fn *function) passesOn() bool {
	if fn.class == nil || fn.def.Name != "forward" || len(fn.def.Params) != 2 || !strings.HasSuffix(fn.class.PublicName(), "quantization.observer.HistogramObserver") {
		return false
	}
	for _, s := range fn.def.Body {
		if _, ok := s.(*script.If); ok {
			return true
		}
	}
	return false
}

// isModule reports whether instances of the class are modules.
func (c *class) isModule() bool { return c.def != nil && c.def.Base == script.BaseModule }

package octet_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// userPackages are those that users import. The API is theirs; ops/asm is none, though it can be imported.
var userPackages = []string{
	"bench", "cli", "data", "graph", "graph/nn", "graph/train", "loader", "metric", "ops", "ops/int8", "quantize", "report",
	"serve", "serve/grpcserve", "serve/loadtest", "serve/oip", "serve/prom", "tensor",
}

// parsed returns the documentation of a package and its examples.
func parsed(t *testing.T, dir string) (*doc.Package, []*doc.Example) {
	t.Helper()
	fset := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files, tests []*ast.File
	for _, path := range paths {
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "_test.go") {
			tests = append(tests, f)
		} else {
			files = append(files, f)
		}
	}
	p, err := doc.NewFromFiles(fset, files, "github.com/octet-ml/octet/"+dir)
	if err != nil {
		t.Fatal(err)
	}
	return p, doc.Examples(tests...)
}

// interfaceMethods adds the names of the methods of a package's interfaces: there they are documented, and not at each type that has them.
func interfaceMethods(p *doc.Package, names map[string]bool) {
	for _, typ := range p.Types {
		ast.Inspect(typ.Decl, func(n ast.Node) bool {
			if i, ok := n.(*ast.InterfaceType); ok {
				for _, m := range i.Methods.List {
					for _, name := range m.Names {
						names[name.Name] = true
					}
				}
			}
			return true
		})
	}
}

// TestDocumented finds at least two examples that run in each package that users import, and a comment at each exported name.
func TestDocumented(t *testing.T) {
	// Methods of interfaces of Go's own library.
	known := map[string]bool{"Error": true, "Unwrap": true, "Is": true, "String": true, "MarshalJSON": true, "UnmarshalJSON": true}
	packages := map[string]*doc.Package{}
	for _, dir := range userPackages {
		p, examples := parsed(t, dir)
		packages[dir] = p
		interfaceMethods(p, known)
		run := 0
		for _, e := range examples {
			if e.Output != "" || e.EmptyOutput {
				run++
			}
		}
		if run < 2 {
			t.Errorf("%s has %d examples with an output", dir, run)
		}
		if p.Doc == "" {
			t.Errorf("package %s has no comment", dir)
		}
	}
	for dir, p := range packages {
		check := func(kind, name, text string) {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: %s %s has no comment", dir, kind, name)
			}
		}
		funcs := func(list []*doc.Func, of string) {
			for _, f := range list {
				if of == "" || !known[f.Name] {
					check("func", of+f.Name, f.Doc)
				}
			}
		}
		funcs(p.Funcs, "")
		values(check, p.Consts, p.Vars)
		for _, typ := range p.Types {
			check("type", typ.Name, typ.Doc)
			funcs(typ.Funcs, "")
			funcs(typ.Methods, typ.Name+".")
			values(check, typ.Consts, typ.Vars)
		}
	}
}

// values checks constants and variables: a comment at the group, the line, or behind it.
func values(check func(kind, name, text string), lists ...[]*doc.Value) {
	for _, list := range lists {
		for _, v := range list {
			text := v.Doc
			for _, spec := range v.Decl.Specs {
				if s, ok := spec.(*ast.ValueSpec); ok {
					text += s.Doc.Text() + s.Comment.Text()
				}
			}
			check(v.Decl.Tok.String(), v.Names[0], text)
		}
	}
}

package script

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/octet-ml/octet/internal/shareddata"
)

func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.py")
	if err != nil || len(paths) < 7 {
		t.Fatalf("%d fixtures, error %v", len(paths), err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		if files[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestFixtures(t *testing.T) {
	for path, src := range fixtures(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, err := Parse(path, src, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			checkFileRoundTrip(t, f)
			checkPositions(t, strings.Split(string(src), "\n"), f)
		})
	}
}

// The fixtures contain every node that PyTorch's printer produces.
func TestFixtureCoverage(t *testing.T) {
	seen := map[string]bool{}
	for path, src := range fixtures(t) {
		f, err := Parse(path, src, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		visit(reflect.ValueOf(f), func(n Node) { seen[reflect.TypeOf(n).Elem().Name()] = true })
	}
	for _, want := range []string{"IntLit", "FloatLit", "ImaginaryLit", "StringLit", "BoolLit", "NoneLit", "Name", "Op", "Constant",
		"Qualified", "Attr", "Call", "Index", "Tuple", "List", "Dict", "Binary", "Annotate", "UncheckedCast", "Uninitialized",
		"IsInstance", "NewObject", "Type", "ClassDef", "FuncDef", "Attribute", "Param", "Assign", "ExprStmt", "Return", "If", "While",
		"For", "With", "Pass", "Import"} {
		if !seen[want] {
			t.Errorf("no fixture contains %s", want)
		}
	}
}

// visit calls f with every node below v.
func visit(v reflect.Value, f func(Node)) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			visit(v.Elem(), f)
		}
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		if n, ok := v.Interface().(Node); ok {
			f(n)
		}
		visit(v.Elem(), f)
	case reflect.Slice:
		for i := range v.Len() {
			visit(v.Index(i), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				visit(v.Field(i), f)
			}
		}
	}
}

// checkPositions compares the position of every name, attribute line and
// call of an operator with the text that stands there.
func checkPositions(t *testing.T, lines []string, f *File) {
	t.Helper()
	visit(reflect.ValueOf(f), func(n Node) {
		pos := n.Pos()
		if pos.Line < 1 || int(pos.Line) > len(lines) || pos.Column < 1 || int(pos.Column) > len(lines[pos.Line-1])+1 {
			t.Fatalf("%s stands at %v", dump(n), pos)
		}
		want := ""
		switch n := n.(type) {
		case *Name:
			want = n.Name
		case *Op:
			want = map[bool]string{true: "torch.", false: "ops."}[n.Namespace == "aten"]
		case *Constant:
			want = "CONSTANTS.c"
		case *Qualified:
			want = n.Name
		case *NewObject:
			want = n.Class
		case *Annotate:
			want = "annotate("
		case *UncheckedCast:
			want = "unchecked_cast("
		case *IsInstance:
			want = "isinstance("
		case *Type:
			want = strings.TrimSuffix(n.Name, "Type")
		case *Param:
			want = n.Name
		case *FuncDef:
			want = "def " + n.Name
		case *ClassDef:
			want = "class " + n.Name
		case *Return:
			want = "return "
		case *If:
			want = "if "
		}
		if !strings.HasPrefix(lines[pos.Line-1][pos.Column-1:], want) {
			t.Errorf("at %v stands %q, not %q", pos, lines[pos.Line-1], want)
		}
	})
}

// TestSharedArchives reads the code of whole models.
func TestSharedArchives(t *testing.T) {
	for _, pattern := range []string{"data/*/*.ts.pt", "golden/quantizer/*/model.ts.pt"} {
		dir := shareddata.Path(t, strings.Split(pattern, "/")[0])
		paths, err := filepath.Glob(filepath.Join(filepath.Dir(dir), filepath.FromSlash(pattern)))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no archives match %s: %v", pattern, err)
		}
		for _, path := range paths {
			z, err := zip.OpenReader(path)
			if err != nil {
				t.Fatal(err)
			}
			count := 0
			for _, member := range z.File {
				if !strings.HasSuffix(member.Name, ".py") {
					continue
				}
				r, err := member.Open()
				if err != nil {
					t.Fatal(err)
				}
				src, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				f, err := Parse(member.Name, src, Limits{})
				if err != nil {
					t.Error(err)
					continue
				}
				checkFileRoundTrip(t, f)
				checkPositions(t, strings.Split(string(src), "\n"), f)
				count++
			}
			z.Close()
			if count == 0 {
				t.Errorf("%s has no code", path)
			}
		}
	}
}

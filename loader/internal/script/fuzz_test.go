package script

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// FuzzParse checks that any input gives a tree or an *Error with a position
// inside the source, and that printing a tree and parsing it again is a fixed
// point.
func FuzzParse(f *testing.F) {
	for _, src := range fixtures(f) {
		f.Add(src)
	}
	for _, make := range nested {
		f.Add([]byte("def f():\n  return " + make(5) + "\n"))
	}
	f.Add([]byte("class C(Enum):\n  A = -inf\n  __annotations__[\"0\"] = Tuple[()]\n  def f(self, *, k: int=1) -> None: pass\n"))
	f.Add([]byte("def f():\n  x, *y, = a if b else not c in d\n  with x as y, z:\n    del x[1:2, ::3]\n  a = b = {1: [i for i in x]}\n  z **= -2 ** 3j\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		limits := Limits{MaxDepth: 100}
		file, err := Parse("fuzz.py", src, limits)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error %T %v", err, err)
			}
			lines := strings.Split(string(src), "\n")
			if e.Line < 1 || e.Line > len(lines) || e.Column < 1 || e.Column > len(lines[e.Line-1])+1 {
				t.Fatalf("%v is outside the source %q", e, src)
			}
			return
		}
		checkFileRoundTrip(t, file)
	})
}

func BenchmarkParse(b *testing.B) {
	one, err := os.ReadFile("testdata/traced.py")
	if err != nil {
		b.Fatal(err)
	}
	src := []byte(strings.Repeat(string(one), 200_000/len(one)+1))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("bench.py", src, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

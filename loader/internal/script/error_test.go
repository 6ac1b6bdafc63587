package script

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestErrors(t *testing.T) {
	body := func(s string) string { return "def f():\n  " + s + "\n" }
	tests := []struct {
		src          string
		line, column int
		msg          string
	}{
		// lexical
		{body("x = $"), 2, 7, `unexpected character '$'`},
		{body("x = a; y = b"), 2, 8, `unexpected character ';'`},
		{body("x = a ! b"), 2, 9, `unexpected character '!'`},
		{body("x = ?"), 2, 7, `unexpected character '?'`},
		{body("x = \u00e9"), 2, 7, `unexpected character 'é'`},
		{body("x = \x00"), 2, 7, `unexpected character '\x00'`},
		{body("x = a \\ b"), 2, 9, `unexpected character '\\'`},
		{body("^PyOp(x)"), 2, 3, `expected an expression but found "^"`},
		{body("x = 0x10"), 2, 7, `number 0 is followed by 'x'`},
		{body("x = 1_000"), 2, 7, `number 1 is followed by '_'`},
		{body("x = 1e"), 2, 7, `number 1 is followed by 'e'`},
		{body("x = 9223372036854775808"), 2, 7, `integer 9223372036854775808 does not fit in 64 bits`},
		{body("x = -9223372036854775809"), 2, 8, `integer -9223372036854775809 does not fit in 64 bits`},
		{body("x = " + strings.Repeat("9", 100)), 2, 7, `integer ` + strings.Repeat("9", 40) + `... does not fit in 64 bits`},
		{body(`x = "abc`), 2, 7, `string literal is not closed on its line`},
		{body(`x = """abc`), 2, 7, `string literal is not closed`},
		{body(`x = "\`), 2, 7, `string literal is not closed`},
		{body(`x = "\q"`), 2, 7, `a backslash before 'q' is no escape`},
		{body(`x = "\u0041"`), 2, 7, `a backslash before 'u' is no escape`},
		{body(`x = "\400"`), 2, 7, `an octal escape has three digits and is below 400`},
		{body(`x = "\0"`), 2, 7, `an octal escape has three digits and is below 400`},
		{body(`x = "\xg0"`), 2, 7, `a hexadecimal escape has two digits`},
		{body("x = (a"), 3, 1, `end of file inside brackets`},
		{body("x = a)"), 2, 8, `')' closes nothing`},
		{body("x = (a]"), 2, 9, `expected ")" but found "]"`},
		{"def f():\n    x = 1\n  y = 2\n", 3, 3, `indentation matches no enclosing block`},

		// declarations
		{"x = 1\n", 1, 1, `expected "import", "class" or "def" but found "x"`},
		{"  def f():\n    pass\n", 1, 3, `expected "import", "class" or "def" but found more indentation`},
		{"op_version_set = 1.5\n", 1, 18, `malformed version number 1.5`},
		{"op_version_set = x\n", 1, 18, `expected a version number but found "x"`},
		{"import\n", 1, 7, `expected a name but found end of line`},
		{"import a b\n", 1, 10, `expected end of line but found "b"`},
		{"class:\n", 1, 6, `expected a name but found ":"`},
		{"class C(A, B):\n  pass\n", 1, 10, `expected ")" but found ","`},
		{"class C:\npass\n", 2, 1, `expected an indented class body but found "pass"`},
		{"class C:\n", 2, 1, `expected an indented class body but found end of file`},
		{"class C:\n  1\n", 2, 3, `expected an attribute or a method but found "1"`},
		{"class C:\n  x\n", 2, 4, `expected ":" or "=" but found end of line`},
		{"class C:\n  x[\"a\"] = int\n", 2, 4, `expected ":" or "=" but found "["`},
		{"class C:\n  __annotations__[0] = int\n", 2, 19, `expected a string but found "0"`},
		{"class C:\n  __annotations__ = [1]\n", 2, 22, `expected "]" but found "1"`},
		{"class C:\n  __parameters__ = [1]\n", 2, 21, `expected a string but found "1"`},
		{"class C:\n  __parameters__ = x\n", 2, 20, `expected "[" but found "x"`},
		{"class C:\n  x : int int\n", 2, 11, `expected end of line but found "int"`},
		{"def f(:\n  pass\n", 1, 7, `expected a name but found ":"`},
		{"def f(a b):\n  pass\n", 1, 9, `expected ")" after the parameters but found "b"`},
		{"def f() -> :\n  pass\n", 1, 12, `expected a type but found ":"`},
		{"def f()\n  pass\n", 1, 8, `expected ":" but found end of line`},
		{"def f():\npass\n", 2, 1, `expected an indented block but found "pass"`},
		{"def f(): if a: pass\n", 1, 10, `expected a simple statement on the line of the block but found "if"`},
		{"def f(x: List[]):\n  pass\n", 1, 15, `expected a type but found "]"`},
		{"def f(x: List[int):\n  pass\n", 1, 18, `expected "]" after the type but found ")"`},
		{"def f(x: Tuple[(int)]):\n  pass\n", 1, 17, `expected ")" but found "int"`},

		// statements
		{body("if a\n    pass"), 2, 7, `expected ":" but found end of line`},
		{body("for i range(n):\n    pass"), 2, 9, `expected "in" but found "range"`},
		{body("for f() in x:\n    pass"), 2, 7, `this expression cannot be assigned to`},
		{body("x y"), 2, 5, `expected end of line but found "y"`},
		{body("f() = 1"), 2, 3, `this expression cannot be assigned to`},
		{body("a, 1 = b"), 2, 6, `this expression cannot be assigned to`},
		{body("torch.x = b"), 2, 3, `this expression cannot be assigned to`},
		{body("inf = b"), 2, 3, `this expression cannot be assigned to`},
		{body("a, b += c"), 2, 3, `+= has one target`},
		{body("x: int = y = z"), 2, 14, `an assignment with a type has one target`},
		{body("with x as 1:\n    pass"), 2, 13, `expected a name but found "1"`},
		{body("global 1"), 2, 10, `expected a name but found "1"`},
		{body("raise"), 2, 8, `expected an expression but found end of line`},
		{body("x = 1\n    y = 2"), 3, 5, `expected an expression but found more indentation`},
		{body("else:\n    pass"), 2, 3, `expected an expression but found "else"`},
		{body("class C:\n    pass"), 2, 3, `expected an expression but found "class"`},
		{body("lambda x: x"), 2, 10, `expected end of line but found "x"`},

		// expressions
		{body("x ="), 2, 6, `expected an expression but found end of line`},
		{body("x = a +"), 2, 10, `expected an expression but found end of line`},
		{body("x = a."), 2, 9, `expected a name but found end of line`},
		{body("x = a.1"), 2, 8, `expected end of line but found ".1"`},
		{body("x = a not b"), 2, 9, `expected end of line but found "not"`},
		{body("x = a if b"), 2, 13, `expected "else" of a conditional expression but found end of line`},
		{body("f(a b)"), 2, 7, `expected ")" after the arguments but found "b"`},
		{body("f(a=1, b)"), 2, 10, `positional argument after keyword argument`},
		{body("f(, a)"), 2, 5, `expected an expression but found ","`},
		{body("x[]"), 2, 5, `expected an index but found "]"`},
		{body("x[1:2:3:4]"), 2, 10, `expected "]" after the index but found ":"`},
		{body("[a b]"), 2, 6, `expected "]" after the list but found "b"`},
		{body("[a, b for b in c]"), 2, 9, `expected "]" after the list but found "for"`},
		{body("{a}"), 2, 5, `expected ":" but found "}"`},
		{body("{a: b c}"), 2, 9, `expected "}" after the dict but found "c"`},
		{body("[a for 1 in b]"), 2, 10, `this expression cannot be assigned to`},
		{body("CONSTANTS.x"), 2, 13, `x names no constant: expected CONSTANTS.cN`},
		{body("CONSTANTS.c-1"), 2, 13, `c names no constant: expected CONSTANTS.cN`},
		{body("CONSTANTS.c99999999999"), 2, 13, `c99999999999 names no constant: expected CONSTANTS.cN`},
		{body("annotate(x)"), 2, 13, `expected "," but found ")"`},
		{body("annotate(1, x)"), 2, 12, `expected a type but found "1"`},
		{body("isinstance(x, ())"), 2, 18, `expected a type but found ")"`},
		{body("getattr(x, y)"), 2, 14, `expected a string but found "y"`},
		{body("uninitialized(int, 1)"), 2, 22, `expected ")" but found "1"`},
		{body("__torch__.A.__new__(__torch__.B)"), 2, 23, `__new__ of __torch__.A is called for another class`},
		{body("x = " + strings.Repeat("y", 100) + " z"), 2, 108, `expected end of line but found "z"`},
		{body("x " + strings.Repeat("y", 100)), 2, 5, `expected end of line but found "` + strings.Repeat("y", 40) + `..."`},
	}
	for _, test := range tests {
		_, err := Parse("code/t.py", []byte(test.src), Limits{})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: error %v", test.src, err)
			continue
		}
		if e.File != "code/t.py" || e.Line != test.line || e.Column != test.column || e.Msg != test.msg {
			t.Errorf("%q:\n got %v\nwant code/t.py:%d:%d: %s", test.src, e, test.line, test.column, test.msg)
		}
		if errors.Is(err, ErrBudget) {
			t.Errorf("%q: a syntax error counts as a limit", test.src)
		}
	}
}

func TestErrorText(t *testing.T) {
	_, err := Parse("code/__torch__.py", []byte("def f():\n  return (\n"), Limits{})
	if want := "code/__torch__.py:3:1: end of file inside brackets"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := ParseExpr("e", []byte("a b"), Limits{}); err == nil || err.Error() != `e:1:3: expected end of file but found "b"` {
		t.Errorf("ParseExpr: %v", err)
	}
	if _, err := ParseType("e", []byte("int\nint"), Limits{}); err == nil || err.Error() != `e:2:1: expected end of file but found "int"` {
		t.Errorf("ParseType: %v", err)
	}
}

// Each source nests one construct n deep.
var nested = map[string]func(n int) string{
	"parentheses": func(n int) string { return strings.Repeat("(", n) + "x" + strings.Repeat(")", n) },
	"lists":       func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) },
	"dicts":       func(n int) string { return strings.Repeat("{1:", n) + "1" + strings.Repeat("}", n) },
	"calls":       func(n int) string { return strings.Repeat("f(", n) + strings.Repeat(")", n) },
	"keywords":    func(n int) string { return strings.Repeat("f(k=", n) + "1" + strings.Repeat(")", n) },
	"call chain":  func(n int) string { return "f" + strings.Repeat("()", n) },
	"attributes":  func(n int) string { return "a" + strings.Repeat(".a", n) },
	"indices":     func(n int) string { return "a" + strings.Repeat("[0]", n) },
	"in indices":  func(n int) string { return strings.Repeat("a[", n) + "0" + strings.Repeat("]", n) },
	"in slices":   func(n int) string { return strings.Repeat("a[1:", n) + "0" + strings.Repeat("]", n) },
	"sums":        func(n int) string { return "a" + strings.Repeat("+a", n) },
	"powers":      func(n int) string { return "a" + strings.Repeat("**a", n) },
	"signs":       func(n int) string { return strings.Repeat("-", n) + "a" },
	"nots":        func(n int) string { return strings.Repeat("not ", n) + "a" },
	"tildes":      func(n int) string { return strings.Repeat("~", n) + "a" },
	"stars":       func(n int) string { return strings.Repeat("* ", n) + "a" },
	"conditions":  func(n int) string { return strings.Repeat("a if b else ", n) + "c" },
	"getattr":     func(n int) string { return strings.Repeat("getattr(", n) + "x" + strings.Repeat(", \"0\")", n) },
	"annotate":    func(n int) string { return strings.Repeat("annotate(int, ", n) + "x" + strings.Repeat(")", n) },
	"types": func(n int) string {
		return "annotate(" + strings.Repeat("List[", n) + "int" + strings.Repeat("]", n) + ", x)"
	},
}

func TestDepthLimit(t *testing.T) {
	for name, make := range nested {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseExpr("t.py", []byte(make(100)), Limits{}); err != nil {
				t.Errorf("100 deep: %v", err)
			}
			for _, n := range []int{1001, 100_000} {
				_, err := ParseExpr("t.py", []byte(make(n)), Limits{})
				var e *Error
				if !errors.Is(err, ErrBudget) || !errors.As(err, &e) || !strings.Contains(e.Msg, "nested deeper than 1000") {
					t.Errorf("%d deep: %v", n, err)
				}
			}
		})
	}
}

func TestStatementDepthLimit(t *testing.T) {
	ifs := func(n int) string {
		var b strings.Builder
		b.WriteString("def f():\n")
		for i := range n {
			b.WriteString(strings.Repeat(" ", i+1) + "if a:\n")
		}
		return b.String() + strings.Repeat(" ", n+1) + "pass\n"
	}
	elifs := func(n int) string {
		return "def f():\n  if a:\n    pass\n" + strings.Repeat("  elif b:\n    pass\n", n)
	}
	for _, make := range []func(int) string{ifs, elifs} {
		f, err := Parse("t.py", []byte(make(100)), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		checkFileRoundTrip(t, f)
		if _, err := Parse("t.py", []byte(make(2000)), Limits{}); !errors.Is(err, ErrBudget) {
			t.Errorf("2000 deep: %v", err)
		}
	}
	// The lexer bounds its stack by itself.
	l := newLexer("t.py", []byte(ifs(2000)), Limits{}.withDefaults())
	for l.next().kind != tokEOF {
	}
	if !errors.Is(l.err, ErrBudget) {
		t.Errorf("lexer: %v", l.err)
	}
}

// A tree built from chains inside chains is bounded as a whole.
func TestHeightLimit(t *testing.T) {
	src := "a" + strings.Repeat(".a", 600)
	src = "(" + src + ")" + strings.Repeat("[0]", 600)
	if _, err := ParseExpr("t.py", []byte(src), Limits{}); !errors.Is(err, ErrBudget) {
		t.Errorf("error %v", err)
	}
}

func TestSizeLimits(t *testing.T) {
	src := []byte("def f():\n  return 1\n")
	if _, err := Parse("t.py", src, Limits{MaxBytes: len(src)}); err != nil {
		t.Error(err)
	}
	if _, err := Parse("t.py", src, Limits{MaxBytes: len(src) - 1}); !errors.Is(err, ErrBudget) {
		t.Errorf("bytes: %v", err)
	}
	if _, err := Parse("t.py", src, Limits{MaxTokens: 30}); err != nil {
		t.Error(err)
	}
	if _, err := Parse("t.py", src, Limits{MaxTokens: 5}); !errors.Is(err, ErrBudget) {
		t.Errorf("tokens: %v", err)
	}
	if _, err := Parse("t.py", src, Limits{MaxDepth: 1}); err == nil {
		t.Error("depth 1 accepts an expression in a block")
	}
}

type foreign struct{ Stmt }

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestPrintErrors(t *testing.T) {
	for _, n := range []Node{nil, &Keyword{}, foreign{}, &ExprStmt{}, &Uninitialized{}, &FuncDef{Body: []Stmt{nil}}, &File{Decls: []Decl{nil}}} {
		if err := Print(io.Discard, n); err == nil {
			t.Errorf("%T is printed", n)
		}
	}
	if err := Print(failing{}, &Name{Name: "x"}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error of the writer: %v", err)
	}
}

func TestOperatorStrings(t *testing.T) {
	if BinaryOp(0).String() != "BinaryOp(?)" || BinaryOp(200).String() != "BinaryOp(?)" || UnaryOp(0).String() != "UnaryOp(?)" {
		t.Error("an unknown operator has a name")
	}
	if formatFloat(math.Inf(-1)) != "-inf" {
		t.Error("negative infinity")
	}
}

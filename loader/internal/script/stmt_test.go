package script

import (
	"bytes"
	"testing"
)

// print returns what Print writes.
func print(t testing.TB, n Node) string {
	t.Helper()
	var b bytes.Buffer
	if err := Print(&b, n); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checkRoundTrip parses a printed expression again.
func checkRoundTrip(t testing.TB, src string, x Expr) {
	t.Helper()
	text := print(t, x)
	again, err := ParseExpr("printed", []byte(text), Limits{})
	if err != nil {
		t.Errorf("%s is printed as %s: %v", src, text, err)
		return
	}
	if a, b := dump(x), dump(again); a != b {
		t.Errorf("%s is printed as %s:\n got %s\nwant %s", src, text, b, a)
	}
	if text2 := print(t, again); text2 != text {
		t.Errorf("%s is printed as %s, then as %s", src, text, text2)
	}
}

func checkFileRoundTrip(t testing.TB, f *File) {
	t.Helper()
	text := print(t, f)
	again, err := Parse("printed", []byte(text), Limits{MaxDepth: 10 * defaultMaxDepth})
	if err != nil {
		t.Errorf("the printed file does not parse: %v\n%s", err, text)
		return
	}
	again.Name = f.Name
	if a, b := dump(f), dump(again); a != b {
		t.Errorf("the printed file differs:\n got %s\nwant %s\n%s", b, a, text)
	}
	if text2 := print(t, again); text2 != text {
		t.Errorf("printed twice:\n%s\n%s", text, text2)
	}
}

func TestParseStmt(t *testing.T) {
	tests := []struct{ src, want string }{
		{"x = 1", "(Assign [(Name x)] nil (IntLit 1))"},
		{"a, b, = f()", "(Assign [(Tuple [(Name a) (Name b)])] nil (Call (Name f) nil nil))"},
		{"a, = f()", "(Assign [(Tuple [(Name a)])] nil (Call (Name f) nil nil))"},
		{"a, b = c, d", "(Assign [(Tuple [(Name a) (Name b)])] nil (Tuple [(Name c) (Name d)]))"},
		{"(a, *b) = c", "(Assign [(Tuple [(Name a) (Starred (Name b))])] nil (Name c))"},
		{"*b, = c", "(Assign [(Tuple [(Starred (Name b))])] nil (Name c))"},
		{"[a, b] = c", "(Assign [(List [(Name a) (Name b)])] nil (Name c))"},
		{"a = b = c", "(Assign [(Name a) (Name b)] nil (Name c))"},
		{"self.a = b", "(Assign [(Attr (Name self) a)] nil (Name b))"},
		{"x[0] = b", "(Assign [(Index (Name x) [(IntLit 0)])] nil (Name b))"},
		{"x: int = 1", "(Assign [(Name x)] (Type int nil) (IntLit 1))"},
		{"x : List[int]", "(Assign [(Name x)] (Type List [(Type int nil)]) nil)"},
		{"_0 : __torch__.C = l[i]", "(Assign [(Name _0)] (Type __torch__.C nil) (Index (Name l) [(Name i)]))"},
		{"x += 1", "(AugAssign + (Name x) (IntLit 1))"},
		{"x[i] **= 2", "(AugAssign ** (Index (Name x) [(Name i)]) (IntLit 2))"},
		{"x -= 1", "(AugAssign - (Name x) (IntLit 1))"},
		{"x *= 1", "(AugAssign * (Name x) (IntLit 1))"},
		{"x /= 1", "(AugAssign / (Name x) (IntLit 1))"},
		{"x //= 1", "(AugAssign // (Name x) (IntLit 1))"},
		{"x %= 1", "(AugAssign % (Name x) (IntLit 1))"},
		{"x @= y", "(AugAssign @ (Name x) (Name y))"},
		{"x |= 1", "(AugAssign | (Name x) (IntLit 1))"},
		{"x &= 1", "(AugAssign & (Name x) (IntLit 1))"},
		{"x ^= 1", "(AugAssign ^ (Name x) (IntLit 1))"},
		{"x <<= 1", "(AugAssign << (Name x) (IntLit 1))"},
		{"x >>= 1", "(AugAssign >> (Name x) (IntLit 1))"},
		{"print(x)", "(ExprStmt (Call (Name print) [(Name x)] nil))"},
		{`ops.prim.RaiseException("m", "builtins.ValueError")`, `(ExprStmt (Call (Op prim RaiseException) [(StringLit m) (StringLit builtins.ValueError)] nil))`},
		{"return", "(Return nil)"},
		{"return x", "(Return (Name x))"},
		{"return x, y", "(Return (Tuple [(Name x) (Name y)]))"},
		{"raise E(x)", "(Raise (Call (Name E) [(Name x)] nil))"},
		{"assert x", "(Assert (Name x) nil)"},
		{`assert x, "m"`, "(Assert (Name x) (StringLit m))"},
		{"pass", "(Pass)"},
		{"break", "(Break)"},
		{"continue", "(Continue)"},
		{"del x[0], y", "(Delete [(Index (Name x) [(IntLit 0)]) (Name y)])"},
		{"global a, b", "(Global [a b])"},
		{"if a:\n    pass", "(If (Name a) [(Pass)] nil)"},
		{"if a: pass", "(If (Name a) [(Pass)] nil)"},
		{"if a:\n    pass\n  else:\n    break", "(If (Name a) [(Pass)] [(Break)])"},
		{"if a:\n    pass\n  elif b:\n    break\n  else:\n    x = 1", "(If (Name a) [(Pass)] [(If (Name b) [(Break)] [(Assign [(Name x)] nil (IntLit 1))])])"},
		{"while a:\n    x = 1\n    pass", "(While (Name a) [(Assign [(Name x)] nil (IntLit 1)) (Pass)])"},
		{"for i in range(n):\n    pass", "(For (Name i) (Call (Name range) [(Name n)] nil) [(Pass)])"},
		{"for i, j in x, y:\n    pass", "(For (Tuple [(Name i) (Name j)]) (Tuple [(Name x) (Name y)]) [(Pass)])"},
		{"for i, in x:\n    pass", "(For (Tuple [(Name i)]) (Name x) [(Pass)])"},
		{"with x:\n    pass", `(With [(WithItem (Name x) "")] [(Pass)])`},
		{"with x as y, f() as z:\n    pass", `(With [(WithItem (Name x) y) (WithItem (Call (Name f) nil nil) z)] [(Pass)])`},
		{"def __forked_function():\n    return 1", "(FuncDef __forked_function nil nil [(Return (IntLit 1))])"},
	}
	for _, test := range tests {
		src := "def f():\n  " + test.src + "\n"
		f, err := Parse("t.py", []byte(src), Limits{})
		if err != nil {
			t.Errorf("%s: %v", test.src, err)
			continue
		}
		body := f.Decls[0].(*FuncDef).Body
		if len(body) != 1 {
			t.Errorf("%s: %d statements", test.src, len(body))
			continue
		}
		if got := dump(body[0]); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.src, got, test.want)
		}
		checkFileRoundTrip(t, f)
	}
}

func TestParseFile(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"empty", "", "(File t.py 0 nil nil)"},
		{"blank", "\n  \n# comment\n\t# another", "(File t.py 0 nil nil)"},
		{"version and imports", "op_version_set = 1\nimport __torch__.a\nimport __torch__.b.c\n",
			"(File t.py 1 [(Import __torch__.a) (Import __torch__.b.c)] nil)"},
		{"function", "def f(x: Tensor,\n    n: int=-1,\n    s: str=\"a\",\n    o: Optional[List[int]]=None) -> Tuple[Tensor, int]:\n  return (x, n)\n",
			`(File t.py 0 nil [(FuncDef f [(Param x (Type Tensor nil) nil false) (Param n (Type int nil) (IntLit -1) false) ` +
				`(Param s (Type str nil) (StringLit a) false) (Param o (Type Optional [(Type List [(Type int nil)])]) (NoneLit) false)] ` +
				`(Type Tuple [(Type Tensor nil) (Type int nil)]) [(Return (Tuple [(Name x) (Name n)]))])])`},
		{"keyword-only and no types", "def f(self, *, k):\n  pass\n",
			"(File t.py 0 nil [(FuncDef f [(Param self nil nil false) (Param k nil nil true)] nil [(Pass)])])"},
		{"module", `class M(Module):
  __parameters__ = ["w", "b", ]
  __buffers__ = []
  __forward_pre_hooks__ = ["pre", ]
  __forward_hooks__ = ["post", ]
  __constants__ = ["k"]
  __annotations__ = []
  __annotations__["0"] = __torch__.L
  w : Tensor
  k : Final[int] = 3
  def forward(self: __torch__.M,
    x: Tensor) -> Tensor:
    return x
`, `(File t.py 0 nil [(ClassDef M Module [w b] [] [k] [pre] [post] [(Attribute "0" (Type __torch__.L nil) nil) (Attribute w (Type Tensor nil) nil) ` +
			`(Attribute k (Type Final [(Type int nil)]) (IntLit 3))] [(FuncDef forward [(Param self (Type __torch__.M nil) nil false) (Param x (Type Tensor nil) nil false)] ` +
			`(Type Tensor nil) [(Return (Name x))])])])`},
		{"plain class", "class C:\n  a : int\n",
			"(File t.py 0 nil [(ClassDef C \"\" nil nil nil nil nil [(Attribute a (Type int nil) nil)] nil)])"},
		{"named tuple", "class P(NamedTuple):\n  x : Tensor\n  n : int\n",
			"(File t.py 0 nil [(ClassDef P NamedTuple nil nil nil nil nil [(Attribute x (Type Tensor nil) nil) (Attribute n (Type int nil) nil)] nil)])"},
		{"interface", "class I(ModuleInterface):\n  def forward(self, x: Tensor) -> Tensor:\n    pass\n",
			"(File t.py 0 nil [(ClassDef I ModuleInterface nil nil nil nil nil nil [(FuncDef forward [(Param self nil nil false) (Param x (Type Tensor nil) nil false)] (Type Tensor nil) [(Pass)])])])"},
		{"enum", "class E(Enum):\n  RED = 1\n  A = \"a\"\n",
			"(File t.py 0 nil [(ClassDef E Enum nil nil nil nil nil [(Attribute RED nil (IntLit 1)) (Attribute A nil (StringLit a))] nil)])"},
		{"empty class and no last newline", "class C:\n  pass",
			"(File t.py 0 nil [(ClassDef C \"\" nil nil nil nil nil nil nil)])"},
		{"annotation of a keyword", "class C:\n  __annotations__ = {}\n  __annotations__[\"in\"] = int\n",
			"(File t.py 0 nil [(ClassDef C \"\" nil nil nil nil nil [(Attribute in (Type int nil) nil)] nil)])"},
		{"carriage returns, tabs, comments between lines", "def f():\r\n\tx = 1 # c\r\n# c\r\n\r\n\t# c\r\n\treturn x\r\n",
			"(File t.py 0 nil [(FuncDef f nil nil [(Assign [(Name x)] nil (IntLit 1)) (Return (Name x))])])"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := Parse("t.py", []byte(test.src), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got := dump(f); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
			checkFileRoundTrip(t, f)
		})
	}
}

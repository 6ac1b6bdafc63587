package script

import (
	"math"
	"testing"
)

func TestParseExpr(t *testing.T) {
	tests := []struct{ src, want string }{
		// literals
		{"0", "(IntLit 0)"},
		{"9223372036854775807", "(IntLit 9223372036854775807)"},
		{"-9223372036854775808", "(IntLit -9223372036854775808)"},
		{"-1", "(IntLit -1)"},
		{"- 1", "(IntLit -1)"},
		{"-(1)", "(Unary - (IntLit 1))"},
		{"--1", "(Unary - (IntLit -1))"},
		{"007", "(IntLit 7)"},
		{"1.", "(FloatLit 1)"},
		{".5", "(FloatLit 0.5)"},
		{"1.0000000000000001e-05", "(FloatLit 1e-05)"},
		{"1e+20", "(FloatLit 1e+20)"},
		{"2E3", "(FloatLit 2000)"},
		{"-2.5", "(FloatLit -2.5)"},
		{"1e999", "(FloatLit +Inf)"},
		{"inf", "(FloatLit +Inf)"},
		{"-inf", "(FloatLit -Inf)"},
		{"nan", "(FloatLit NaN)"},
		{"-nan", "(FloatLit NaN)"},
		{"1.j", "(ImaginaryLit 1)"},
		{"3j", "(ImaginaryLit 3)"},
		{"infj", "(ImaginaryLit +Inf)"},
		{"-nanj", "(ImaginaryLit NaN)"},
		{"2.5+1.j", "(Binary + (FloatLit 2.5) (ImaginaryLit 1))"},
		{"2.5-1.j", "(Binary - (FloatLit 2.5) (ImaginaryLit 1))"},
		{"True", "(BoolLit true)"},
		{"False", "(BoolLit false)"},
		{"None", "(NoneLit)"},
		{"...", "(Ellipsis)"},
		{"Ellipsis", "(Ellipsis)"},
		{`""`, `(StringLit "")`},
		{`"a b"`, `(StringLit "a b")`},
		{`'it"s'`, `(StringLit "it\"s")`},
		{`"a" 'b' "c"`, `(StringLit abc)`},
		{`"""a"b
c"""`, `(StringLit "a\"b\nc")`},
		{`"\\\'\"\a\b\f\n\r\t\v"`, `(StringLit "\\'\"\a\b\f\n\r\t\v")`},
		{`"\001\177\377\x41"`, `(StringLit "\x01\x7f\xffA")`},
		{"\"a\\\nb\"", `(StringLit "a\nb")`},
		{"\"\u00e9\"", `(StringLit "é")`},

		// names
		{"x", "(Name x)"},
		{"_0", "(Name _0)"},
		{"infinity", "(Name infinity)"},
		{"torch", "(Name torch)"},
		{"torch.conv2d", "(Op aten conv2d)"},
		{"torch.__isnot__", "(Op aten __isnot__)"},
		{"torch.autograd.grad", "(Attr (Op aten autograd) grad)"},
		{"ops.prim.NumToTensor", "(Op prim NumToTensor)"},
		{"ops.quantized.add", "(Op quantized add)"},
		{"ops.prim", "(Attr (Name ops) prim)"},
		{"ops", "(Name ops)"},
		{"(torch).add", "(Attr (Name torch) add)"},
		{"CONSTANTS.c0", "(Constant 0)"},
		{"CONSTANTS.c127", "(Constant 127)"},
		{"__torch__.a.B", `(Qualified __torch__.a.B)`},
		{"__torch__.a.___torch_mangle_3.B", `(Qualified __torch__.a.___torch_mangle_3.B)`},
		{"(__torch__.Color.RED).value", `(Attr (Qualified __torch__.Color.RED) value)`},
		{"__torch__", "(Name __torch__)"},
		{"self.conv", "(Attr (Name self) conv)"},
		{"self.in", "(Attr (Name self) in)"},
		{`getattr(self, "0")`, `(Attr (Name self) "0")`},
		{`getattr(self.l, "a-b",)`, `(Attr (Attr (Name self) l) "a-b")`},
		{`getattr(l, "weight")`, `(Attr (Name l) weight)`},
		{"getattr", "(Name getattr)"},

		// calls, indices, displays
		{"f()", "(Call (Name f) nil nil)"},
		{"torch.add(x, 1, alpha=2)", "(Call (Op aten add) [(Name x) (IntLit 1)] [(Keyword alpha (IntLit 2))])"},
		{"(self.conv).forward(x, )", "(Call (Attr (Attr (Name self) conv) forward) [(Name x)] nil)"},
		{"f(a=1, )", "(Call (Name f) nil [(Keyword a (IntLit 1))])"},
		{"f(a == 1)", "(Call (Name f) [(Binary == (Name a) (IntLit 1))] nil)"},
		{"f(*x)", "(Call (Name f) [(Starred (Name x))] nil)"},
		{`"{}-{}".format(a, 1)`, `(Call (Attr (StringLit "{}-{}") format) [(Name a) (IntLit 1)] nil)`},
		{"f(\n  a,\n  b)", "(Call (Name f) [(Name a) (Name b)] nil)"},
		{"f(a, # one\n\n  b # two\n)", "(Call (Name f) [(Name a) (Name b)] nil)"},
		{"a + \\\n b", "(Binary + (Name a) (Name b))"},
		{"a + \\\r\n b", "(Binary + (Name a) (Name b))"},
		{"x[0]", "(Index (Name x) [(IntLit 0)])"},
		{"(x)[-1]", "(Index (Name x) [(IntLit -1)])"},
		{"x[a][b]", "(Index (Index (Name x) [(Name a)]) [(Name b)])"},
		{"x[1, ..., None]", "(Index (Name x) [(IntLit 1) (Ellipsis) (NoneLit)])"},
		{"x[:]", "(Index (Name x) [(Slice nil nil nil)])"},
		{"x[1:]", "(Index (Name x) [(Slice (IntLit 1) nil nil)])"},
		{"x[:2]", "(Index (Name x) [(Slice nil (IntLit 2) nil)])"},
		{"x[1:2]", "(Index (Name x) [(Slice (IntLit 1) (IntLit 2) nil)])"},
		{"x[::]", "(Index (Name x) [(Slice nil nil nil)])"},
		{"x[::2, 1:n:-1]", "(Index (Name x) [(Slice nil nil (IntLit 2)) (Slice (IntLit 1) (Name n) (IntLit -1))])"},
		{"x[a,]", "(Index (Name x) [(Name a)])"},
		{"()", "(Tuple nil)"},
		{"(a)", "(Name a)"},
		{"(a,)", "(Tuple [(Name a)])"},
		{"a,", "(Tuple [(Name a)])"},
		{"a, b", "(Tuple [(Name a) (Name b)])"},
		{"((a, b), c)", "(Tuple [(Tuple [(Name a) (Name b)]) (Name c)])"},
		{"*a, b", "(Tuple [(Starred (Name a)) (Name b)])"},
		{"[]", "(List nil)"},
		{"[1, 2,]", "(List [(IntLit 1) (IntLit 2)])"},
		{"{}", "(Dict nil)"},
		{`{"a": 1, b: [2],}`, `(Dict [(DictItem (StringLit a) (IntLit 1)) (DictItem (Name b) (List [(IntLit 2)]))])`},
		{"[i * 2 for i in x]", "(ListComp (Binary * (Name i) (IntLit 2)) (Name i) (Name x))"},
		{"[a for a, b in x]", "(ListComp (Name a) (Tuple [(Name a) (Name b)]) (Name x))"},
		{"{i: j for i in x}", "(DictComp (Name i) (Name j) (Name i) (Name x))"},

		// special forms
		{"annotate(List[int], [])", "(Annotate (Type List [(Type int nil)]) (List nil))"},
		{"annotate(Optional[Tensor], None)", "(Annotate (Type Optional [(Type Tensor nil)]) (NoneLit))"},
		{"unchecked_cast(Tensor, x)", "(UncheckedCast (Type Tensor nil) (Name x))"},
		{"uninitialized(Tuple[int, Tensor])", "(Uninitialized (Type Tuple [(Type int nil) (Type Tensor nil)]))"},
		{"isinstance(x, int)", "(IsInstance (Name x) [(Type int nil)])"},
		{"isinstance(x, (list, tuple))", "(IsInstance (Name x) [(Type list nil) (Type tuple nil)])"},
		{"isinstance(x, NoneType,)", "(IsInstance (Name x) [(Type NoneType nil)])"},
		{"__torch__.C.__new__(__torch__.C)", "(NewObject __torch__.C)"},
		{"__torch__.C.__new__", "(Qualified __torch__.C.__new__)"},
		{"annotate", "(Name annotate)"},
		{"(annotate)(x)", "(Call (Name annotate) [(Name x)] nil)"},
		{"fork(__forked_function)", "(Call (Name fork) [(Name __forked_function)] nil)"},

		// operators, with the precedence PyTorch gives them
		{"a + b * c", "(Binary + (Name a) (Binary * (Name b) (Name c)))"},
		{"(a + b) * c", "(Binary * (Binary + (Name a) (Name b)) (Name c))"},
		{"a - b - c", "(Binary - (Binary - (Name a) (Name b)) (Name c))"},
		{"a // b % c / d @ e", "(Binary @ (Binary / (Binary % (Binary // (Name a) (Name b)) (Name c)) (Name d)) (Name e))"},
		{"a ** b ** c", "(Binary ** (Name a) (Binary ** (Name b) (Name c)))"},
		{"-a ** b", "(Unary - (Binary ** (Name a) (Name b)))"},
		{"-2 ** b", "(Unary - (Binary ** (IntLit 2) (Name b)))"},
		{"2 ** -b", "(Binary ** (IntLit 2) (Unary - (Name b)))"},
		{"-1 .x", "(Unary - (Attr (IntLit 1) x))"},
		{"-a * b", "(Binary * (Unary - (Name a)) (Name b))"},
		{"a << b + c >> d", "(Binary >> (Binary << (Name a) (Binary + (Name b) (Name c))) (Name d))"},
		{"a | b ^ c & d", "(Binary | (Name a) (Binary ^ (Name b) (Binary & (Name c) (Name d))))"},
		{"a or b and c", "(Binary and (Binary or (Name a) (Name b)) (Name c))"},
		{"not a == b", "(Unary not (Binary == (Name a) (Name b)))"},
		{"not a and b", "(Binary and (Unary not (Name a)) (Name b))"},
		{"~a + b", "(Unary ~ (Binary + (Name a) (Name b)))"},
		{"a < b < c", "(Binary < (Binary < (Name a) (Name b)) (Name c))"},
		{"a <= b", "(Binary <= (Name a) (Name b))"},
		{"a >= b", "(Binary >= (Name a) (Name b))"},
		{"a != b", "(Binary != (Name a) (Name b))"},
		{"a is None", "(Binary is (Name a) (NoneLit))"},
		{"a is not None", "(Binary is not (Name a) (NoneLit))"},
		{"a is  not None", "(Binary is not (Name a) (NoneLit))"},
		{"a in b", "(Binary in (Name a) (Name b))"},
		{"a not in b", "(Binary not in (Name a) (Name b))"},
		{"a if c else b", "(Cond (Name c) (Name a) (Name b))"},
		{"a if b else c if d else e", "(Cond (Name b) (Name a) (Cond (Name d) (Name c) (Name e)))"},
		{"a + 1 if c or d else b", "(Cond (Binary or (Name c) (Name d)) (Binary + (Name a) (IntLit 1)) (Name b))"},
	}
	for _, test := range tests {
		x, err := ParseExpr("t.py", []byte(test.src), Limits{})
		if err != nil {
			t.Errorf("%s: %v", test.src, err)
			continue
		}
		if got := dump(x); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.src, got, test.want)
		}
		checkRoundTrip(t, test.src, x)
	}
}

func TestParseFloatBits(t *testing.T) {
	for _, v := range []float64{0, math.Copysign(0, -1), 0.1, 1e-7, 1.0 / 3, math.MaxFloat64, math.SmallestNonzeroFloat64, 1e16, 123456789} {
		for _, sign := range []float64{1, -1} {
			want := v * sign
			text := formatFloat(want)
			x, err := ParseExpr("t.py", []byte(text), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			f, ok := x.(*FloatLit)
			if !ok || math.Float64bits(f.Value) != math.Float64bits(want) {
				t.Errorf("%v is written %s and read as %s", want, text, dump(x))
			}
		}
	}
}

func TestParseType(t *testing.T) {
	tests := []struct{ src, want string }{
		{"Tensor", "(Type Tensor nil)"},
		{"None", "(Type NoneType nil)"},
		{"NoneType", "(Type NoneType nil)"},
		{"Tuple[()]", "(Type Tuple [])"},
		{"List[Optional[int]]", "(Type List [(Type Optional [(Type int nil)])])"},
		{"Dict[str, Tuple[Tensor, float]]", "(Type Dict [(Type str nil) (Type Tuple [(Type Tensor nil) (Type float nil)])])"},
		{"Union[int, NoneType, str]", "(Type Union [(Type int nil) (Type NoneType nil) (Type str nil)])"},
		{"Future[List[Tensor],]", "(Type Future [(Type List [(Type Tensor nil)])])"},
		{"Final[int]", "(Type Final [(Type int nil)])"},
		{"__torch__.torch.classes.quantized.Conv2dPackedParamsBase", "(Type __torch__.torch.classes.quantized.Conv2dPackedParamsBase nil)"},
		{"List[\n  Tensor]", "(Type List [(Type Tensor nil)])"},
		{"number", "(Type number nil)"},
	}
	for _, test := range tests {
		x, err := ParseType("t.py", []byte(test.src), Limits{})
		if err != nil {
			t.Errorf("%s: %v", test.src, err)
			continue
		}
		if got := dump(x); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.src, got, test.want)
		}
		again, err := ParseType("t.py", []byte(print(t, x)), Limits{})
		if err != nil || dump(again) != dump(x) {
			t.Errorf("%s is printed as %s: %v", test.src, print(t, x), err)
		}
	}
}

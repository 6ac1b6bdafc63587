package exported

import (
	"math"
	"strings"
	"testing"
)

func TestExpr(t *testing.T) {
	s := Scope{Symbol: func(name string) (int64, bool) {
		v, ok := map[string]int64{"s0": 7, "s1": 4, "s77": 5}[name]
		return v, ok
	}}
	const s0 = "Symbol('s0', positive=True, integer=True)"
	for text, want := range map[string]any{
		s0: int64(7), "Symbol('s1')": int64(4), "Integer(-3)": int64(-3), "Float('1.5', precision=53)": 1.5, "Rational(1, 2)": 0.5, "Rational(-1, 2)": -0.5,
		"Add(" + s0 + ", Integer(1), Integer(2))":                                      int64(10),
		"Mul(Integer(2), " + s0 + ")":                                                  int64(14),
		"Pow(" + s0 + ", Integer(2))":                                                  int64(49),
		"FloorDiv(" + s0 + ", Integer(2))":                                             int64(3),
		"FloorDiv(Mul(Integer(-1), " + s0 + "), Integer(2))":                           int64(-4),
		"PythonMod(Mul(Integer(-1), " + s0 + "), Integer(4))":                          int64(1),
		"Mod(" + s0 + ", Integer(4))":                                                  int64(3),
		"CeilDiv(" + s0 + ", Integer(2))":                                              int64(4),
		"ModularIndexing(" + s0 + ", Integer(2), Integer(2))":                          int64(1),
		"Max(Integer(1), " + s0 + ")":                                                  int64(7),
		"Min(Integer(1), " + s0 + ")":                                                  int64(1),
		"TruncToInt(Mul(Float('0.5', precision=53), ToFloat(" + s0 + ")))":             int64(3),
		"IntTrueDiv(" + s0 + ", Integer(2))":                                           3.5,
		"Equality(" + s0 + ", Integer(7))":                                             true,
		"GreaterThan(" + s0 + ", Integer(8))":                                          false,
		"And(LessThan(Integer(1), Integer(2)), Not(Equality(Integer(1), Integer(2))))": true,
		"Where(Equality(" + s0 + ", Integer(7)), Integer(1), Integer(2))":              int64(1),
		"1 + 2*3 - -4": int64(11), "2**3**2": int64(512), "-2**2": int64(-4), "(1 + 2)*3": int64(9), "7 // -2": int64(-4), "-7 % 3": int64(2), "7 / 2": 3.5,
		"1 < 2 < 3": true, "1 < 3 < 2": false, "not 1 == 2 and 2 == 2 or 1 == 0": true, "not not 1": int64(1), "1 << 4 >> 1": int64(8), "math.floor(1.5)": int64(1),
		"torch.sym_max(1, 2)": int64(2), "max(1, 2, 3)": int64(3), "1e3 == 1000": true, "10 - 3 - 2": int64(5), "int_oo > 5": true,
	} {
		e, err := ParseExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := e.Eval(s)
		if err != nil || got != want {
			t.Errorf("%s: got %v (%T), %v, want %v", text, got, got, err, want)
		}
	}
}

func TestExprRefuses(t *testing.T) {
	for text, reason := range map[string]string{
		"":                                 "ends where",
		"f(1)":                             "the function f is not known",
		"__import__('os').system('x')":     "__import__",
		"os.system('x')":                   "os.system",
		"().__class__":                     "",
		"L['x'].size()[0]":                 "L is no constant",
		"x":                                "x is no constant",
		"1 +":                              "ends where",
		"(1":                               `")"`,
		"1 1":                              "where it should end",
		"'a'":                              "where a number",
		"Symbol(s0)":                       "Symbol of",
		"Symbol('s0":                       "does not end",
		"Integer(Integer(1))":              "inside Integer",
		"Integer(99999999999999999999)":    "the integer",
		"Rational(1, 0)":                   "the fraction",
		"FloorDiv(Integer(1))":             "with 1 arguments",
		"lambda: 0":                        "':'",
		"[1]":                              "where a number",
		"1 if 2 else 3":                    "where it should end",
		"a := 1":                           "':'",
		"1; 2":                             "';'",
		strings.Repeat("(", 20000):         "more than",
		strings.Repeat("(", 5000):          "nested more than",
		strings.Repeat("Add(", 2000) + "1": "nested more than",
		strings.Repeat("2**", 2000) + "1":  "nested more than",
		strings.Repeat("1+", 20000):        "more than",
		strings.Repeat("1", 1<<17):         "at most",
	} {
		if _, err := ParseExpr(text); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%.40s: got %v, want %q", text, err, reason)
		}
	}
	for _, text := range []string{
		"__import__('os').system('touch x') or True", "L.x", "L[0", "L['x'].dtype", "L['x'].size", "L['x'].size()", "L['x'].size()[i]", "L['x'].__class__",
		"Symbol('s0')", "L['x'].size(0)[0]", "L[x]", "eval('1')",
	} {
		if _, err := ParseGuard(text); err == nil {
			t.Errorf("%s is read as a guard", text)
		}
	}
}

func TestExprOverflow(t *testing.T) {
	for _, text := range []string{
		"9223372036854775807 + 1", "-9223372036854775807 - 2", "4611686018427387904*2", "2**63", "1 // 0", "1 % 0", "1 / 0", "1 << 63",
		"math.floor(1e300)", "3037000500*3037000500", "10**1000000000", "abs(-9223372036854775807 - 1)",
	} {
		e, err := ParseExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if v, err := e.Eval(Scope{}); err == nil {
			t.Errorf("%s gives %v", text, v)
		}
	}
	for text, want := range map[string]int64{"1**1000000000000": 1, "(-1)**1000000000001": -1, "0**5": 0, "0**0": 1, "9223372036854775807": math.MaxInt64, "0*9223372036854775807": 0} {
		e, err := ParseExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if v, err := e.Eval(Scope{}); err != nil || v != want {
			t.Errorf("%s gives %v, %v", text, v, err)
		}
	}
}

func TestSolve(t *testing.T) {
	const x = "Symbol('x')"
	s := Scope{Symbol: func(name string) (int64, bool) { return 3, name == "y" }}
	for _, c := range []struct {
		text string
		of   int64
		want int64
		ok   bool
	}{
		{x, 5, 5, true},
		{"Mul(Integer(2), " + x + ")", 6, 3, true},
		{"Mul(Integer(2), " + x + ")", 7, 0, false},
		{"Add(Mul(Integer(4), " + x + "), Integer(1))", 9, 2, true},
		{"Add(" + x + ", Symbol('y'))", 9, 6, true},
		{"Mul(" + x + ", Symbol('y'))", 9, 3, true},
		{"Pow(" + x + ", Integer(2))", 49, 7, true},
		{"Pow(" + x + ", Integer(2))", 48, 0, false},
		{"10 - " + x, 4, 6, true},
		{x + " - 10", 4, 14, true},
		{"-" + x, -4, 4, true},
		{"Mul(" + x + ", " + x + ")", 9, 0, false},
		{"FloorDiv(" + x + ", Integer(2))", 9, 0, false},
		{"Mul(Integer(0), " + x + ")", 0, 0, false},
	} {
		e, err := ParseExpr(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got, ok := solveFor(e, "x", c.of, s); ok != c.ok || ok && got != c.want {
			t.Errorf("%s = %d: got %d %v", c.text, c.of, got, ok)
		}
	}
}

package exported

import (
	"bytes"
	"testing"
)

func FuzzJSON(f *testing.F) {
	for _, s := range []string{program, config, `[1, "a\u00e9\ud83d\ude00", -Infinity, NaN, null, true, {"a": {}}]`, "\ufeff", `{"a":1,"a":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newJSONReader("f.json", data)
		r.skip()
		if err := r.end(); err != nil && !isFileError(err, "") {
			t.Errorf("%v is no *tensor.FileError", err)
		}
	})
}

func FuzzExpr(f *testing.F) {
	for _, s := range []string{
		"Add(FloorDiv(Symbol('s0', positive=True, integer=True), Integer(2)), Integer(1))", "Mul(Float('0.5', precision=53), ToFloat(Symbol('s1')))",
		"(3*L['x'].size()[0]) == (2*(L['x'].size()[0] // 2)*((3*L['x'].size()[0]) // (2*(L['x'].size()[0] // 2))))", "not 1 < 2 <= 3 or -2**3 % 5 and max(1, 2)",
	} {
		f.Add(s, int64(3))
	}
	f.Fuzz(func(t *testing.T, text string, n int64) {
		s := Scope{Symbol: func(string) (int64, bool) { return n, true }, Place: func(*Expr) (any, bool) { return n, true }}
		for _, parse := range []func(string) (*Expr, error){ParseExpr, ParseGuard} {
			e, err := parse(text)
			if err != nil {
				continue
			}
			_, _ = e.Eval(s)
			_ = e.String()
			e.Symbols(func(name string) {
				if v, ok := solveFor(e, name, n, Scope{}); ok {
					if got, err := e.EvalInt(Scope{Symbol: func(string) (int64, bool) { return v, true }}); err == nil && got != n {
						t.Errorf("%s = %d: solved as %s = %d, which gives %d", text, n, name, v, got)
					}
				}
			})
		}
	})
}

func FuzzPayloads(f *testing.F) {
	f.Add([]byte(config), []byte(floats(1, 2)))
	f.Fuzz(func(t *testing.T, text, record []byte) {
		raw := zipped(append(sound()[:4:4], member{"m/data/weights/model_weights_config.json", string(text)}, member{"m/data/weights/weight_0", string(record)})...)
		if w, err := load(raw); err != nil && !isFileError(err, "") {
			t.Errorf("%v is no *tensor.FileError", err)
		} else if err == nil && w[0].Numel() != 2 {
			t.Errorf("the weight is %v", w[0])
		}
	})
}

func FuzzArchive(f *testing.F) {
	f.Add(zipped(sound()...))
	f.Add(zipped(member{flatProgram, program}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := Open(bytes.NewReader(raw), int64(len(raw)), 1<<40, noOpen)
		if err != nil {
			return
		}
		for _, name := range a.Names() {
			p, err := a.Program(name)
			if err != nil {
				continue
			}
			_, _ = p.Contract()
			_, _ = a.Weights(p)
		}
	})
}

// FuzzProgram reads a program as it stands in an archive.
func FuzzProgram(f *testing.F) {
	f.Add([]byte(program))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParseProgram("p.json", text)
		if err != nil {
			if !isFileError(err, "") {
				t.Errorf("%v is no *tensor.FileError", err)
			}
			return
		}
		if _, err := p.Contract(); err != nil && !isFileError(err, "") {
			t.Errorf("%v is no *tensor.FileError", err)
		}
		for _, t := range []*Tree{p.In, p.Out} {
			if t != nil {
				t.Names()
			}
		}
	})
}

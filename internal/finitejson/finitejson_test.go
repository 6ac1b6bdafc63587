package finitejson

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

type inner struct {
	V float64 `json:"v"`
}

type own float64

func (own) MarshalJSON() ([]byte, error) { return []byte(`"own"`), nil }

type document struct {
	inner
	Inner
	A      float64            `json:"a,omitempty"`
	B      float32            `json:"b"`
	P      *float64           `json:"p"`
	S      []float64          `json:"s"`
	N      []int              `json:"n"`
	M      map[string]float64 `json:"m"`
	I      any                `json:"i"`
	O      own                `json:"o"`
	Text   string             `json:"text"`
	Hidden func()             `json:"-"`
}

type Inner struct {
	W [2]float64 `json:"w"`
}

func TestWrite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	v := document{
		Inner: Inner{[2]float64{1, inf}}, A: nan, B: float32(math.Inf(-1)), P: &inf, S: []float64{0.5, nan},
		M: map[string]float64{"x": nan}, I: inner{nan}, O: own(nan), Text: "<&>", Hidden: func() {},
	}
	var out strings.Builder
	if err := Write(&out, v); err != nil {
		t.Fatal(err)
	}
	want := `{"w":[1,null],"a":null,"b":null,"p":null,"s":[0.5,null],"n":null,"m":{"x":null},"i":{"v":null},"o":"own","text":"<&>"}` + "\n"
	want = strings.Replace(want, `{"w"`, `{"v":0,"w"`, 1)
	if out.String() != want || !json.Valid([]byte(out.String())) {
		t.Errorf("got  %swant %s", out.String(), want)
	}
	if !math.IsNaN(v.S[1]) || *v.P != inf {
		t.Error("the value was changed")
	}
	for _, v := range []any{nil, nan, []any{nan, "a", 3}, map[string]any{"k": []float64{inf}}} {
		out.Reset()
		if err := Write(&out, v); err != nil || !json.Valid([]byte(out.String())) {
			t.Errorf("%v: %s, %v", v, out.String(), err)
		}
	}
}

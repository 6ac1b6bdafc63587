package exported

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

func isFileError(err error, reason string) bool {
	var fe *tensor.FileError
	return errors.As(err, &fe) && strings.Contains(err.Error(), reason)
}

func read(text string) *jsonReader { return newJSONReader("x.json", []byte(text)) }

func TestJSONNumbers(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "-0": 0, "12": 12, "9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64, " 3 ": 3} {
		r := read(text)
		if got := r.int(); got != want || r.end() != nil {
			t.Errorf("%s: got %d, %v", text, got, r.err)
		}
	}
	for _, text := range []string{"", "01", "+1", "1.", ".5", "-", "1e", "0x10", "1_0", "1.0", "9223372036854775808", "NaN", `"1"`, "1 2", strings.Repeat("1", 500)} {
		r := read(text)
		if r.int(); !isFileError(r.end(), "") {
			t.Errorf("%q is read as an integer", text)
		}
	}
	for text, want := range map[string]int64{"9223372036854775810": math.MaxInt64, "-9223372036854775810": math.MinInt64, "5": 5} {
		r := read(text)
		if got := r.clampedInt(); got != want || r.end() != nil {
			t.Errorf("%s clamped: got %d, %v", text, got, r.err)
		}
	}
	for text, want := range map[string]float64{"1": 1, "-1.5e3": -1500, "Infinity": math.Inf(1), "-Infinity": math.Inf(-1), `"Infinity"`: math.Inf(1), `"-Infinity"`: math.Inf(-1), "1e999": math.Inf(1)} {
		r := read(text)
		if got := r.float(); got != want || r.end() != nil {
			t.Errorf("%s: got %v, %v", text, got, r.err)
		}
	}
	for _, text := range []string{"NaN", `"NaN"`} {
		r := read(text)
		if got := r.float(); got == got || r.end() != nil {
			t.Errorf("%s: got %v, %v", text, got, r.err)
		}
	}
	for _, text := range []string{`"inf"`, "nan", "Infinit", `"1"`, "true"} {
		r := read(text)
		if r.float(); r.end() == nil {
			t.Errorf("%s is read as a number", text)
		}
	}
}

func TestJSONStrings(t *testing.T) {
	for text, want := range map[string]string{`""`: "", `"a\"\\\/\b\f\n\r\té€"`: "a\"\\/\b\f\n\r\té€", `"\ud83d\ude00"`: "😀", `"日本"`: "日本"} {
		r := read(text)
		if got := r.str(); got != want || r.end() != nil {
			t.Errorf("%s: got %q, %v", text, got, r.err)
		}
	}
	for _, text := range []string{`"`, `"\`, `"\u12"`, `"\ud800"`, `"\ud800\u0041"`, `"\x"`, "\"\n\"", `'a'`, "\"a\xff\""} {
		r := read(text)
		if r.str(); !isFileError(r.end(), "") {
			t.Errorf("%q is read as a string", text)
		}
	}
}

func TestJSONRefuses(t *testing.T) {
	for text, reason := range map[string]string{
		"\ufeff{}":         "byte order mark",
		"{\"a\":\"\xff\"}": "not UTF-8",
		`{"a":1,"a":2}`:    `the key "a" stands twice`,
		`{"` + strings.Repeat("k", 5000) + `":1}`: "a key of 5000 bytes",
		`{"b":{"a":1,"a":2}}`:                     `b: the key "a"`,
		`{} x`:                                    "1 bytes follow",
		`{"a":1,}`:                                "a string",
		`[1,]`:                                    "a number",
		`{"a" 1}`:                                 `':'`,
		strings.Repeat("[", 200000):               "nested more than",
		strings.Repeat(`{"a":`, 200000):           "nested more than",
		`[tru]`:                                   "true or false",
		``:                                        "ends at byte 0",
		`nul`:                                     "a value",
	} {
		r := read(text)
		if r.skip(); !isFileError(r.end(), reason) {
			t.Errorf("%.30q: got %v, want %q", text, r.err, reason)
		}
	}
	var many strings.Builder
	many.WriteByte('[')
	for range maxJSONValues {
		many.WriteString("1,")
	}
	many.WriteString("1]")
	r := read(many.String())
	if r.skip(); !isFileError(r.end(), "more than 8388608 values") {
		t.Errorf("too many values: %v", r.err)
	}
	for text, reason := range map[string]string{`{"a":1,"b":2}`: "more than one kind", `{}`: "of no kind"} {
		r := read(text)
		if r.one("a union", func(string) { r.skip() }); !isFileError(r.end(), reason) {
			t.Errorf("%s: got %v", text, r.err)
		}
	}
}

func TestJSONManyKeys(t *testing.T) {
	var b strings.Builder
	b.WriteByte('{')
	for i := range 100 {
		b.WriteString(`"k` + strings.Repeat("x", i) + `":0,`)
	}
	r := read(b.String() + `"kxx":0}`)
	if r.skip(); !isFileError(r.end(), "stands twice") {
		t.Errorf("a key that stands twice among many: %v", r.err)
	}
}

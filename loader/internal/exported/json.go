package exported

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/octet-ml/octet/tensor"
)

// The limits of a JSON document, far above those of programs of any size that PyTorch exports.
const (
	maxJSONBytes  = 128 << 20
	maxJSONDepth  = 400     // a graph inside a graph is seven deep
	maxJSONValues = 1 << 23 // numbers, strings, lists and objects
	maxJSONNumber = 400     // characters
	maxJSONKey    = 4 << 10 // bytes
	internLength  = 96      // strings up to this length that are equal are kept once
)

// jsonReader reads one JSON document front to back, as its caller asks for values:
// nothing is kept but what the caller takes. It reads the numbers Infinity and NaN,
// bare and quoted, as PyTorch writes them, and integers exactly. After the first
// error, which names the place, all values are zero and lists and objects are empty.
type jsonReader struct {
	record  string
	text    string
	at      int
	path    []string
	depth   int
	values  int
	err     error
	skips   int // values being skipped, one inside the other
	trees   int // parts of a pytree
	interns map[string]string
}

func newJSONReader(record string, data []byte) *jsonReader {
	r := &jsonReader{record: record, text: string(data), interns: make(map[string]string)}
	switch {
	case len(data) > maxJSONBytes:
		r.fail("%d bytes of JSON, at most %d are read", len(data), maxJSONBytes)
	case strings.HasPrefix(r.text, "\ufeff"):
		r.fail("begins with a byte order mark, which JSON must not")
	case !utf8.ValidString(r.text):
		r.fail("not UTF-8")
	}
	return r
}

// again returns a reader of the same document, from its beginning.
func (r *jsonReader) again() *jsonReader {
	return &jsonReader{record: r.record, text: r.text, err: r.err, interns: make(map[string]string)}
}

// fail records an error with its place.
func (r *jsonReader) fail(format string, args ...any) {
	if r.err != nil {
		return
	}
	where := strings.Join(r.path, "")
	if len(where) > 200 {
		where = "..." + where[len(where)-200:]
	}
	reason := fmt.Sprintf(format, args...)
	if where != "" {
		reason = strings.TrimPrefix(where, ".") + ": " + reason
	}
	r.err = &tensor.FileError{Record: r.record, Reason: reason}
}

// end returns the first error; anything behind the document is one.
func (r *jsonReader) end() error {
	if r.peek(); r.err == nil && r.at < len(r.text) {
		r.fail("%d bytes follow after the JSON", len(r.text)-r.at)
	}
	return r.err
}

// peek returns the first character of the next value or sign, 0 at the end and after an error.
func (r *jsonReader) peek() byte {
	if r.err != nil {
		return 0
	}
	for r.at < len(r.text) {
		switch c := r.text[r.at]; c {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return c
		}
	}
	return 0
}

// expect reads a sign.
func (r *jsonReader) expect(c byte) bool {
	if r.peek() != c {
		r.unexpected(strconv.QuoteRune(rune(c)))
		return false
	}
	r.at++
	return true
}

func (r *jsonReader) unexpected(want string) {
	if r.err != nil {
		return
	}
	if r.peek() == 0 && r.at >= len(r.text) {
		r.fail("the JSON ends at byte %d where %s should be", r.at, want)
		return
	}
	c, _ := utf8.DecodeRuneInString(r.text[r.at:])
	r.fail("%q at byte %d where %s should be", c, r.at, want)
}

// count counts a value.
func (r *jsonReader) count() bool {
	if r.values++; r.values > maxJSONValues {
		r.fail("more than %d values", maxJSONValues)
	}
	return r.err == nil
}

func (r *jsonReader) enter() bool {
	if r.depth++; r.depth > maxJSONDepth {
		r.fail("nested more than %d deep", maxJSONDepth)
	}
	return r.count()
}

// object reads an object. f must read the value of each key.
func (r *jsonReader) object(f func(key string)) {
	if !r.expect('{') || !r.enter() {
		return
	}
	defer func() { r.depth-- }()
	var seen keys
	if r.peek() == '}' {
		r.at++
		return
	}
	for r.err == nil {
		key := r.str()
		if len(key) > maxJSONKey {
			r.fail("a key of %d bytes, at most %d are read", len(key), maxJSONKey)
		}
		if !r.expect(':') {
			return
		}
		if !seen.add(key) {
			r.fail("the key %q stands twice in one object", key)
			return
		}
		r.path = append(r.path, ".", key)
		f(key)
		if r.err == nil {
			r.path = r.path[:len(r.path)-2]
		}
		if r.peek() != ',' {
			r.expect('}')
			return
		}
		r.at++
	}
}

// keys are the keys of an object: few as a rule, many in some.
type keys struct {
	list []string
	set  map[string]bool
}

func (k *keys) add(key string) bool {
	if k.set != nil {
		if k.set[key] {
			return false
		}
		k.set[key] = true
		return true
	}
	if slices.Contains(k.list, key) {
		return false
	}
	if k.list = append(k.list, key); len(k.list) > 16 {
		k.set = make(map[string]bool)
		for _, s := range k.list {
			k.set[s] = true
		}
	}
	return true
}

// array reads a list. f must read each element.
func (r *jsonReader) array(f func(i int)) {
	if !r.expect('[') || !r.enter() {
		return
	}
	defer func() { r.depth-- }()
	if r.peek() == ']' {
		r.at++
		return
	}
	for i := 0; r.err == nil; i++ {
		r.path = append(r.path, "["+strconv.Itoa(i)+"]")
		f(i)
		if r.err == nil {
			r.path = r.path[:len(r.path)-1]
		}
		if r.peek() != ',' {
			r.expect(']')
			return
		}
		r.at++
	}
}

// one reads an object of exactly one member, as unions are written.
func (r *jsonReader) one(what string, f func(member string)) {
	n := 0
	r.object(func(key string) {
		if n++; n == 1 {
			f(key)
		} else {
			r.fail("%s of more than one kind", what)
		}
	})
	if n == 0 {
		r.fail("%s of no kind", what)
	}
}

// unknownMember refuses a member of a union that is not known: what it means cannot be left out.
func (r *jsonReader) unknownMember(what, member string) {
	r.fail("%s of kind %q is not read: it is newer than this version, or no part of the format", what, member)
}

// str reads a string.
func (r *jsonReader) str() string {
	if r.peek() != '"' {
		r.unexpected("a string")
		return ""
	}
	if !r.count() {
		return ""
	}
	r.at++
	rest := r.text[r.at:]
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			r.at += i + 1
			return r.intern(rest[:i])
		case c == '\\':
			return r.escaped(i)
		case c < ' ':
			r.at += i
			r.fail("a control character in a string at byte %d", r.at)
			return ""
		}
	}
	r.fail("a string has no end")
	return ""
}

func (r *jsonReader) intern(s string) string {
	if r.skips > 0 {
		return s // of the text, which is let go soon
	}
	if len(s) > internLength {
		return strings.Clone(s)
	}
	if have, ok := r.interns[s]; ok {
		return have
	}
	s = strings.Clone(s)
	r.interns[s] = s
	return s
}

// escaped reads the rest of a string whose first escape is plain bytes ahead.
func (r *jsonReader) escaped(plain int) string {
	var b strings.Builder
	b.WriteString(r.text[r.at : r.at+plain])
	r.at += plain
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch {
		case c == '"':
			return b.String()
		case c < ' ':
			r.fail("a control character in a string at byte %d", r.at-1)
			return ""
		case c != '\\':
			b.WriteByte(c)
		default:
			x, ok := r.escape()
			if !ok {
				r.fail("a wrong escape in a string at byte %d", r.at)
				return ""
			}
			b.WriteRune(x)
		}
	}
	r.fail("a string has no end")
	return ""
}

func (r *jsonReader) escape() (rune, bool) {
	if r.at >= len(r.text) {
		return 0, false
	}
	c := r.text[r.at]
	r.at++
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), true
	}
	if c != 'u' {
		return 0, false
	}
	x, ok := r.hex4()
	if !ok || !utf16.IsSurrogate(x) {
		return x, ok
	}
	if !strings.HasPrefix(r.text[r.at:], `\u`) {
		return 0, false
	}
	r.at += 2
	low, ok := r.hex4()
	x = utf16.DecodeRune(x, low)
	return x, ok && x != utf8.RuneError
}

func (r *jsonReader) hex4() (rune, bool) {
	if r.at+4 > len(r.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(r.text[r.at:r.at+4], 16, 16)
	r.at += 4
	return rune(n), err == nil
}

// word reads a bare word, if it is the next value.
func (r *jsonReader) word(w string) bool {
	if r.peek() != w[0] || !strings.HasPrefix(r.text[r.at:], w) || !r.count() {
		return false
	}
	r.at += len(w)
	return true
}

// null reads null, if it is the next value.
func (r *jsonReader) null() bool { return r.word("null") }

func (r *jsonReader) bool() bool {
	yes := r.word("true")
	if !yes && !r.word("false") {
		r.unexpected("true or false")
	}
	return yes
}

// number returns the text of a number.
func (r *jsonReader) number() string {
	r.peek()
	if r.err != nil || !r.count() {
		return ""
	}
	digits := func(i int) int {
		for i < len(r.text) && r.text[i] >= '0' && r.text[i] <= '9' {
			i++
		}
		return i
	}
	i := r.at
	if i < len(r.text) && r.text[i] == '-' {
		i++
	}
	whole := i
	i = digits(i)
	ok := i == whole+1 || i > whole && r.text[whole] != '0'
	if ok && i < len(r.text) && r.text[i] == '.' {
		end := digits(i + 1)
		ok, i = end > i+1, end
	}
	if ok && i < len(r.text) && (r.text[i] == 'e' || r.text[i] == 'E') {
		start := i + 1
		if start < len(r.text) && (r.text[start] == '+' || r.text[start] == '-') {
			start++
		}
		end := digits(start)
		ok, i = end > start, end
	}
	switch {
	case !ok:
		r.unexpected("a number")
		return ""
	case i-r.at > maxJSONNumber:
		r.fail("a number of %d characters", i-r.at)
		return ""
	}
	text := r.text[r.at:i]
	r.at = i
	return text
}

// int reads an integer of 64 bits.
func (r *jsonReader) int() int64 {
	text := r.number()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		r.fail("%s where an integer of 64 bits should be", text)
		return 0
	}
	return n
}

// clampedInt reads an integer, of which one beyond 64 bits is as good as the nearest.
func (r *jsonReader) clampedInt() int64 {
	text := r.number()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil && (strings.ContainsAny(text, ".eE") || text == "") {
		r.fail("%s where an integer should be", text)
		return 0
	}
	return n // ParseInt's nearest
}

// float reads a number, or one of Infinity, -Infinity and NaN, bare or quoted.
func (r *jsonReader) float() float64 {
	if r.peek() == '"' {
		switch s := r.str(); s {
		case "Infinity":
			return math.Inf(1)
		case "-Infinity":
			return math.Inf(-1)
		case "NaN":
			return math.NaN()
		default:
			r.fail("%q where a number should be", s)
			return 0
		}
	}
	switch {
	case r.word("Infinity"):
		return math.Inf(1)
	case r.word("-Infinity"):
		return math.Inf(-1)
	case r.word("NaN"):
		return math.NaN()
	}
	text := r.number()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(x, 0) {
		r.fail("%s where a number should be", text)
	}
	return x
}

// skip reads over a value.
func (r *jsonReader) skip() {
	r.skips++
	defer func() { r.skips-- }()
	switch c := r.peek(); c {
	case '{':
		r.object(func(string) { r.skip() })
	case '[':
		r.array(func(int) { r.skip() })
	case '"':
		r.str()
	case 't', 'f':
		r.bool()
	case 'n':
		if !r.null() {
			r.unexpected("a value")
		}
	default:
		r.float()
	}
}

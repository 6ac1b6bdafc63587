package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func anyGlobal(module, name string) error {
	if module == "forbidden" {
		return errors.New("not here")
	}
	return nil
}

func load(s string) (Value, error) {
	v, _, err := Load([]byte(s), Options{Global: anyGlobal})
	return v, err
}

// isError reports whether err is an *Error with the given reason.
func isError(err error, reason string) bool {
	var pe *Error
	return errors.As(err, &pe) && strings.Contains(err.Error(), reason)
}

const p2 = "\x80\x02"

func TestLoadValues(t *testing.T) {
	const long, minusLong = Long("0x1950a86a20f9469cfc6c"), Long("-0x10000000000000001")
	for _, c := range []struct {
		pickle string
		want   Value
	}{
		{"N", nil}, {"\x88", true}, {"\x89", false},
		{"K\x07", int64(7)}, {"M\x00\x01", int64(256)}, {"J\xff\xff\xff\xff", int64(-1)}, {"J\x00\x00\x00\x80", int64(-1 << 31)},
		{"\x8a\x01\xff", int64(-1)}, {"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80", int64(-1 << 63)},
		{"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", long},
		{"G\x3f\xf8\x00\x00\x00\x00\x00\x00", 1.5},
		{"X\x03\x00\x00\x00abc", "abc"}, {"X\x00\x00\x00\x00", ""}, {"\x8c\x02\xc3\xa9", "é"}, {"U\x01\xff", "\xff"},
		{"T\x01\x00\x00\x00a", "a"}, {"\x8d\x01\x00\x00\x00\x00\x00\x00\x00a", "a"},
		{"C\x02ab", Bytes("ab")}, {"B\x01\x00\x00\x00a", Bytes("a")}, {"\x8e\x01\x00\x00\x00\x00\x00\x00\x00a", Bytes("a")},
		{")", Tuple(nil)}, {"K\x01\x85", Tuple{int64(1)}}, {"K\x01N\x86", Tuple{int64(1), nil}}, {"NNN\x87", Tuple{nil, nil, nil}},
		{"(NNNNt", Tuple{nil, nil, nil, nil}}, {"(t", Tuple(nil)},
		{"]", &List{}}, {"]K\x01a", &List{[]Value{int64(1)}}}, {"](NNe", &List{[]Value{nil, nil}}},
		{"cfoo\nbar\n", &Class{"foo", "bar"}}, {"X\x03\x00\x00\x00fooX\x03\x00\x00\x00bar\x93", &Class{"foo", "bar"}},
		{"ccollections\nOrderedDict\n", &Class{"collections", "OrderedDict"}},
		{"cfoo\nbar\nK\x01\x85R", &Object{Class: &Class{"foo", "bar"}, Args: Tuple{int64(1)}}},
		{"cfoo\nbar\n)\x81K\x05b", &Object{Class: &Class{"foo", "bar"}, New: true, State: int64(5)}},
		{"cfoo\nbar\n)RK\x01a(K\x02K\x03e", &Object{Class: &Class{"foo", "bar"}, Items: []Value{int64(1), int64(2), int64(3)}}},
		{"\x8a\x00", int64(0)}, {"\x8b\x01\x00\x00\x00\xff", int64(-1)}, {"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\xff", int64(-1 << 63)},
		{"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\xfe", minusLong},
		{"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00", Long("0x8000000000000000")},
		{"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\xff", Long("-0x10000000000000000")},
		{"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\x7f\xff", Long("-0x8000000000000001")},
		{"\x8a\x0a\xff\xff\xff\xff\xff\xff\xff\x7f\x00\x00", int64(1<<63 - 1)},
		{"\x8f(K\x01K\x02\x90", &Object{Class: &Class{"builtins", "set"}, Items: []Value{int64(1), int64(2)}}},
		{"(K\x01\x91", &Object{Class: &Class{"builtins", "frozenset"}, Items: []Value{int64(1)}}},
		{"\x96\x01\x00\x00\x00\x00\x00\x00\x00a", Bytes("a")},
		{"cfoo\nbar\n)}\x92", &Object{Class: &Class{"foo", "bar"}, Keywords: &Dict{}, New: true}},
		{"K\x01\x85Q", &Persistent{Tuple{int64(1)}}},
		{"K\x01q\x05h\x05\x86", Tuple{int64(1), int64(1)}}, {"K\x01r\x00\x01\x00\x00j\x00\x01\x00\x00\x86", Tuple{int64(1), int64(1)}},
		{"K\x01\x94K\x02\x94h\x00h\x01\x86\x87", Tuple{int64(1), int64(2), Tuple{int64(1), int64(2)}}},
		{"\x95\x03\x00\x00\x00\x00\x00\x00\x00K\x01.", int64(1)}, {"\x95\x02\x00\x00\x00\x00\x00\x00\x00K\x01", int64(1)},
		{"\x95\x02\x00\x00\x00\x00\x00\x00\x00K\x01\x95\x02\x00\x00\x00\x00\x00\x00\x00\x85.", Tuple{int64(1)}},
	} {
		got, n, err := Load([]byte(p2+c.pickle+"..."), Options{Global: anyGlobal})
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: got %#v (%v), want %#v", c.pickle, got, err, c.want)
			continue
		}
		if want := len(p2+strings.TrimSuffix(c.pickle, ".")) + 1; n != want {
			t.Errorf("%q: took %d bytes, not %d", c.pickle, n, want)
		}
	}
}

func TestLoadDicts(t *testing.T) {
	v, err := load(p2 + "}(U\x01aK\x01K\x02K\x02U\x01aK\x03NK\x04\x88K\x05u.")
	d, ok := v.(*Dict)
	if err != nil || !ok || d.Len() != 4 || d.Ordered {
		t.Fatalf("got %#v, %v", v, err)
	}
	for i, want := range [][2]Value{{"a", int64(3)}, {int64(2), int64(2)}, {nil, int64(4)}, {true, int64(5)}} {
		key, value := d.At(i)
		got, ok := d.Get(want[0])
		if key != want[0] || value != want[1] || !ok || got != value {
			t.Errorf("entry %d is %v: %v, want %v", i, key, value, want)
		}
	}
	tuples, err := load(p2 + "}(K\x01\x85NC\x01aK\x02cfoo\nbar\nK\x03u.")
	if d, ok := tuples.(*Dict); err != nil || !ok || d.Len() != 3 {
		t.Errorf("keys that are tuples, bytes and classes: %#v, %v", tuples, err)
	} else if _, found := d.Get(Tuple{int64(1)}); found {
		t.Error("found a tuple, whose elements nothing compares")
	}
	if _, ok := d.Get("absent"); ok {
		t.Error("got a key that is absent")
	}
	v, err = load(p2 + "ccollections\nOrderedDict\n)R(U\x01bK\x01U\x01aK\x02u}U\x01mK\x09sb.")
	d, ok = v.(*Dict)
	if err != nil || !ok || !d.Ordered || d.Len() != 2 {
		t.Fatalf("got %#v, %v", v, err)
	}
	if k, _ := d.At(0); k != "b" {
		t.Errorf("first key is %v", k)
	}
	// As Python 2 pickles it: from a list of pairs.
	v, err = load(p2 + "ccollections\nOrderedDict\nq\x01]q\x02(]q\x03(U\x01bK\x01e]q\x04(U\x01aK\x02ee\x85Rq\x05}U\x01mh\x01]\x85Rsb.")
	d, ok = v.(*Dict)
	if err != nil || !ok || !d.Ordered || d.Len() != 2 {
		t.Fatalf("OrderedDict of Python 2: got %#v, %v", v, err)
	}
	if k, value := d.At(0); k != "b" || value != int64(1) {
		t.Errorf("first entry is %v: %v", k, value)
	}
	v, err = load(p2 + "cfoo\nbar\n)RU\x01aK\x02s.")
	o, ok := v.(*Object)
	if err != nil || !ok || o.Dict == nil || o.Dict.Len() != 1 {
		t.Fatalf("got %#v, %v", v, err)
	}
	v, err = load(p2 + "cfoo\nbar\n)Rq\x00h\x00\x86.")
	pair, ok := v.(Tuple)
	if err != nil || !ok || len(pair) != 2 || pair[0] != pair[1] {
		t.Errorf("an object twice became %#v, %v", v, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	deep := p2 + strings.Repeat("]", 600) + strings.Repeat("a", 599) + "."
	// Each list holds the one before twice: 2^40 values in 300 bytes.
	laughs := p2 + "]" + strings.Repeat("q\x00", 1)
	for i := range 40 {
		laughs += fmt.Sprintf("]q%c(h%ch%ce", i+1, i, i)
	}
	// gathered in one tuple, so that the stack ends with one value
	laughs = p2 + "(" + laughs[2:] + "t."
	for name, c := range map[string]struct{ pickle, reason string }{
		"protocol 0":                {"K\x01.", "does not begin with a protocol"},
		"protocol 1":                {"\x80\x01N.", "protocol 1"},
		"protocol 6":                {"\x80\x06N.", "protocol 6"},
		"protocol twice":            {p2 + p2 + "N.", "only one protocol number"},
		"no value":                  {p2 + ".", "0 values open"},
		"two values":                {p2 + "NN.", "2 values open"},
		"open mark":                 {p2 + "N(.", "1 marks"},
		"opcode 0":                  {p2 + "\x00", "opcode 0x00"},
		"opcode 255":                {p2 + "\xff.", "opcode 0xff"},
		"POP":                       {p2 + "NN0.", "opcode 0x30"},
		"INST":                      {p2 + "(ifoo\nbar\n.", "opcode 0x69"},
		"EXT1":                      {p2 + "\x82\x01.", "opcode 0x82"},
		"odd SETITEMS":              {p2 + "}(Nu.", "key that has no value"},
		"SETITEMS of a list":        {p2 + "](NNu.", "sets items of a list"},
		"SETITEMS without mark":     {p2 + "}NNu.", "needs a mark"},
		"SETITEM below mark":        {p2 + "}(NNs.", "needs a value"},
		"APPEND to a dict":          {p2 + "}Na.", "appends to a dict"},
		"APPEND alone":              {p2 + "Na.", "needs a value"},
		"unhashable list":           {p2 + "}]Ns.", "key of a dict is a list"},
		"huge long":                 {p2 + "\x8b\x01\x04\x00\x00" + strings.Repeat("1", 1025) + ".", "an integer of 1025 bytes"},
		"dict as key":               {p2 + "}}Ns.", "key of a dict is a dict"},
		"DUP":                       {p2 + "N2.", "opcode 0x32"},
		"out-of-band buffer":        {"\x80\x05\x97.", "opcode 0x97"},
		"GET far away":              {p2 + "Nj\xff\xff\xff\xff.", "entry 4294967295 of the memo"},
		"PUT far away":              {p2 + "Nr\xff\xff\xff\xff.", "far more than there can be"},
		"two PUTs of one value":     {p2 + "]q\x00q\x01h\x00h\x01\x87.", "two entries of the memo"},
		"list changed through memo": {p2 + "]q\x00(h\x00Na\x86.", "changes after it was used"},
		"set in itself":             {"\x80\x04\x8f\x94(h\x00\x90.", "contains itself"},
		"keywords of None":          {"\x80\x04cfoo\nbar\n)N\x92.", "makes an instance of a class of a tuple and None"},
		"GET unset":                 {p2 + "h\x00.", "entry 0 of the memo"},
		"PUT twice":                 {p2 + "Nq\x00q\x00.", "a second time"},
		"PUT of nothing":            {p2 + "q\x00N.", "needs a value"},
		"PUT below mark":            {p2 + "N(q\x00.", "needs a value"},
		"REDUCE of a string":        {p2 + "U\x01a)R.", "calls a string"},
		"REDUCE without tuple":      {p2 + "cfoo\nbar\n]R.", "with a list"},
		"NEWOBJ of None":            {p2 + "N)\x81.", "calls None"},
		"BUILD of a list":           {p2 + "]}b.", "sets the state of a list"},
		"BUILD twice":               {p2 + "cfoo\nbar\n)R}b}b.", "a second time"},
		"BUILD OrderedDict":         {p2 + "ccollections\nOrderedDict\n)RNb.", "attributes of an OrderedDict to None"},
		"BUILD with numbers":        {p2 + "ccollections\nOrderedDict\n)R}K\x01K\x01sb.", "without names"},
		"OrderedDict of numbers":    {p2 + "ccollections\nOrderedDict\nK\x01\x85R.", "OrderedDict from 1 arguments"},
		"OrderedDict of a number":   {p2 + "ccollections\nOrderedDict\n]K\x01a\x85R.", "from a list with the number 1"},
		"OrderedDict of triples":    {p2 + "ccollections\nOrderedDict\n]NNN\x87a\x85R.", "from a list with a tuple of 3"},
		"OrderedDict of lists":      {p2 + "ccollections\nOrderedDict\n]](]Nea\x85R.", "key of a dict is a list"},
		"OrderedDict in itself":     {p2 + "ccollections\nOrderedDict\n]q\x00\x85Rq\x01h\x00h\x01a\x86.", "contains itself"},
		"control characters":        {p2 + "c\x00ollections\nOrderedDict\n)R.", "control characters"},
		"new OrderedDict":           {p2 + "ccollections\nOrderedDict\n)\x81.", "OrderedDict"},
		"persistent string":         {p2 + "U\x01aQ.", "a persistent id is a string"},
		"forbidden global":          {p2 + "cforbidden\nbar\n.", "refers to forbidden.bar: not here"},
		"forbidden stack global":    {p2 + "U\x09forbiddenU\x03bar\x93.", "refers to forbidden.bar: not here"},
		"stack global of numbers":   {p2 + "NN\x93.", "named by None and None"},
		"empty global":              {p2 + "c\n\n.", "0 and 0 bytes"},
		"long global":               {p2 + "c" + strings.Repeat("a", 2000) + "\nb\n.", "longer than"},
		"list in itself":            {p2 + "]q\x00h\x00a.", "a list contains itself"},
		"dict in itself":            {p2 + "}q\x00U\x01ah\x00s.", "a dict contains itself"},
		"object in its state":       {p2 + "cfoo\nbar\n)Rq\x00]h\x00ab.", "contains itself"},
		"deep":                      {deep, "nest more than"},
		"deep tuples":               {p2 + "N" + strings.Repeat("\x85", 600) + ".", "nest more than"},
		"deep marks":                {p2 + strings.Repeat("(", 600) + ".", "marks open"},
		"billion laughs":            {laughs, "shared values"},
		"frame in a frame":          {p2 + "\x95\x20\x00\x00\x00\x00\x00\x00\x00\x95\x03\x00\x00\x00\x00\x00\x00\x00" + strings.Repeat("N", 40), "frame within a frame"},
		"opcode over frame":         {p2 + "\x95\x01\x00\x00\x00\x00\x00\x00\x00K\x01.", "past the end of its frame"},
		"global over frame":         {p2 + "\x95\x04\x00\x00\x00\x00\x00\x00\x00cfoo\nbar\n.", "past the end of its frame"},
		"end within a frame":        {p2 + "\x95\x03\x00\x00\x00\x00\x00\x00\x00N..", "ends before its frame"},
		"empty frame":               {p2 + "\x95\x00\x00\x00\x00\x00\x00\x00\x00N.", "a frame of 0"},
		"huge frame":                {p2 + "\x95\xff\xff\xff\xff\xff\xff\xff\x7fN.", "a frame of"},
		"huge string":               {p2 + "\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc.", "claims 18446744073709551615 bytes"},
		"negative string":           {p2 + "T\xff\xff\xff\xffabc.", "claims 4294967295 bytes"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, err := load(c.pickle)
		runtime.ReadMemStats(&after)
		if !isError(err, c.reason) {
			t.Errorf("%s: got %v, %v, want a rejection with %q", name, v, err, c.reason)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%s: allocated %d bytes for %d", name, grown, len(c.pickle))
		}
	}
}

func TestLoadLimits(t *testing.T) {
	limits := Limits{Bytes: 100, Values: 20, Containers: 5, Depth: 4}
	for name, c := range map[string]struct{ pickle, reason string }{
		"bytes":      {p2 + "X\x80\x00\x00\x00" + strings.Repeat("a", 128) + ".", "claims 128 bytes"},
		"more bytes": {p2 + "]" + strings.Repeat("\x95\x01\x00\x00\x00\x00\x00\x00\x00N\x95\x01\x00\x00\x00\x00\x00\x00\x00a", 9) + ".", "longer than the 100 bytes"},
		"values":     {p2 + strings.Repeat("N", 21) + ".", "more than 20 values"},
		"gets":       {p2 + "Nq\x00" + strings.Repeat("h\x00", 20) + ".", "more than 20 values"},
		"containers": {p2 + strings.Repeat("]", 6) + ".", "more than 5 containers"},
		"depth":      {p2 + "N\x85\x85\x85\x85.", "more than 4 deep"},
		"marks":      {p2 + "(((((.", "more than 4 marks"},
	} {
		if _, _, err := Load([]byte(c.pickle), Options{Limits: limits}); !isError(err, c.reason) {
			t.Errorf("%s: got %v, want a rejection with %q", name, err, c.reason)
		}
	}
	if v, _, err := Load([]byte(p2+"N\x85\x85\x85."), Options{Limits: limits}); err != nil {
		t.Errorf("3 nested tuples: %v, %v", v, err)
	}
	if _, _, err := Load([]byte(p2+"cfoo\nbar\n."), Options{}); !isError(err, "no names are allowed") {
		t.Errorf("a global without a rule for globals gives %v", err)
	}
}

// TestLoadDense: many values in few bytes are refused before they take memory.
func TestLoadDense(t *testing.T) {
	const n = 1 << 20
	for name, c := range map[string]struct{ pickle, reason string }{
		"lists":  {p2 + "]" + strings.Repeat("]a", n), "containers and objects"},
		"tuples": {p2 + "(" + strings.Repeat("(t", n), "containers and objects"},
		"dicts":  {p2 + "(" + strings.Repeat("}", n), "containers and objects"},
		"None":   {p2 + "(" + strings.Repeat("N", n), "values"},
		"memo":   {p2 + "]" + strings.Repeat("\x94", n), "entries in the memo"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := load(c.pickle)
		runtime.ReadMemStats(&after)
		if !isError(err, c.reason) {
			t.Errorf("%s: got %v, want a rejection with %q", name, err, c.reason)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
			t.Errorf("%s: allocated %d bytes", name, grown)
		}
	}
}

// TestLoadCall: what stands for a call holds nothing, and is shared as the call would be.
func TestLoadCall(t *testing.T) {
	type pair struct{ a, b int64 }
	opts := Options{Global: anyGlobal, Call: func(class *Class, args Tuple) Value {
		if !class.Is("foo", "pair") || len(args) != 2 {
			return nil
		}
		return &pair{args[0].(int64), args[1].(int64)}
	}}
	v, _, err := Load([]byte(p2+"cfoo\npair\nq\x00K\x01K\x02\x86Rq\x01h\x01h\x00)R\x87."), opts)
	items, ok := v.(Tuple)
	if err != nil || !ok || len(items) != 3 || items[0] != items[1] || !reflect.DeepEqual(items[0], &pair{1, 2}) {
		t.Errorf("got %#v, %v", v, err)
	} else if o, ok := items[2].(*Object); !ok || !o.Class.Is("foo", "pair") {
		t.Errorf("a call with other arguments is %#v", items[2])
	}
	for _, change := range []string{"Na", "NNs", "}b"} {
		if _, _, err := Load([]byte(p2+"cfoo\npair\nK\x01K\x02\x86R"+change+"."), opts); !isError(err, "pair") {
			t.Errorf("%q of it: %v", change, err)
		}
	}
}

// TestLoadHuge: nothing that a long pickle does takes time or memory beyond what its length allows.
func TestLoadHuge(t *testing.T) {
	const n = 1 << 20
	limits := Limits{Bytes: 64 << 20, Values: 4 << 20, Containers: 2 << 20}
	gets := strings.Builder{}
	for i := range n / 8 {
		gets.WriteString("Nr" + string(binary.LittleEndian.AppendUint32(nil, uint32(i))) + "j" + string(binary.LittleEndian.AppendUint32(nil, uint32(i))))
	}
	for name, c := range map[string]struct{ pickle, reason string }{
		"tuples in tuples": {p2 + "X\x00\x00\x40\x00" + strings.Repeat("a", 4<<20) + strings.Repeat("\x85", n) + ".", "nest more than"},
		"lists in lists":   {p2 + "X\x00\x00\x40\x00" + strings.Repeat("a", 4<<20) + strings.Repeat("]", n) + strings.Repeat("a", n) + ".", "nest more than"},
		"marks":            {p2 + strings.Repeat("(", n) + ".", "marks open"},
		"used entries":     {p2 + "(" + gets.String() + "t.", ""},
		"doubled tuples":   {p2 + "N" + strings.Repeat("q\x00h\x00\x86", 1) + strings.Repeat("\x94\x85", 300) + ".", ""},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := Load([]byte(c.pickle), Options{Global: anyGlobal, Limits: limits})
		runtime.ReadMemStats(&after)
		if c.reason == "" && err != nil || c.reason != "" && !isError(err, c.reason) {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 320<<20 {
			t.Errorf("%s: allocated %d bytes", name, grown)
		}
	}
}

// TestLoadTruncated cuts pickles at every byte: each is reported as too short,
// and only for that.
func TestLoadTruncated(t *testing.T) {
	for name, raw := range seeds(t) {
		_, n, err := Load(raw, Options{Global: anyGlobal})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for cut := range n {
			_, _, err := Load(raw[:cut], Options{Global: anyGlobal})
			var pe *Error
			if !errors.As(err, &pe) || !pe.Truncated {
				t.Fatalf("%s cut to %d of %d bytes: got %v", name, cut, n, err)
			}
		}
	}
}

// seeds returns the pickles of PyTorch in the loader's test data.
func seeds(t testing.TB) map[string][]byte {
	files, err := filepath.Glob("testdata/*.pkl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no pickles to test with: %v", err)
	}
	out := make(map[string][]byte)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = raw
	}
	return out
}

func FuzzLoad(f *testing.F) {
	for _, raw := range seeds(f) {
		f.Add(raw)
	}
	f.Add([]byte(p2 + "}(U\x01aK\x01K\x02K\x02u."))
	f.Add([]byte(p2 + "ccollections\nOrderedDict\n)R(U\x01bK\x01u}U\x01mK\x09sb."))
	f.Add(binary.LittleEndian.AppendUint64([]byte(p2+"\x95"), 3))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, n, err := Load(raw, Options{Global: anyGlobal, Limits: Limits{Values: 1 << 16, Containers: 1 << 12}})
		if err != nil {
			var pe *Error
			if !errors.As(err, &pe) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if n < 1 || n > len(raw) || raw[n-1] != opStop {
			t.Fatalf("took %d of %d bytes", n, len(raw))
		}
		if got := walk(v); got > float64(maxShared*(len(raw)+1<<10)) {
			t.Fatalf("%v values in %d bytes", got, len(raw))
		}
		again, _, err := Load(raw[:n], Options{Global: anyGlobal})
		if err != nil || Describe(again) != Describe(v) {
			t.Fatalf("a second time: %v", err)
		}
	})
}

// FuzzProgram makes pickles that are mostly well formed of its bytes, so that
// more of them get past the check.
func FuzzProgram(f *testing.F) {
	parts := []string{"N", "\x88", "K\x05", "G\x3f\xf8\x00\x00\x00\x00\x00\x00", "U\x01a", "U\x01b", "C\x01c", ")", "]", "}", "(", "t", "\x85",
		"\x86", "\x87", "a", "e", "s", "u", "R", "\x81", "b", "Q", "\x94", "h\x00", "h\x01", "h\x02", "cfoo\nbar\n",
		"ccollections\nOrderedDict\n", "U\x03foo\x94U\x03bar\x93", "\x8a\x09123456789", "ccollections\nOrderedDict\n)R",
		"ccollections\nOrderedDict\n]](U\x01ae", "cfoo\nbar\n)R", "cfoo\nbar\n)\x81", "q\x07", "h\x07", "\x95\x02\x00\x00\x00\x00\x00\x00\x00", ".",
		"}U\x01aNs", "](NNe", "(NU\x01at", "\x8f", "\x90", "\x91", "\x92"}
	f.Add([]byte{31, 10, 4, 2, 5, 3, 18, 38})
	f.Add([]byte{33, 9, 10, 4, 8, 5, 0, 18, 21, 38})
	f.Add([]byte{32, 0, 16, 15, 12, 19, 38})
	f.Fuzz(func(t *testing.T, program []byte) {
		raw := []byte(p2)
		for _, b := range program[:min(len(program), 200)] {
			raw = append(raw, parts[int(b)%len(parts)]...)
		}
		raw = append(raw, opStop)
		v, n, err := Load(raw, Options{Global: anyGlobal})
		var pe *Error
		if err != nil && !errors.As(err, &pe) {
			t.Fatalf("%q: %v", raw, err)
		}
		if err == nil && (n < 1 || n > len(raw)) {
			t.Fatalf("%q took %d bytes", raw, n)
		}
		if err == nil && walk(v) > float64(maxShared*(len(raw)+1<<10)) {
			t.Fatalf("%q has too many values", raw)
		}
	})
}

// walk counts the values of a tree.
func walk(v Value) float64 {
	n := 1.0
	var inner []Value
	switch v := v.(type) {
	case Tuple:
		inner = v
	case *List:
		inner = v.Items
	case *Persistent:
		inner = v.ID
	case *Object:
		inner = append(append([]Value{v.State}, v.Items...), v.Args...)
		if v.Dict != nil {
			inner = append(inner, v.Dict)
		}
	case *Dict:
		for i := range v.Len() {
			key, value := v.At(i)
			inner = append(inner, key, value)
		}
	}
	for _, i := range inner {
		n += walk(i)
	}
	return n
}

// TestDictBatches sets the items of a dict in batches of every size, some keys twice, as Python does: the first place and
// the last value count.
func TestDictBatches(t *testing.T) {
	keys := []string{"N", "\x88", "K\x01", "K\x02", "G?\xf8\x00\x00\x00\x00\x00\x00", "U\x01a", "U\x01b", "K\x03\x85"}
	for i := range 40 {
		keys = append(keys, fmt.Sprintf("U\x03k%02d", i), fmt.Sprintf("M%c\x01", i))
	}
	for batch := 1; batch <= 2*len(keys); batch++ {
		p := []byte("\x80\x02}")
		for i := range 2 * len(keys) {
			if i%batch == 0 {
				p = append(p, '(')
			}
			p = append(append(p, keys[i*7%len(keys)]...), 'K', byte(i))
			if (i+1)%batch == 0 || i+1 == 2*len(keys) {
				p = append(p, 'u')
			}
		}
		v, _, err := Load(append(p, '.'), Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := v.(*Dict)
		for i := range len(keys) + 1 { // the tuple is listed twice
			key, value := d.At(i)
			if _, isTuple := key.(Tuple); isTuple {
				continue
			} else if i == len(keys) {
				t.Fatalf("batches of %d: key %v after all others", batch, key)
			}
			if want := int64(i + len(keys)); value != want {
				t.Fatalf("batches of %d: key %v at %d has value %v, not %d", batch, key, i, value, want)
			}
			if found, ok := d.Get(key); !ok || found != value {
				t.Fatalf("batches of %d: Get(%v) = %v, %v", batch, key, found, ok)
			}
		}
		if d.Len() != len(keys)+1 {
			t.Fatalf("batches of %d: %d keys", batch, d.Len())
		}
	}
}

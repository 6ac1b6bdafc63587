package pickle

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"unicode"
)

const maxLong = 1 << 10 // bytes of an integer

// maxShared is how much larger than its pickle a value may become, counted in
// values, when what is shared is counted each time: walking it stays cheap.
const maxShared = 64

// machine runs the opcodes of a pickle whose arguments, frames and memo the scanner found in order.
//
// What is put into something else, or taken from the memo, does not change any more. So no value can come to contain
// itself, and how deep a value is and how large are known when it is put into another.
type machine struct {
	data    []byte
	opts    Options
	pos     int // of the opcode at hand
	stack   []entry
	marks   []int // heights of the stack
	memo    map[uint32]entry
	used    bits   // entries of the memo that are referred to: the others are not kept
	puts    uint32 // opcodes so far that set one
	classes map[string]*Class
	room    []Value         // for the values of small tuples, which are allocated together
	text    strings.Builder // for short strings, likewise
}

// entry is a value on the stack or in the memo.
type entry struct {
	v      Value
	size   float64 // values in it, shared ones counted each time: exact up to 2^53, and never wraps
	memo   uint32  // the entry of the memo that has the value too, where noted
	depth  int32   // of nesting
	noted  bool
	sealed bool // of the memo: was referred to; on the stack: comes from there
}

func newMachine(data []byte, opts Options, used bits) *machine {
	return &machine{data: data, opts: opts, used: used, memo: make(map[uint32]entry), classes: make(map[string]*Class)}
}

// run returns the value of the pickle.
func (m *machine) run() (Value, error) {
	for {
		op := m.data[m.pos]
		start, end := m.argument(op)
		if op == opStop {
			return m.result()
		}
		if err := m.step(op, m.data[start:end]); err != nil {
			return nil, err
		}
		m.pos = end
	}
}

// argument returns where the argument of the opcode at pos lies.
func (m *machine) argument(op byte) (start, end int) {
	start = m.pos + 1
	if op == opGlobal {
		end = start + bytes.IndexByte(m.data[start:], '\n') + 1
		return start, end + bytes.IndexByte(m.data[end:], '\n') + 1
	}
	o := &opcodes[op]
	end = start + int(o.n)
	if o.counted {
		return end, end + int(littleEndian(m.data[start:end]))
	}
	return start, end
}

func (m *machine) result() (Value, error) {
	if len(m.marks) > 0 || len(m.stack) != 1 {
		return nil, m.fail("ends with %d marks and %d values open, not with one value", len(m.marks), len(m.stack))
	}
	if size := m.stack[0].size; size > float64(maxShared*(len(m.data)+1<<10)) {
		return nil, m.fail("shared values make it %g times as large as its bytes", size/float64(len(m.data)))
	}
	return m.stack[0].v, nil
}

func (m *machine) fail(format string, args ...any) error { return failAt(m.pos, format, args...) }

// step runs an opcode.
func (m *machine) step(op byte, arg []byte) error {
	switch op {
	case opNone:
		return m.push(nil)
	case opNewTrue, opNewFalse:
		return m.push(op == opNewTrue)
	case opBinInt:
		return m.push(int64(int32(binary.LittleEndian.Uint32(arg))))
	case opBinInt1, opBinInt2:
		return m.push(int64(littleEndian(arg)))
	case opBinFloat:
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(arg)))
	case opLong1, opLong4:
		return m.long(arg)
	case opBinString, opShortBinString, opBinUnicode, opShortBinUnicode, opBinUnicode8:
		return m.push(m.stringOf(arg))
	case opBinBytes, opShortBinBytes, opBinBytes8, opByteArray8:
		return m.push(Bytes(bytes.Clone(arg)))
	case opEmptyTuple:
		return m.push(Tuple(nil))
	case opEmptyList:
		return m.push(&List{})
	case opEmptyDict:
		return m.push(&Dict{})
	case opEmptySet:
		return m.push(&Object{Class: m.class("builtins", "set")})
	case opBinPut, opLongBinPut:
		return m.put(uint32(littleEndian(arg)))
	case opMemoize:
		return m.put(m.puts)
	case opBinGet, opLongBinGet:
		return m.get(uint32(littleEndian(arg)))
	case opGlobal:
		module, name, _ := strings.Cut(strings.TrimSuffix(string(arg), "\n"), "\n")
		return m.global(module, name)
	case opMark:
		return m.mark()
	case opProto, opFrame: // the scanner has read them
		return nil
	}
	items, err := m.operands(opcodes[op].takes)
	if err != nil {
		return err
	}
	return m.combine(op, items)
}

// combine runs an opcode that takes items off the stack.
func (m *machine) combine(op byte, items []entry) error {
	switch op {
	case opTuple, opTuple1, opTuple2, opTuple3:
		return m.pushHolder(Tuple(m.valuesOf(items)), items)
	case opFrozenSet:
		return m.pushHolder(&Object{Class: m.class("builtins", "frozenset"), Items: m.valuesOf(items)}, items)
	case opAppend, opAppends, opAddItems:
		return m.append(items)
	case opSetItem, opSetItems:
		return m.setItems(items)
	case opStackGlobal:
		return m.stackGlobal(items)
	case opReduce, opNewObj:
		return m.call(items, op == opNewObj)
	case opNewObjEx:
		return m.newWithKeywords(items)
	case opBuild:
		return m.build(items)
	case opBinPersID:
		return m.persistent(items)
	}
	return nil
}

// mark notes how high the stack is.
func (m *machine) mark() error {
	if len(m.marks) >= m.opts.Limits.Depth {
		return m.fail("more than %d marks open", m.opts.Limits.Depth)
	}
	m.marks = append(m.marks, len(m.stack))
	return nil
}

// push pushes a value that holds no other.
// It is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func (m *machine) push(v Value) error {
	return m.add(entry{v: v, size: 1, depth: 1})
}

// add puts an entry on the stack. Where a pickle has all items of a large dict on it, it grows to millions: doubled, it is
// copied least often.
func (m *machine) add(e entry) error {
	if n := len(m.stack); n == cap(m.stack) {
		m.stack = slices.Grow(m.stack, max(n, 64))
	}
	m.stack = append(m.stack, e)
	return nil
}

// pushHolder pushes a new value that holds items.
func (m *machine) pushHolder(v Value, items []entry) error {
	e := entry{v: v, size: 1, depth: 1}
	if err := m.hold(&e, items); err != nil {
		return err
	}
	return m.add(e)
}

// hold counts items as parts of a value.
func (m *machine) hold(e *entry, items []entry) error {
	for i := range items {
		e.size += items[i].size
		e.depth = max(e.depth, items[i].depth+1)
	}
	if int(e.depth) > m.opts.Limits.Depth {
		return m.fail("values nest more than %d deep", m.opts.Limits.Depth)
	}
	return nil
}

// base is the height of the stack at the innermost mark, which no opcode but
// those that take the mark may look below.
func (m *machine) base() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

// operands takes n values off the stack. They stay valid until the next is pushed.
func (m *machine) operands(n int8) ([]entry, error) {
	from := len(m.stack) - int(n)
	if n == marked {
		if len(m.marks) == 0 {
			return nil, m.fail("needs a mark and none is open")
		}
		from = m.base()
		m.marks = m.marks[:len(m.marks)-1]
	} else if from < m.base() {
		return nil, m.fail("needs %d values and the stack has %d", n, len(m.stack)-m.base())
	}
	items := m.stack[from:]
	m.stack = m.stack[:from]
	return items, nil
}

// top returns the value on top of the stack.
func (m *machine) top() (*entry, error) {
	if len(m.stack) <= m.base() {
		return nil, m.fail("needs a value and the stack has none")
	}
	return &m.stack[len(m.stack)-1], nil
}

// changed returns the value on top of the stack, which items become a part of.
func (m *machine) changed(items []entry) (*entry, error) {
	to, err := m.top()
	if err != nil {
		return nil, err
	}
	if to.sealed || to.noted && m.memo[to.memo].sealed {
		return nil, m.fail("%s contains itself, or changes after it was used", kindOf(to.v))
	}
	if err := m.hold(to, items); err != nil {
		return nil, err
	}
	if to.noted {
		m.memo[to.memo] = *to
	}
	return to, nil
}

// put notes the value on top of the stack in the memo.
func (m *machine) put(at uint32) error {
	m.puts++
	top, err := m.top()
	switch {
	case err != nil:
		return err
	case top.noted:
		return m.fail("sets two entries of the memo to one value")
	case !m.used.has(at):
		return nil
	}
	if !top.sealed {
		top.memo, top.noted = at, true
	}
	m.memo[at] = *top
	return nil
}

func (m *machine) get(at uint32) error {
	e := m.memo[at]
	if !e.sealed {
		e.sealed = true
		m.memo[at] = e
	}
	e.noted = false
	return m.add(e)
}

// How many values have their memory together: most tuples of a state_dict are the arguments of calls, and end with them.
const roomForValues = 64

func (m *machine) valuesOf(items []entry) []Value {
	n := len(items)
	if n == 0 {
		return nil
	}
	if n > len(m.room) {
		m.room = make([]Value, max(n, roomForValues))
	}
	values := m.room[:n:n]
	m.room = m.room[n:]
	for i := range items {
		values[i] = items[i].v
	}
	return values
}

// How long a string may be that has its memory with others, and how much memory that is.
const (
	shortString   = 256
	roomForString = 16 << 10
)

func (m *machine) stringOf(arg []byte) string {
	if len(arg) > shortString {
		return string(arg)
	}
	if m.text.Cap()-m.text.Len() < len(arg) {
		m.text = strings.Builder{}
		m.text.Grow(roomForString)
	}
	start := m.text.Len()
	m.text.Write(arg)
	return m.text.String()[start:]
}

// long pushes an integer in two's complement.
func (m *machine) long(arg []byte) error {
	if len(arg) > maxLong {
		return m.fail("an integer of %d bytes", len(arg))
	}
	// Bytes that only repeat the sign.
	for n := len(arg); n > 8 && (arg[n-1] == 0 && arg[n-2] < 0x80 || arg[n-1] == 0xff && arg[n-2] >= 0x80); n = len(arg) {
		arg = arg[:n-1]
	}
	if len(arg) <= 8 {
		v := littleEndian(arg)
		shift := 64 - 8*uint(len(arg))
		return m.push(int64(v<<shift) >> shift)
	}
	return m.push(longOf(arg))
}

// longOf writes an integer in two's complement, of more than eight bytes.
func longOf(arg []byte) Long {
	magnitude, sign := slices.Clone(arg), ""
	if arg[len(arg)-1] >= 0x80 {
		sign = "-"
		carry := byte(1)
		for i, b := range arg {
			magnitude[i] = ^b + carry
			if magnitude[i] != 0 {
				carry = 0
			}
		}
	}
	slices.Reverse(magnitude)
	return Long(sign + "0x" + strings.TrimLeft(hex.EncodeToString(magnitude), "0"))
}

func (m *machine) append(items []entry) error {
	to, err := m.changed(items)
	if err != nil {
		return err
	}
	var into *[]Value
	switch v := to.v.(type) {
	case *List:
		into = &v.Items
	case *Object:
		into = &v.Items
	default:
		return m.fail("appends to %s", kindOf(to.v))
	}
	for i := range items {
		*into = append(*into, items[i].v)
	}
	return nil
}

func (m *machine) setItems(items []entry) error {
	to, err := m.changed(items)
	if err != nil {
		return err
	}
	var into *Dict
	switch v := to.v.(type) {
	case *Dict:
		into = v
	case *Object:
		if v.Dict == nil {
			v.Dict = &Dict{}
		}
		into = v.Dict
	default:
		return m.fail("sets items of %s", kindOf(to.v))
	}
	if len(items)%2 != 0 {
		return m.fail("sets items with a key that has no value")
	}
	into.reserve(len(items) / 2)
	for i := 0; i < len(items); i += 2 {
		if !into.set(items[i].v, items[i+1].v) {
			return m.fail("the key of a dict is %s", kindOf(items[i].v))
		}
	}
	return nil
}

// class returns the one class of a name.
func (m *machine) class(module, name string) *Class {
	full := module + "\n" + name
	c := m.classes[full]
	if c == nil {
		c = &Class{module, name}
		m.classes[full] = c
	}
	return c
}

func (m *machine) global(module, name string) error {
	if c := m.classes[module+"\n"+name]; c != nil {
		return m.push(c)
	}
	if len(module) > maxGlobal || len(name) > maxGlobal || module == "" || name == "" {
		return m.fail("a global's name has %d and %d bytes", len(module), len(name))
	}
	if strings.ContainsFunc(module+name, unicode.IsControl) {
		return m.fail("a global's name has control characters")
	}
	if err := m.opts.Global(module, name); err != nil {
		return &Error{Offset: m.pos, Reason: "refers to " + module + "." + name, Err: err}
	}
	return m.push(m.class(module, name))
}

func (m *machine) stackGlobal(items []entry) error {
	module, ok1 := items[0].v.(string)
	name, ok2 := items[1].v.(string)
	if !ok1 || !ok2 {
		return m.fail("a global is named by %s and %s, not by two strings", kindOf(items[0].v), kindOf(items[1].v))
	}
	return m.global(module, name)
}

func (m *machine) persistent(items []entry) error {
	id, ok := items[0].v.(Tuple)
	if !ok {
		return m.fail("a persistent id is %s, not a tuple", kindOf(items[0].v))
	}
	return m.pushHolder(&Persistent{id}, items)
}

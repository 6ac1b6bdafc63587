package pickle

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Limits bound what a pickle may hold. A small pickle can ask for many objects,
// each of which takes some hundred bytes while it is decoded.
type Limits struct {
	Bytes      int // of the pickle
	Values     int // of any kind, also those of the memo
	Containers int // tuples, lists, dicts, classes, objects
	Depth      int // of nesting
}

// defaultLimits let through state_dicts of some ten thousand tensors.
var defaultLimits = Limits{Bytes: 64 << 20, Values: 2 << 20, Containers: 256 << 10, Depth: 500}

// How many bytes PyTorch spends, at the least, on a value, on a container and on
// an entry of the memo. What has more of them per byte, beyond a small number, is
// made to take memory.
const (
	bytesPerValue     = 2
	bytesPerContainer = 4
	bytesPerMemo      = 4
	freeOfBytes       = 1 << 10
)

const (
	maxGlobal = 512 // bytes of a module or class name
	maxLong   = 16  // bytes of an integer
)

// node is a value as the pass sees it. Values that hold nothing share one node
// for each kind.
type node struct {
	kind  kind
	built bool    // a state was set
	keyed bool    // all keys of a dict are strings
	start int32   // of the opcode, or of a string's bytes
	end   int32   // of a string's bytes
	class int32   // index of a class
	items []int32 // what a container holds
}

// pass interprets a pickle on kinds of values.
type pass struct {
	data         []byte
	global       func(module, name string) error
	limits       Limits
	pos          int // of the opcode at hand
	frameEnd     int // 0 outside of frames
	nodes        nodeList
	classes      []Class
	values       int // pushed so far
	containers   int
	stack        []int32
	marks        []int // heights of the stack
	memo         memo
	numbered     bool // the memo is set by opcodes that do not say which entry
	framed       bool
	orderedDicts []int // where GLOBAL names OrderedDict
	bareAllowed  bool
	inserts      []insert // in order: a tuple around the bare argument of a call, bytes of wide integers
	widened      []int    // where integers start that gopickle would cut to an int
}

func newPass(data []byte, global func(module, name string) error, limits Limits) *pass {
	p := &pass{data: data, global: global, limits: limits}
	for k := range kindString {
		p.nodes.add(node{kind: k})
	}
	return p
}

// check runs the pass over the pickle at the beginning of data and returns the
// bytes it takes.
func (p *pass) check() (n int, err error) {
	data, limits := p.data, p.limits
	if len(data) > 0 && data[0] != opProto {
		return 0, p.fail("does not begin with a protocol number: not a pickle of protocol 2 or later")
	}
	for next := 0; ; {
		p.pos = next
		if next >= limits.Bytes {
			return 0, p.fail("longer than the %d bytes that are read", limits.Bytes)
		}
		if p.frameEnd != 0 && p.pos == p.frameEnd {
			p.frameEnd = 0
		}
		op, start, end, err := p.fetch()
		if err != nil {
			return 0, err
		}
		if op == opStop {
			if len(p.marks) > 0 || len(p.stack) != 1 {
				return 0, p.fail("ends with %d marks and %d values open, not with one value", len(p.marks), len(p.stack))
			}
			if p.frameEnd != 0 && p.frameEnd != end {
				return 0, p.fail("ends before its frame does")
			}
			return end, p.checkGraph(p.stack[0])
		}
		if err := p.step(op, start, end); err != nil {
			return 0, err
		}
		next = end
	}
}

func (p *pass) fail(format string, args ...any) error {
	return &Error{Offset: p.pos, Reason: fmt.Sprintf(format, args...)}
}

func (p *pass) truncated() error {
	if p.frameEnd != 0 {
		return p.fail("opcode reaches past the end of its frame")
	}
	return &Error{Offset: p.pos, Reason: "the bytes end within the pickle", Truncated: true}
}

// fetch reads the opcode at pos and returns where its argument lies: of counted
// ones, the bytes after the count. It reads nothing past the bytes or the frame.
func (p *pass) fetch() (op byte, start, end int, err error) {
	rest := p.data[p.pos:]
	if p.frameEnd != 0 {
		rest = p.data[p.pos:p.frameEnd]
	}
	if len(rest) == 0 {
		return 0, 0, 0, p.truncated()
	}
	op = rest[0]
	w, ok := argWidths[op]
	if !ok {
		return 0, 0, 0, p.fail("opcode %#02x is not one PyTorch writes", op)
	}
	if op == opGlobal {
		n, err := p.lines(rest[1:])
		return op, p.pos + 1, p.pos + 1 + n, err
	}
	if len(rest) < 1+w.n {
		return 0, 0, 0, p.truncated()
	}
	start = p.pos + 1 + w.n
	if !w.counted {
		return op, p.pos + 1, start, nil
	}
	n := littleEndian(rest[1 : 1+w.n])
	if n > uint64(p.limits.Bytes) {
		return 0, 0, 0, p.fail("claims %d bytes", n)
	}
	if uint64(len(rest)-1-w.n) < n {
		return 0, 0, 0, p.truncated()
	}
	return op, start, start + int(n), nil
}

// lines returns the length of the two lines that name a global.
func (p *pass) lines(rest []byte) (int, error) {
	n := 0
	for range 2 {
		i := bytes.IndexByte(rest[n:min(len(rest), n+maxGlobal+1)], '\n')
		if i < 0 && len(rest)-n > maxGlobal {
			return 0, p.fail("a global's name is longer than %d bytes", maxGlobal)
		}
		if i < 0 {
			return 0, p.truncated()
		}
		n += i + 1
	}
	return n, nil
}

func littleEndian(b []byte) (v uint64) {
	for i, c := range b {
		v |= uint64(c) << (8 * i)
	}
	return v
}

// step interprets one opcode, whose argument is data[start:end].
func (p *pass) step(op byte, start, end int) error {
	arg := p.data[start:end]
	switch op {
	case opProto:
		if p.pos != 0 || arg[0] < 2 || arg[0] > 5 {
			return p.fail("protocol %d: only one protocol number from 2 to 5 may stand, at the beginning", arg[0])
		}
		return nil
	case opFrame:
		n := littleEndian(arg)
		if p.frameEnd != 0 {
			return p.fail("a frame within a frame")
		}
		if n == 0 || n > uint64(p.limits.Bytes) {
			return p.fail("a frame of %d bytes", n)
		}
		if n > uint64(len(p.data)-end) {
			return p.truncated()
		}
		p.frameEnd, p.framed = end+int(n), true
		return nil
	case opMark:
		if len(p.marks) >= p.limits.Depth {
			return p.fail("more than %d marks open", p.limits.Depth)
		}
		p.marks = append(p.marks, len(p.stack))
		return nil
	case opNone:
		return p.pushLeaf(kindNone)
	case opNewTrue, opNewFalse:
		return p.pushLeaf(kindBool)
	case opBinInt, opBinInt1, opBinInt2:
		return p.pushLeaf(kindInt)
	case opLong1:
		if len(arg) == 0 || len(arg) > maxLong {
			return p.fail("an integer of %d bytes", len(arg))
		}
		if len(arg) > 8 {
			return p.pushLeaf(kindLong)
		}
		if len(arg) > strconv.IntSize/8 {
			p.widened = append(p.widened, start)
			p.inserts = append(p.inserts, insert{end, signBytes(arg)})
		}
		return p.pushLeaf(kindInt)
	case opBinFloat:
		return p.pushLeaf(kindFloat)
	case opBinString, opShortBinString, opBinUnicode, opShortBinUnicode, opBinUnicode8:
		return p.push(node{kind: kindString, start: int32(start), end: int32(end)})
	case opBinBytes, opShortBinBytes, opBinBytes8:
		return p.pushLeaf(kindBytes)
	case opEmptyTuple:
		return p.push(node{kind: kindTuple})
	case opEmptyList:
		return p.push(node{kind: kindList})
	case opEmptyDict:
		return p.push(node{kind: kindDict, keyed: true})
	case opTuple1, opTuple2, opTuple3:
		items, err := p.pop(int(op) - opTuple1 + 1)
		if err != nil {
			return err
		}
		return p.push(node{kind: kindTuple, items: items})
	case opTuple:
		items, err := p.popMark()
		if err != nil {
			return err
		}
		return p.push(node{kind: kindTuple, items: items})
	case opAppend:
		items, err := p.pop(1)
		if err != nil {
			return err
		}
		return p.append(items)
	case opAppends:
		items, err := p.popMark()
		if err != nil {
			return err
		}
		return p.append(items)
	case opSetItem:
		items, err := p.pop(2)
		if err != nil {
			return err
		}
		return p.setItems(items)
	case opSetItems:
		items, err := p.popMark()
		if err != nil {
			return err
		}
		return p.setItems(items)
	case opBinPut, opLongBinPut:
		return p.put(uint32(littleEndian(arg)))
	case opMemoize:
		p.numbered = true
		return p.put(uint32(p.memo.count))
	case opBinGet, opLongBinGet:
		id, ok := p.memo.use(uint32(littleEndian(arg)))
		if !ok {
			return p.fail("refers to entry %d of the memo, which is not set", littleEndian(arg))
		}
		return p.pushID(id)
	case opGlobal:
		module, name, _ := bytes.Cut(bytes.TrimSuffix(arg, []byte{'\n'}), []byte{'\n'})
		if isOrderedDict(string(module), string(name)) {
			p.orderedDicts = append(p.orderedDicts, p.pos)
		}
		return p.pushClass(string(module), string(name))
	case opStackGlobal:
		return p.stackGlobal()
	case opReduce:
		return p.reduce(false)
	case opNewObj:
		return p.reduce(true)
	case opBuild:
		return p.build()
	case opBinPersID:
		id, err := p.pop(1)
		if err != nil {
			return err
		}
		if k := p.nodes.at(id[0]).kind; k != kindTuple {
			return p.fail("a persistent id is %v, not a tuple", k)
		}
		return p.push(node{kind: kindPersistent, items: id})
	}
	return p.fail("opcode %#02x is not one PyTorch writes", op)
}

// push makes a node and pushes it.
func (p *pass) push(n node) error {
	if n.kind != kindString {
		n.start = int32(p.pos)
		if p.containers++; p.containers > p.allowed(p.limits.Containers, bytesPerContainer) {
			return p.fail("more than %d containers and objects", p.containers-1)
		}
	}
	return p.pushID(p.nodes.add(n))
}

// pushLeaf pushes the node of a kind that holds nothing.
func (p *pass) pushLeaf(k kind) error { return p.pushID(int32(k)) }

func (p *pass) pushID(id int32) error {
	if p.values++; p.values > p.allowed(p.limits.Values, bytesPerValue) {
		return p.fail("more than %d values", p.values-1)
	}
	p.stack = append(p.stack, id)
	return nil
}

// allowed is the limit that holds at pos.
func (p *pass) allowed(limit, bytesPer int) int { return min(limit, freeOfBytes+p.pos/bytesPer) }

// base is the height of the stack at the innermost mark, which no opcode but
// those that take the mark may look below.
func (p *pass) base() int {
	if len(p.marks) == 0 {
		return 0
	}
	return p.marks[len(p.marks)-1]
}

func (p *pass) pop(n int) ([]int32, error) {
	if len(p.stack)-p.base() < n {
		return nil, p.fail("needs %d values and the stack has %d", n, len(p.stack)-p.base())
	}
	items := slices.Clone(p.stack[len(p.stack)-n:])
	p.stack = p.stack[:len(p.stack)-n]
	return items, nil
}

func (p *pass) popMark() ([]int32, error) {
	if len(p.marks) == 0 {
		return nil, p.fail("needs a mark and none is open")
	}
	items := slices.Clone(p.stack[p.base():])
	p.stack = p.stack[:p.base()]
	p.marks = p.marks[:len(p.marks)-1]
	return items, nil
}

// top returns the value on top of the stack.
func (p *pass) top() (*node, error) {
	if len(p.stack) <= p.base() {
		return nil, p.fail("needs a value and the stack has none")
	}
	return p.nodes.at(p.stack[len(p.stack)-1]), nil
}

func (p *pass) put(at uint32) error {
	if _, err := p.top(); err != nil {
		return err
	}
	if _, taken := p.memo.get(at); taken {
		return p.fail("sets entry %d of the memo a second time", at)
	}
	if p.memo.count >= p.allowed(p.limits.Values, bytesPerMemo) {
		return p.fail("more than %d entries in the memo", p.memo.count)
	}
	p.memo.set(at, memoEntry{p.stack[len(p.stack)-1], int32(p.pos)})
	return nil
}

func (p *pass) append(items []int32) error {
	to, err := p.top()
	if err != nil {
		return err
	}
	if to.kind != kindList && to.kind != kindObject {
		return p.fail("appends to %v", to.kind)
	}
	to.items = append(to.items, items...)
	return nil
}

func (p *pass) setItems(items []int32) error {
	to, err := p.top()
	if err != nil {
		return err
	}
	if to.kind != kindDict && to.kind != kindOrderedDict && to.kind != kindObject {
		return p.fail("sets items of %v", to.kind)
	}
	if len(items)%2 != 0 {
		return p.fail("sets items with a key that has no value")
	}
	for i := 0; i < len(items); i += 2 {
		key := p.nodes.at(items[i]).kind
		if !key.isKey() {
			return p.fail("the key of a dict is %v", key)
		}
		to.keyed = to.keyed && key == kindString
	}
	to.items = append(to.items, items...)
	return nil
}

func (p *pass) pushClass(module, name string) error {
	if len(module) > maxGlobal || len(name) > maxGlobal || module == "" || name == "" {
		return p.fail("a global's name has %d and %d bytes", len(module), len(name))
	}
	if strings.ContainsFunc(module+name, unicode.IsControl) {
		return p.fail("a global's name has control characters")
	}
	if err := p.global(module, name); err != nil {
		return &Error{Offset: p.pos, Reason: "refers to " + module + "." + name, Err: err}
	}
	// gopickle knows some classes itself and gives them behaviour. Of these only
	// OrderedDict is one that checkpoints need.
	if taken := gopickleClasses[module+"."+name]; taken && !isOrderedDict(module, name) {
		return p.fail("refers to %s.%s, which checkpoints do not need", module, name)
	}
	p.classes = append(p.classes, Class{module, name})
	return p.push(node{kind: kindClass, class: int32(len(p.classes) - 1)})
}

var gopickleClasses = map[string]bool{
	"collections.OrderedDict": true, "builtins.list": true, "builtins.dict": true, "__builtin__.object": true,
	"array._array_reconstructor": true, "copy_reg._reconstructor": true,
}

func isOrderedDict(module, name string) bool { return module == "collections" && name == "OrderedDict" }

func (p *pass) stackGlobal() error {
	ids, err := p.pop(2)
	if err != nil {
		return err
	}
	module, name := p.nodes.at(ids[0]), p.nodes.at(ids[1])
	if module.kind != kindString || name.kind != kindString {
		return p.fail("a global is named by %v and %v, not by two strings", module.kind, name.kind)
	}
	return p.pushClass(string(p.data[module.start:module.end]), string(p.data[name.start:name.end]))
}

// reduce is the call of a class or function with a tuple of arguments, or, with
// isNew, making an instance without initialising it.
func (p *pass) reduce(isNew bool) error {
	ids, err := p.pop(2)
	if err != nil {
		return err
	}
	if k := p.nodes.at(ids[1]).kind; k != kindTuple && !isNew && p.bareAllowed && p.frameEnd == 0 {
		p.inserts = append(p.inserts, insert{p.pos, []byte{opTuple1}})
		if err := p.push(node{kind: kindTuple, items: []int32{ids[1]}}); err != nil {
			return err
		}
		tuple, err := p.pop(1)
		if err != nil {
			return err
		}
		ids[1] = tuple[0]
	}
	class, args := p.nodes.at(ids[0]), p.nodes.at(ids[1])
	if class.kind != kindClass || args.kind != kindTuple {
		return p.fail("calls %v with %v, not a class with a tuple", class.kind, args.kind)
	}
	if c := p.classes[class.class]; !isOrderedDict(c.Module, c.Name) {
		return p.push(node{kind: kindObject, items: ids})
	}
	switch {
	case isNew:
		return p.fail("makes an OrderedDict without initialising it")
	case len(args.items) == 1 && p.nodes.at(args.items[0]).kind == kindList:
		// Python 2 pickles the items as a list of pairs; the converter looks at them.
		return p.push(node{kind: kindOrderedDict, keyed: true, items: ids})
	case len(args.items) != 0:
		return p.fail("makes an OrderedDict from %d arguments", len(args.items))
	}
	return p.push(node{kind: kindOrderedDict, keyed: true})
}

// build sets the state of an object.
func (p *pass) build() error {
	ids, err := p.pop(1)
	if err != nil {
		return err
	}
	to, err := p.top()
	if err != nil {
		return err
	}
	state := p.nodes.at(ids[0])
	switch {
	case to.built:
		return p.fail("sets the state of an object a second time")
	case to.kind == kindObject:
	case to.kind == kindOrderedDict:
		if state.kind != kindDict || !state.keyed {
			return p.fail("sets the attributes of an OrderedDict to %v without names", state.kind)
		}
	default:
		return p.fail("sets the state of %v", to.kind)
	}
	to.built = true
	to.items = append(to.items, ids...)
	return nil
}

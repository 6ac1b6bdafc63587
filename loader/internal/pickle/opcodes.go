package pickle

// The opcodes that PyTorch's picklers write, in Python with protocols 2 to 5 and
// in C++. All others are refused.
const (
	opMark            = '('
	opStop            = '.'
	opBinFloat        = 'G'
	opBinInt          = 'J'
	opBinInt1         = 'K'
	opBinInt2         = 'M'
	opNone            = 'N'
	opBinPersID       = 'Q'
	opReduce          = 'R'
	opBinString       = 'T'
	opShortBinString  = 'U'
	opBinUnicode      = 'X'
	opBinBytes        = 'B'
	opShortBinBytes   = 'C'
	opEmptyList       = ']'
	opAppend          = 'a'
	opBuild           = 'b'
	opGlobal          = 'c'
	opAppends         = 'e'
	opBinGet          = 'h'
	opLongBinGet      = 'j'
	opBinPut          = 'q'
	opLongBinPut      = 'r'
	opSetItem         = 's'
	opTuple           = 't'
	opEmptyTuple      = ')'
	opSetItems        = 'u'
	opEmptyDict       = '}'
	opProto           = 0x80
	opNewObj          = 0x81
	opTuple1          = 0x85
	opTuple2          = 0x86
	opTuple3          = 0x87
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opLong1           = 0x8a
	opLong4           = 0x8b
	opShortBinUnicode = 0x8c
	opBinUnicode8     = 0x8d
	opBinBytes8       = 0x8e
	opEmptySet        = 0x8f
	opAddItems        = 0x90
	opFrozenSet       = 0x91
	opNewObjEx        = 0x92
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95
	opByteArray8      = 0x96
)

// opcode says how an opcode's argument is laid out, n bytes, or a length of n bytes and as many bytes after it; how many
// values it takes off the stack; and what it pushes.
type opcode struct {
	n       uint8
	counted bool
	takes   int8
	makes   makes
}

// marked is the takes of an opcode that takes all values down to the innermost mark.
const marked = -1

// makes is what an opcode pushes.
type makes uint8

const (
	unknown   makes = iota // the opcode is not read
	nothing                // though it may change the value on top of the stack
	leaf                   // a value that holds no others, or one of the memo
	container              // a tuple, list, dict, class or object
)

// opcodes are those that are read. The two lines of opGlobal are handled apart.
var opcodes = [256]opcode{
	opStop: {makes: nothing}, opMark: {makes: nothing}, opMemoize: {makes: nothing},
	opProto: {n: 1, makes: nothing}, opFrame: {n: 8, makes: nothing}, opBinPut: {n: 1, makes: nothing}, opLongBinPut: {n: 4, makes: nothing},

	opNone: {makes: leaf}, opNewTrue: {makes: leaf}, opNewFalse: {makes: leaf},
	opBinInt1: {n: 1, makes: leaf}, opBinInt2: {n: 2, makes: leaf}, opBinInt: {n: 4, makes: leaf}, opBinFloat: {n: 8, makes: leaf},
	opBinGet: {n: 1, makes: leaf}, opLongBinGet: {n: 4, makes: leaf},
	opLong1: {n: 1, counted: true, makes: leaf}, opLong4: {n: 4, counted: true, makes: leaf},
	opShortBinString: {n: 1, counted: true, makes: leaf}, opBinString: {n: 4, counted: true, makes: leaf},
	opShortBinUnicode: {n: 1, counted: true, makes: leaf}, opBinUnicode: {n: 4, counted: true, makes: leaf},
	opBinUnicode8: {n: 8, counted: true, makes: leaf}, opShortBinBytes: {n: 1, counted: true, makes: leaf},
	opBinBytes: {n: 4, counted: true, makes: leaf}, opBinBytes8: {n: 8, counted: true, makes: leaf},
	opByteArray8: {n: 8, counted: true, makes: leaf},

	opEmptyTuple: {makes: container}, opTuple1: {takes: 1, makes: container}, opTuple2: {takes: 2, makes: container},
	opTuple3: {takes: 3, makes: container}, opTuple: {takes: marked, makes: container},
	opEmptyList: {makes: container}, opAppend: {takes: 1, makes: nothing}, opAppends: {takes: marked, makes: nothing},
	opEmptyDict: {makes: container}, opSetItem: {takes: 2, makes: nothing}, opSetItems: {takes: marked, makes: nothing},
	opEmptySet: {makes: container}, opAddItems: {takes: marked, makes: nothing}, opFrozenSet: {takes: marked, makes: container},
	opGlobal: {makes: container}, opStackGlobal: {takes: 2, makes: container}, opBinPersID: {takes: 1, makes: container},
	opReduce: {takes: 2, makes: container}, opNewObj: {takes: 2, makes: container}, opNewObjEx: {takes: 3, makes: container},
	opBuild: {takes: 1, makes: nothing},
}

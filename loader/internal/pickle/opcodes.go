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
	opShortBinUnicode = 0x8c
	opBinUnicode8     = 0x8d
	opBinBytes8       = 0x8e
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95
)

// argWidth says how an opcode's argument is laid out: n bytes, or a length of n
// bytes and as many bytes after it.
type argWidth struct {
	n       int
	counted bool
}

var argWidths = map[byte]argWidth{
	opMark: {}, opStop: {}, opNone: {}, opBinPersID: {}, opReduce: {}, opEmptyList: {}, opAppend: {}, opBuild: {},
	opAppends: {}, opSetItem: {}, opTuple: {}, opEmptyTuple: {}, opSetItems: {}, opEmptyDict: {}, opNewObj: {},
	opTuple1: {}, opTuple2: {}, opTuple3: {}, opNewTrue: {}, opNewFalse: {}, opStackGlobal: {}, opMemoize: {},
	opGlobal: {}, // two lines, handled apart
	opProto:  {n: 1}, opBinInt1: {n: 1}, opBinInt2: {n: 2}, opBinInt: {n: 4}, opBinFloat: {n: 8}, opFrame: {n: 8},
	opBinGet: {n: 1}, opLongBinGet: {n: 4}, opBinPut: {n: 1}, opLongBinPut: {n: 4},
	opLong1: {1, true}, opShortBinString: {1, true}, opBinString: {4, true}, opBinUnicode: {4, true},
	opShortBinUnicode: {1, true}, opBinUnicode8: {8, true}, opBinBytes: {4, true}, opShortBinBytes: {1, true},
	opBinBytes8: {8, true},
}

// kind is what the pass knows of a value.
type kind uint8

const (
	kindNone kind = iota
	kindBool
	kindInt
	kindFloat
	kindLong // an int of more than 64 bits
	kindBytes
	kindString
	kindTuple
	kindList
	kindDict
	kindOrderedDict
	kindClass
	kindObject
	kindPersistent
)

var kindNames = [...]string{"None", "a bool", "an int", "a float", "a long int", "bytes", "a string", "a tuple", "a list", "a dict",
	"an OrderedDict", "a class", "an object", "a persistent id"}

func (k kind) String() string { return kindNames[k] }

// isKey reports whether a value of this kind may be the key of a dict.
func (k kind) isKey() bool { return k <= kindFloat || k == kindString }

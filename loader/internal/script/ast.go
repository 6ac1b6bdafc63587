package script

// Node is any part of the syntax tree.
type Node interface {
	// Pos is where the node's first token stands.
	Pos() Pos
}

// Expr is an expression.
type Expr interface {
	Node
	// height is the longest path from the expression to a leaf.
	height() int
}

// base is what every expression has.
type base struct {
	pos  Pos
	tall int32
}

func (b *base) Pos() Pos    { return b.pos }
func (b *base) height() int { return int(b.tall) }

// Literals.
type (
	// IntLit is an integer; a minus sign directly before the digits is part of it.
	IntLit struct {
		base
		Value int64
	}

	// FloatLit is a floating point number, inf and nan included.
	FloatLit struct {
		base
		Value float64
	}

	// ImaginaryLit is the number Value*j. Complex constants are written as a
	// sum, 2.5+1.j.
	ImaginaryLit struct {
		base
		Value float64
	}

	// StringLit is a string with its escapes decoded and adjacent literals joined.
	StringLit struct {
		base
		Value string
	}

	// BoolLit is True or False.
	BoolLit struct {
		base
		Value bool
	}

	// NoneLit is None.
	NoneLit struct{ base }

	// Ellipsis is "..." or the name Ellipsis.
	Ellipsis struct{ base }
)

// Names.
type (
	// Name is a variable, a parameter or a builtin such as int or range.
	Name struct {
		base
		Name string
	}

	// Op names an operator: torch.NAME is {"aten", NAME}, ops.NS.NAME is
	// {NS, NAME}.
	Op struct {
		base
		Namespace string
		Name      string
	}

	// Constant is CONSTANTS.cN, entry N of the archive's constants.pkl.
	Constant struct {
		base
		Index int
	}

	// Qualified names a class, a function or a member of an enum by its whole
	// path: __torch__.torch.nn.functional.relu.
	Qualified struct {
		base
		Name string
	}

	// Attr is Value.Name or getattr(Value, "Name"). Name need not be an
	// identifier: the children of containers are called "0", "1".
	Attr struct {
		base
		Value Expr
		Name  string
	}
)

// Compound expressions.
type (
	// Call applies Func, which is an [*Op], an [*Attr] for a method, a
	// [*Qualified] for a function or class, or a [*Name].
	Call struct {
		base
		Func     Expr
		Args     []Expr
		Keywords []Keyword
	}

	// Index is Value[i] or Value[i, j]; an index may be a [*Slice].
	Index struct {
		base
		Value   Expr
		Indices []Expr
	}

	// Slice is Low:High:Step between the brackets of an [*Index]; absent
	// parts are nil.
	Slice struct {
		base
		Low, High, Step Expr
	}

	// Tuple is (a, b), and the left side of a, b, = f().
	Tuple struct {
		base
		Elements []Expr
	}

	// List is [a, b].
	List struct {
		base
		Elements []Expr
	}

	// Dict is {k: v}.
	Dict struct {
		base
		Items []DictItem
	}

	// ListComp is [Element for Target in Iter].
	ListComp struct {
		base
		Element, Target, Iter Expr
	}

	// DictComp is {Key: Value for Target in Iter}.
	DictComp struct {
		base
		Key, Value, Target, Iter Expr
	}

	// Unary is Op X.
	Unary struct {
		base
		Op UnaryOp
		X  Expr
	}

	// Binary is X Op Y. "and" and "or" evaluate Y only when X does not decide.
	Binary struct {
		base
		Op   BinaryOp
		X, Y Expr
	}

	// Cond is Then if If else Else.
	Cond struct {
		base
		If, Then, Else Expr
	}

	// Starred is *X in a call or a tuple.
	Starred struct {
		base
		X Expr
	}
)

// Special forms, which take a type.
type (
	// Annotate is annotate(Type, Value): Value, which has the static type Type.
	Annotate struct {
		base
		Type  *Type
		Value Expr
	}

	// UncheckedCast is unchecked_cast(Type, Value): Value, narrowed to Type.
	UncheckedCast struct {
		base
		Type  *Type
		Value Expr
	}

	// Uninitialized is uninitialized(Type): a value no path reads.
	Uninitialized struct {
		base
		Type *Type
	}

	// IsInstance is isinstance(Value, T) or isinstance(Value, (T, U)).
	IsInstance struct {
		base
		Value Expr
		Types []*Type
	}

	// NewObject is Class.__new__(Class): an object whose __init__ has not run.
	NewObject struct {
		base
		Class string // qualified
	}
)

// Keyword is Name=Value in a call.
type Keyword struct {
	At    Pos
	Name  string
	Value Expr
}

// Pos returns where the name stands.
func (k *Keyword) Pos() Pos { return k.At }

// DictItem is Key: Value in a dict.
type DictItem struct {
	Key, Value Expr
}

// Pos returns where the key stands.
func (d *DictItem) Pos() Pos { return d.Key.Pos() }

// Type is a type annotation: Tensor, List[int], Dict[str, Tensor],
// __torch__.torch.classes.quantized.Conv2dPackedParamsBase. None and NoneType
// are both called NoneType.
type Type struct {
	At   Pos
	Name string
	// Args is nil for a plain name and empty for Tuple[()].
	Args []*Type
}

// Pos returns where the annotation starts.
func (t *Type) Pos() Pos { return t.At }

// UnaryOp is an operator before its operand.
type UnaryOp uint8

// The unary operators.
const (
	Neg    UnaryOp = iota + 1 // -
	Not                       // not
	BitNot                    // ~
)

func (o UnaryOp) String() string {
	switch o {
	case Neg:
		return "-"
	case Not:
		return "not"
	case BitNot:
		return "~"
	}
	return "UnaryOp(?)"
}

// BinaryOp is an operator between its operands.
type BinaryOp uint8

// The binary operators.
const (
	Or BinaryOp = iota + 1
	And
	In
	NotIn
	Is
	IsNot
	Less
	LessEqual
	Greater
	GreaterEqual
	Equal
	NotEqual
	BitOr
	BitXor
	BitAnd
	ShiftLeft
	ShiftRight
	Add
	Sub
	Mul
	Div
	FloorDiv
	Mod
	MatMul
	Pow
)

var binaryText = [...]string{
	Or: "or", And: "and", In: "in", NotIn: "not in", Is: "is", IsNot: "is not",
	Less: "<", LessEqual: "<=", Greater: ">", GreaterEqual: ">=", Equal: "==", NotEqual: "!=",
	BitOr: "|", BitXor: "^", BitAnd: "&", ShiftLeft: "<<", ShiftRight: ">>",
	Add: "+", Sub: "-", Mul: "*", Div: "/", FloorDiv: "//", Mod: "%", MatMul: "@", Pow: "**",
}

func (o BinaryOp) String() string {
	if o == 0 || int(o) >= len(binaryText) {
		return "BinaryOp(?)"
	}
	return binaryText[o]
}

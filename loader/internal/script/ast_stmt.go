package script

// File is one source file of an archive.
type File struct {
	Name string
	// Version is the number of the line op_version_set = N that the first
	// archive format begins its files with, 0 without such a line.
	Version int
	Imports []*Import
	Decls   []Decl
}

// Pos returns the start of the file.
func (f *File) Pos() Pos { return Pos{1, 1} }

// Decl is a [*ClassDef] or a [*FuncDef] at the top of a file.
type Decl interface {
	Node
	decl()
}

// Stmt is a statement in a function.
type Stmt interface {
	Node
	stmt()
}

// at gives a statement its position.
type at struct{ pos Pos }

func (a *at) Pos() Pos { return a.pos }

// stmtAt marks a node as a statement.
type stmtAt struct{ at }

func (*stmtAt) stmt() {}

// Import is "import __torch__.a.b", which archives before format 2 contain.
type Import struct {
	at
	Path string
}

// Bases of a class. A class without base is a plain TorchScript class.
const (
	BaseModule          = "Module"
	BaseNamedTuple      = "NamedTuple"
	BaseInterface       = "Interface"
	BaseModuleInterface = "ModuleInterface"
	BaseEnum            = "Enum"
)

// ClassDef is a class: a module, a plain class, a named tuple, an interface or
// an enum. The name lists are nil when the source has no such line.
type ClassDef struct {
	at
	Name            string
	Base            string
	Parameters      []string // __parameters__
	Buffers         []string // __buffers__
	Constants       []string // __constants__
	ForwardPreHooks []string // __forward_pre_hooks__
	ForwardHooks    []string // __forward_hooks__
	Attributes      []*Attribute
	Methods         []*FuncDef
}

func (*ClassDef) decl() {}

// Attribute is a line of a class body that is not a method:
//
//	name : Type                   an attribute
//	__annotations__["0"] = Type   an attribute whose name is no identifier
//	name : Final[Type] = value    a constant
//	NAME = value                  a member of an enum; Type is nil
type Attribute struct {
	at
	Name  string
	Type  *Type
	Value Expr
}

// FuncDef is a function, a method, or a function inside another for fork. The
// body of an interface's method is a single [*Pass].
type FuncDef struct {
	stmtAt
	Name    string
	Params  []*Param
	Returns *Type // nil when not annotated
	Body    []Stmt
}

func (*FuncDef) decl() {}

// Param is a parameter; Type and Default may be nil.
type Param struct {
	at
	Name        string
	Type        *Type
	Default     Expr
	KeywordOnly bool // stands after a lone *
}

// Statements.
type (
	// Assign is Target = Value, a = b = Value, or Target: Type = Value. An
	// annotation without a value has a nil Value.
	Assign struct {
		stmtAt
		Targets []Expr
		Type    *Type
		Value   Expr
	}

	// AugAssign is Target Op= Value.
	AugAssign struct {
		stmtAt
		Op     BinaryOp
		Target Expr
		Value  Expr
	}

	// ExprStmt evaluates X for its effect.
	ExprStmt struct {
		stmtAt
		X Expr
	}

	// Return is return Value; Value may be nil.
	Return struct {
		stmtAt
		Value Expr
	}

	// If is if Cond: Then else: Else. An elif is an If alone in Else.
	If struct {
		stmtAt
		Cond Expr
		Then []Stmt
		Else []Stmt // nil without else
	}

	// While is while Cond: Body.
	While struct {
		stmtAt
		Cond Expr
		Body []Stmt
	}

	// For is for Target in Iter: Body.
	For struct {
		stmtAt
		Target, Iter Expr
		Body         []Stmt
	}

	// With is with Items: Body.
	With struct {
		stmtAt
		Items []WithItem
		Body  []Stmt
	}

	// Raise is raise Value.
	Raise struct {
		stmtAt
		Value Expr
	}

	// Assert is assert Cond, Message; Message may be nil.
	Assert struct {
		stmtAt
		Cond, Message Expr
	}

	// Delete is del Targets.
	Delete struct {
		stmtAt
		Targets []Expr
	}

	// Global is global Names.
	Global struct {
		stmtAt
		Names []string
	}

	// Pass is pass.
	Pass struct{ stmtAt }

	// Break is break.
	Break struct{ stmtAt }

	// Continue is continue.
	Continue struct{ stmtAt }
)

// WithItem is Value as Name; Name may be empty.
type WithItem struct {
	Value Expr
	Name  string
}

// Pos returns where the value stands.
func (w *WithItem) Pos() Pos { return w.Value.Pos() }

// Package script reads serialized TorchScript: the source files that
// torch.jit.save puts under code/ in its archives. It has a lexer and a parser
// with a typed syntax tree, and knows nothing about tensors, archives or graphs.
//
// The language is a subset of Python that PyTorch's own printer emits and
// PyTorch's own parser reads, and where the two languages differ the meaning
// here is PyTorch's:
//
//   - "and" and "or" have one precedence and group from the left;
//   - comparisons do not chain: a < b < c is (a < b) < c;
//   - "~" binds looser than comparison operators, as "not" does;
//   - inf, nan, infj and nanj are number literals.
//
// Names that the serialized language reserves get their own nodes, so that a
// consumer never matches on spelling: torch.conv2d and ops.prim.NumToTensor
// are [Op], CONSTANTS.c3 is [Constant], __torch__.a.B is [Qualified],
// annotate, unchecked_cast, uninitialized, isinstance and C.__new__(C) are
// nodes that hold a [Type], and getattr(x, "0") is the same [Attr] as x.name.
//
// Input is untrusted. Size, token count and nesting are bounded by [Limits],
// every failure is an [*Error] with file, line and column, and the height of
// the tree is bounded too, so that recursion over it is safe.
package script

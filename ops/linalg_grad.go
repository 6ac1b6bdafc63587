package ops

// The gradients of linear algebra are those of PyTorch (torch/csrc/autograd/FunctionsManual.cpp, which names the papers), for float32.

// matrixGrad writes gradients of matrices: the first error stays in the builder.
type matrixGrad struct{ GradBuilder }

//go:noinline
func (b matrixGrad) t(x Ref) Ref { return transposed(b, x) }

//go:noinline
func (b matrixGrad) times(x, y Ref) Ref { return b.Apply(MatMul{}, x, y) }

//go:noinline
func (b matrixGrad) timesT(x, y Ref) Ref { return b.Apply(MatMul{TransposeB: true}, x, y) }

func (b matrixGrad) mul(x, y Ref) Ref { return applyBinary(b.GradBuilder, Mul, x, y) }
func (b matrixGrad) sub(x, y Ref) Ref { return applyBinary(b.GradBuilder, Sub, x, y) }
func (b matrixGrad) half(x Ref) Ref   { return b.mul(x, number(b.GradBuilder, 0.5)) }

//go:noinline
func (b matrixGrad) lower(x Ref) Ref { return b.Apply(Trilu{}, x) }

//go:noinline
func (b matrixGrad) strictLower(x Ref) Ref { return b.Apply(Trilu{Diagonal: -1}, x) }

//go:noinline
func (b matrixGrad) solve(op Solve, x, y Ref) Ref { return b.ApplyAll(op, x, y)[0] }

// add adds gradients, of which some may be nil.
func (b matrixGrad) add(terms ...Ref) Ref {
	var sum Ref
	for _, t := range terms {
		switch {
		case t == nil:
		case sum == nil:
			sum = t
		default:
			sum = applyBinary(b, Add, sum, t)
		}
	}
	return sum
}

// row and column make a vector [..., N] a row and a column that broadcast over matrices.
func (b matrixGrad) row(x Ref) Ref {
	s := b.Type(x).Shape
	return reshaped(b, x, append(s[:len(s)-1:len(s)-1], 1, s[len(s)-1]))
}

func (b matrixGrad) column(x Ref) Ref { return reshaped(b, x, append(b.Type(x).Shape.Clone(), 1)) }

// first returns the first k elements along an axis.
func (b matrixGrad) first(x Ref, axis, k int) Ref {
	if x == nil {
		return nil
	}
	return b.Apply(Slice{Axis: axis, End: k, Step: 1}, x)
}

// gaps is 1 / (x[j] - x[i]), and 0 where both are the same.
func (b matrixGrad) gaps(x Ref) Ref {
	d := b.sub(b.row(x), b.column(x))
	return b.Apply(Where{ANumber: true}, applyBinary(b, Eq, d, number(b, 0)), number(b, 0), applyUnary(b, Reciprocal, d))
}

// Grad is not defined where the decomposition is not unique: of LU and QR of wide matrices, of equal values, and of what Full adds, which a full
// QR refuses and a full SVD leaves out, as PyTorch does.
func (op Decompose) Grad(builder GradBuilder, in, out, dout []Ref, _ []bool) []Ref {
	b := matrixGrad{builder}
	m, n := matrixShape(b.Type(in[0]))
	if op.Fn == LU && m != n || op.Fn == QR && (m < n || op.Full && m != n) {
		b.Fail(NoGradient(op, "the decomposition of such matrices is not unique"))
		return []Ref{nil}
	}
	var grad Ref
	switch op.Fn {
	case LU:
		grad = b.lu(out[0], out[1], dout[0])
	case Cholesky:
		grad = b.cholesky(op, out[0], dout[0])
	case QR:
		grad = b.qr(out[0], out[1], dout[0], dout[1])
	case Eigh:
		grad = b.eigh(out[0], out[1], dout[0], dout[1])
	case SVD:
		if k := min(m, n); op.Full && m != n {
			for _, values := range []*[]Ref{&out, &dout} {
				u, s, vh := (*values)[0], (*values)[1], (*values)[2]
				*values = []Ref{b.first(u, -1, k), s, b.first(vh, -2, k)}
			}
		}
		grad = b.svd(out, dout, m, n)
	}
	return []Ref{grad}
}

// lu: P L^-T [tril(L^T dL, -1) + triu(dU U^T)] U^-T.
func (b matrixGrad) lu(lu, pivots, d Ref) Ref {
	if d == nil {
		return nil
	}
	_, n := matrixShape(b.Type(lu))
	upper := Trilu{Upper: true}
	dl := b.strictLower(d)
	dl = b.strictLower(b.add(dl, b.times(b.t(b.strictLower(lu)), dl))) // of the ones on the diagonal of L, and of what is below
	du := b.Apply(upper, b.timesT(b.Apply(upper, d), b.Apply(upper, lu)))
	inner := b.solve(Solve{Fn: SolveLower, Unit: true, Transpose: true}, lu, b.add(dl, du))
	inner = b.t(b.solve(Solve{Fn: SolveUpper}, lu, b.t(inner)))
	order := b.Apply(OneHot{Classes: n}, b.Apply(RowOrder{M: n}, pivots))
	return b.times(b.t(b.Apply(Cast{DType: b.Type(lu).DType}, order)), inner)
}

// cholesky: L^-T phi(L^T dL) L^-1, made symmetric, where phi is the lower triangle with half the diagonal.
func (b matrixGrad) cholesky(op Decompose, l, d Ref) Ref {
	if d == nil {
		return nil
	}
	if op.Upper {
		l, d = b.t(l), b.t(d)
	}
	inner := b.times(b.t(l), b.lower(d))
	inner = b.half(b.add(b.lower(inner), b.strictLower(inner)))
	solve := Solve{Fn: SolveLower, Transpose: true}
	inner = b.solve(solve, l, b.t(b.solve(solve, l, inner)))
	return b.half(b.add(inner, b.t(inner)))
}

// qr: (dQ + Q copyltu(M)) R^-T with M = R dR^T - dQ^T Q, where copyltu mirrors the lower triangle.
func (b matrixGrad) qr(q, r, dq, dr Ref) Ref {
	if dq == nil && dr == nil {
		return nil
	}
	var inner Ref
	if dr != nil {
		inner = b.timesT(r, dr)
	}
	if dq != nil {
		inner = b.add(inner, applyUnary(b, Neg, b.times(b.t(dq), q)))
	}
	inner = b.add(b.lower(inner), b.t(b.strictLower(inner)))
	return b.t(b.solve(Solve{Fn: SolveUpper}, r, b.t(b.add(dq, b.times(q, inner)))))
}

// eigh: V [diag(dL) + skew(V^T dV) / 2 / (l[j] - l[i])] V^T, with skew(X) = X - X^T.
func (b matrixGrad) eigh(l, v, dl, dv Ref) Ref {
	var inner Ref
	if dl != nil {
		inner = b.mul(v, b.row(dl))
	}
	if dv != nil {
		vdv := b.times(b.t(v), dv)
		inner = b.add(inner, b.times(v, b.mul(b.gaps(l), b.half(b.sub(vdv, b.t(vdv))))))
	}
	if inner == nil {
		return nil
	}
	return b.timesT(inner, v)
}

// svd, with skew as above and E = s[j]^2 - s[i]^2: U [(skew(U^T dU) / E) S + S (skew(V^T dV) / E) + diag(dS)] Vh, and for the longer side what
// is orthogonal to its vectors: (I - U U^T) dU S^-1 Vh or U S^-1 dVh (I - V V^T).
func (b matrixGrad) svd(out, dout []Ref, m, n int) Ref {
	u, s, vh := out[0], out[1], out[2]
	du, ds, dvh := dout[0], dout[1], dout[2]
	gaps := b.gaps(b.mul(s, s))
	skew := func(x Ref) Ref { return b.mul(gaps, b.sub(x, b.t(x))) }
	inverse := applyUnary(b, Reciprocal, s)
	var left, rest Ref // what stands in front of Vh, and what does not
	if ds != nil {
		left = b.mul(u, b.row(ds))
	}
	if du != nil {
		left = b.add(left, b.times(u, b.mul(skew(b.times(b.t(u), du)), b.row(s))))
		if m > n {
			scaled := b.mul(du, b.row(inverse))
			left = b.add(left, b.sub(scaled, b.times(u, b.times(b.t(u), scaled))))
		}
	}
	if dvh != nil {
		left = b.add(left, b.times(u, b.mul(b.column(s), skew(b.timesT(vh, dvh)))))
		if n > m {
			rest = b.times(b.mul(u, b.row(inverse)), b.sub(dvh, b.times(b.timesT(dvh, vh), vh)))
		}
	}
	if left != nil {
		left = b.times(left, vh)
	}
	return b.add(left, rest)
}

// Grad: dB = A^-T dX and dA = -dB X^T.
func (op Solve) Grad(builder GradBuilder, in, out, dout []Ref, need []bool) []Ref {
	b := matrixGrad{builder}
	if dout[0] == nil {
		return make([]Ref, 2)
	}
	back := op
	back.Transpose = !op.Transpose
	db := b.solve(back, in[0], dout[0])
	if !need[0] {
		return []Ref{nil, db}
	}
	x, y := db, out[0]
	if op.Transpose {
		x, y = y, x
	}
	da := applyUnary(b, Neg, b.timesT(x, y))
	if op.Fn != SolveGeneral {
		triangle := Trilu{Upper: op.Fn == SolveUpper}
		if op.Unit {
			triangle.Diagonal = -1
			if triangle.Upper {
				triangle.Diagonal = 1
			}
		}
		da = b.Apply(triangle, da)
	}
	return []Ref{da, db}
}

// Grad is the derivative of the exponential at A^T in the direction of the gradient, which stands in the upper right of e^[[A^T, dY], [0, A^T]].
func (op MatrixExp) Grad(builder GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	b := matrixGrad{builder}
	a := b.t(in[0])
	_, n := matrixShape(b.Type(a))
	zero := b.Apply(Full{Like: true, DType: b.Type(a).DType}, a)
	top, bottom := b.Apply(Concat{Axis: -1}, a, dout[0]), b.Apply(Concat{Axis: -1}, zero, a)
	both := b.Apply(op, b.Apply(Concat{Axis: -2}, top, bottom))
	right := b.Apply(Slice{Axis: -1, Start: n, End: 2 * n, Step: 1}, both)
	return []Ref{b.Apply(Slice{Axis: -2, End: n, Step: 1}, right)}
}

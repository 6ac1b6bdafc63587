//go:build !purego

package asm

func init() {
	for _, r := range []struct {
		op             BinaryOp
		vector, scalar func(args *BinaryF32Args)
	}{
		{BinaryAdd, addVectorF32NEON, addScalarF32NEON},
		{BinarySub, subVectorF32NEON, subScalarF32NEON},
		{BinaryMul, mulVectorF32NEON, mulScalarF32NEON},
		{BinaryDiv, divVectorF32NEON, divScalarF32NEON},
		{BinaryRSub, rsubVectorF32NEON, rsubScalarF32NEON},
		{BinaryRDiv, rdivVectorF32NEON, rdivScalarF32NEON},
	} {
		binaryF32Tables[r.op] = append(binaryF32Tables[r.op],
			BinaryF32{Info: Info{Op: r.op.String(), Tier: NEON}, vector: r.vector, scalar: r.scalar})
	}
}

//go:noescape
func addVectorF32NEON(args *BinaryF32Args)

//go:noescape
func addScalarF32NEON(args *BinaryF32Args)

//go:noescape
func subVectorF32NEON(args *BinaryF32Args)

//go:noescape
func subScalarF32NEON(args *BinaryF32Args)

//go:noescape
func mulVectorF32NEON(args *BinaryF32Args)

//go:noescape
func mulScalarF32NEON(args *BinaryF32Args)

//go:noescape
func divVectorF32NEON(args *BinaryF32Args)

//go:noescape
func divScalarF32NEON(args *BinaryF32Args)

//go:noescape
func rsubVectorF32NEON(args *BinaryF32Args)

//go:noescape
func rsubScalarF32NEON(args *BinaryF32Args)

//go:noescape
func rdivVectorF32NEON(args *BinaryF32Args)

//go:noescape
func rdivScalarF32NEON(args *BinaryF32Args)

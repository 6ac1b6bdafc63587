//go:build !purego

package asm

func init() {
	type row struct {
		op             BinaryOp
		tier           Tier
		vector, scalar func(args *BinaryF32Args)
	}
	for _, r := range []row{
		{BinaryAdd, AVX2, addVectorF32AVX2, addScalarF32AVX2},
		{BinarySub, AVX2, subVectorF32AVX2, subScalarF32AVX2},
		{BinaryMul, AVX2, mulVectorF32AVX2, mulScalarF32AVX2},
		{BinaryDiv, AVX2, divVectorF32AVX2, divScalarF32AVX2},
		{BinaryRSub, AVX2, rsubVectorF32AVX2, rsubScalarF32AVX2},
		{BinaryRDiv, AVX2, rdivVectorF32AVX2, rdivScalarF32AVX2},
		{BinaryAdd, AVX512, addVectorF32AVX512, addScalarF32AVX512},
		{BinarySub, AVX512, subVectorF32AVX512, subScalarF32AVX512},
		{BinaryMul, AVX512, mulVectorF32AVX512, mulScalarF32AVX512},
		{BinaryDiv, AVX512, divVectorF32AVX512, divScalarF32AVX512},
		{BinaryRSub, AVX512, rsubVectorF32AVX512, rsubScalarF32AVX512},
		{BinaryRDiv, AVX512, rdivVectorF32AVX512, rdivScalarF32AVX512},
	} {
		binaryF32Tables[r.op] = append(binaryF32Tables[r.op],
			BinaryF32{Info: Info{Op: r.op.String(), Tier: r.tier}, vector: r.vector, scalar: r.scalar})
	}
}

//go:noescape
func addVectorF32AVX2(args *BinaryF32Args)

//go:noescape
func addScalarF32AVX2(args *BinaryF32Args)

//go:noescape
func subVectorF32AVX2(args *BinaryF32Args)

//go:noescape
func subScalarF32AVX2(args *BinaryF32Args)

//go:noescape
func mulVectorF32AVX2(args *BinaryF32Args)

//go:noescape
func mulScalarF32AVX2(args *BinaryF32Args)

//go:noescape
func divVectorF32AVX2(args *BinaryF32Args)

//go:noescape
func divScalarF32AVX2(args *BinaryF32Args)

//go:noescape
func rsubVectorF32AVX2(args *BinaryF32Args)

//go:noescape
func rsubScalarF32AVX2(args *BinaryF32Args)

//go:noescape
func rdivVectorF32AVX2(args *BinaryF32Args)

//go:noescape
func rdivScalarF32AVX2(args *BinaryF32Args)

//go:noescape
func addVectorF32AVX512(args *BinaryF32Args)

//go:noescape
func addScalarF32AVX512(args *BinaryF32Args)

//go:noescape
func subVectorF32AVX512(args *BinaryF32Args)

//go:noescape
func subScalarF32AVX512(args *BinaryF32Args)

//go:noescape
func mulVectorF32AVX512(args *BinaryF32Args)

//go:noescape
func mulScalarF32AVX512(args *BinaryF32Args)

//go:noescape
func divVectorF32AVX512(args *BinaryF32Args)

//go:noescape
func divScalarF32AVX512(args *BinaryF32Args)

//go:noescape
func rsubVectorF32AVX512(args *BinaryF32Args)

//go:noescape
func rsubScalarF32AVX512(args *BinaryF32Args)

//go:noescape
func rdivVectorF32AVX512(args *BinaryF32Args)

//go:noescape
func rdivScalarF32AVX512(args *BinaryF32Args)

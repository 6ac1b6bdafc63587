package asm

// Args has room for the arguments of one call of each kernel. Kernels are
// called through the table, so arguments on the stack would be moved to the
// heap at each call; a worker keeps one Args instead.
type Args struct {
	IGemmF32          IGemmF32Args
	IGemmU8S8         IGemmU8S8Args
	DWConvF32         DWConvF32Args
	DWConvU8S8        DWConvU8S8Args
	BinaryU8          BinaryU8Args
	QuantizeF32U8     QuantizeF32U8Args
	DequantizeU8F32   DequantizeU8F32Args
	QuantizeRowsF32U8 QuantizeRowsF32U8Args
	MaxPoolU8         MaxPoolU8Args
	AvgPoolU8         AvgPoolU8Args
	PoolF32           PoolF32Args
	WinogradF32       WinogradF32Args
	WinogradInput     WinogradInputArgs
	WinogradWeights   WinogradWeightsArgs
	WinogradMultiply  WinogradMultiplyArgs
	WinogradOutput    WinogradOutputArgs
	TransposeU8       TransposeU8Args
	BinaryF32         BinaryF32Args
	SoftmaxF32        SoftmaxF32Args
	LayerNormF32      LayerNormF32Args
	ScaleShiftF32     ScaleShiftF32Args
	HistogramF32      HistogramF32Args
	ReduceF32         ReduceF32Args
	RequantizeI32F32  RequantizeI32F32Args
	LSQGradF32        LSQGradF32Args
}

package ops

import (
	"math"

	"github.com/octet-ml/octet/ops/asm"
)

// unaryDerivative is the derivative of a function of one element with the
// parameters a and b. It takes the function's output where that is all it needs,
// so that the input need not be kept.
type unaryDerivative struct {
	fromOutput bool
	f          func(v, a, b float64) float64
}

// unaryDerivatives are those that PyTorch has, in the order of UnaryFn; functions
// without an entry have none. It is filled once and never changed.
var unaryDerivatives = [numUnaryFns]unaryDerivative{
	ReLU:        {true, func(y, _, _ float64) float64 { return step(y > 0) }},
	ReLU6:       {true, func(y, _, _ float64) float64 { return step(y > 0 && y < 6) }},
	Clamp:       {false, func(x, a, b float64) float64 { return step(x >= a && x <= b) }},
	ClampMin:    {false, func(x, a, _ float64) float64 { return step(x >= a) }},
	ClampMax:    {false, func(x, a, _ float64) float64 { return step(x <= a) }},
	Neg:         {true, func(_, _, _ float64) float64 { return -1 }},
	Abs:         {false, func(x, _, _ float64) float64 { return sign(x) }},
	Sign:        {true, func(_, _, _ float64) float64 { return 0 }},
	Floor:       {true, func(_, _, _ float64) float64 { return 0 }},
	Ceil:        {true, func(_, _, _ float64) float64 { return 0 }},
	Round:       {true, func(_, a, _ float64) float64 { return a }},
	Trunc:       {true, func(_, _, _ float64) float64 { return 0 }},
	Square:      {false, func(x, _, _ float64) float64 { return 2 * x }},
	Exp:         {true, func(y, _, _ float64) float64 { return y }},
	Exp2:        {true, func(y, _, _ float64) float64 { return y * math.Ln2 }},
	Expm1:       {true, func(y, _, _ float64) float64 { return y + 1 }},
	Log:         {false, func(x, _, _ float64) float64 { return 1 / x }},
	Log2:        {false, func(x, _, _ float64) float64 { return 1 / (x * math.Ln2) }},
	Log10:       {false, func(x, _, _ float64) float64 { return 1 / (x * math.Ln10) }},
	Log1p:       {false, func(x, _, _ float64) float64 { return 1 / (1 + x) }},
	Sqrt:        {true, func(y, _, _ float64) float64 { return 0.5 / y }},
	Rsqrt:       {true, func(y, _, _ float64) float64 { return -0.5 * y * y * y }},
	Reciprocal:  {true, func(y, _, _ float64) float64 { return -y * y }},
	Sin:         {false, func(x, _, _ float64) float64 { return math.Cos(x) }},
	Cos:         {false, func(x, _, _ float64) float64 { return -math.Sin(x) }},
	Tan:         {true, func(y, _, _ float64) float64 { return 1 + y*y }},
	Asin:        {false, func(x, _, _ float64) float64 { return 1 / math.Sqrt(1-x*x) }},
	Acos:        {false, func(x, _, _ float64) float64 { return -1 / math.Sqrt(1-x*x) }},
	Atan:        {false, func(x, _, _ float64) float64 { return 1 / (1 + x*x) }},
	Sinh:        {false, func(x, _, _ float64) float64 { return math.Cosh(x) }},
	Cosh:        {false, func(x, _, _ float64) float64 { return math.Sinh(x) }},
	Tanh:        {true, func(y, _, _ float64) float64 { return 1 - y*y }},
	Asinh:       {false, func(x, _, _ float64) float64 { return 1 / math.Sqrt(x*x+1) }},
	Acosh:       {false, func(x, _, _ float64) float64 { return 1 / math.Sqrt(x*x-1) }},
	Atanh:       {false, func(x, _, _ float64) float64 { return 1 / (1 - x*x) }},
	Erf:         {false, func(x, _, _ float64) float64 { return 2 / math.SqrtPi * math.Exp(-x*x) }},
	Erfc:        {false, func(x, _, _ float64) float64 { return -2 / math.SqrtPi * math.Exp(-x*x) }},
	Sigmoid:     {true, func(y, _, _ float64) float64 { return y * (1 - y) }},
	LogSigmoid:  {false, func(x, _, _ float64) float64 { return sigmoid(-x) }},
	GELU:        {false, func(x, _, _ float64) float64 { return normalCDF(x) + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi) }},
	GELUTanh:    {false, geluTanhDerivative},
	SiLU:        {false, func(x, _, _ float64) float64 { s := sigmoid(x); return s * (1 + x*(1-s)) }},
	Mish:        {false, mishDerivative},
	Softplus:    {false, softplusDerivative},
	Softsign:    {false, func(x, _, _ float64) float64 { d := 1 + math.Abs(x); return 1 / (d * d) }},
	HardSwish:   {false, hardSwishDerivative},
	HardSigmoid: {false, func(x, _, _ float64) float64 { return step(x > -3 && x < 3) / 6 }},
	Hardshrink:  {false, func(x, a, _ float64) float64 { return step(x < -a || x > a) }},
	Softshrink:  {true, func(y, _, _ float64) float64 { return step(y != 0) }},
	LeakyReLU:   {false, func(x, a, _ float64) float64 { return oneAbove(x, a) }},
	Threshold:   {false, func(x, a, _ float64) float64 { return step(x > a) }},
	ELU:         {false, func(x, a, _ float64) float64 { return oneAbove(x, a*math.Exp(x)) }},
	SELU:        {false, func(x, _, _ float64) float64 { return seluScale * oneAbove(x, seluAlpha*math.Exp(x)) }},
	CELU:        {false, func(x, a, _ float64) float64 { return oneAbove(x, math.Exp(x/a)) }},
	LGamma:      {false, func(x, _, _ float64) float64 { return digamma(x) }},
	Digamma:     {false, func(x, _, _ float64) float64 { return polygamma(1, x) }},
	Polygamma:   {false, func(x, a, _ float64) float64 { return polygamma(a+1, x) }},
	ErfInv:      {false, func(x, _, _ float64) float64 { y := math.Erfinv(x); return math.Sqrt(math.Pi) / 2 * math.Exp(y*y) }},
	Erfcx:       {false, func(x, _, _ float64) float64 { return float64(2*x*erfcx(x)) - 2/math.Sqrt(math.Pi) }},
	Ndtri:       {false, func(x, _, _ float64) float64 { y := ndtri(x); return math.Sqrt(2*math.Pi) * math.Exp(y*y/2) }},
	LogNdtr:     {false, func(x, _, _ float64) float64 { return math.Sqrt(2/math.Pi) / erfcx(-x/math.Sqrt2) }},
	Entr:        {false, func(x, _, _ float64) float64 { return -1 - math.Log(x) }},
	I0:          {false, func(x, _, _ float64) float64 { return besselI(1, x) * math.Exp(math.Abs(x)) }},
	I0e:         {false, func(x, _, _ float64) float64 { return besselI(1, x) - float64(sign(x)*besselI(0, x)) }},
	I1:          {false, func(x, _, _ float64) float64 { return slopeI1(x, 0) * math.Exp(math.Abs(x)) }},
	I1e:         {false, func(x, _, _ float64) float64 { return slopeI1(x, float64(besselI(1, x)*sign(x))) }},
}

func step(above bool) float64 {
	if above {
		return 1
	}
	return 0
}

// oneAbove returns 1 for positive x, else the slope below.
func oneAbove(x, below float64) float64 {
	if x > 0 {
		return 1
	}
	return below
}

func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

func geluTanhDerivative(x, _, _ float64) float64 {
	const beta = math.Sqrt2 * (2 / math.SqrtPi) / 2
	t := math.Tanh(beta * (x + 0.044715*x*x*x))
	return 0.5*(1+t) + 0.5*x*(1-t*t)*beta*(1+3*0.044715*x*x)
}

func mishDerivative(x, _, _ float64) float64 {
	t := math.Tanh(math.Log1p(math.Exp(x)))
	return t + x*(1-t*t)*sigmoid(x)
}

func softplusDerivative(x, beta, limit float64) float64 {
	if x*beta > limit {
		return 1
	}
	return sigmoid(x * beta)
}

func hardSwishDerivative(x, _, _ float64) float64 {
	switch {
	case x < -3:
		return 0
	case x <= 3:
		return x/3 + 0.5
	}
	return 1
}

// Grad multiplies with the derivative.
func (op Unary) Grad(b GradBuilder, in, out, dout []Ref, _ []bool) []Ref {
	if op.Fn >= numUnaryFns || unaryDerivatives[op.Fn].f == nil {
		b.Fail(NoGradient(op, "it has no gradient"))
		return make([]Ref, 1)
	}
	switch op.Fn {
	case ReLU:
		return []Ref{activationGrad(b, ActReLU, op, in, out[0], dout[0])}
	case ReLU6:
		return []Ref{activationGrad(b, ActReLU6, op, in, out[0], dout[0])}
	case Neg:
		return []Ref{b.Apply(op, dout[0])}
	}
	v := in[0]
	if unaryDerivatives[op.Fn].fromOutput {
		v = out[0]
	}
	return []Ref{b.Apply(UnaryGrad{UnaryAttributes(op)}, v, dout[0])}
}

// UnaryGrad is the gradient of a function of one element: the gradient of the
// output times the derivative. Inputs: the function's input or, where the
// derivative follows from it, the output; and the gradient of the output.
type UnaryGrad struct {
	UnaryAttributes
}

// Name returns the function's with "_grad".
func (op UnaryGrad) Name() string { return op.Fn.String() + "_grad" }

func (op UnaryGrad) Infer(in []Type) ([]Type, error) {
	if op.Fn >= numUnaryFns || unaryDerivatives[op.Fn].f == nil {
		return nil, Errorf(op, in, "the function has no derivative")
	}
	return sameFloats(op, in, 2)
}

// sameFloats checks for n float32 inputs of one shape and returns their type.
func sameFloats(op Op, in []Type, n int) ([]Type, error) {
	if err := arity(op, in, n, n); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	for _, t := range in[1:] {
		if !t.Shape.Equal(in[0].Shape) {
			return nil, Errorf(op, in, "the shapes differ")
		}
	}
	return []Type{F32(in[0].Shape...)}, nil
}

func (op UnaryGrad) Prepare(p *Prepare) (*Kernel, error) {
	n := p.Out[0].Numel()
	derivative := op.derivative(p.Tier)
	tasks := max((n+bufferLen*16-1)/(bufferLen*16), 1)
	task := func(c *Call, i int, w *Worker) {
		v, dy, dx := c.In[0].Float32s(), c.In[1].Float32s(), c.Out[0].Float32s()
		buf := floatsOf(w.Scratch, 0, 2*bufferLen)
		for from, end := i*n/tasks, (i+1)*n/tasks; from < end; from += bufferLen {
			to := min(from+bufferLen, end)
			d := buf[:to-from]
			derivative(d, v[from:to], buf[bufferLen:])
			for j, g := range dy[from:to] {
				dx[from+j] = g * d[j]
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		WorkerScratch: 8 * bufferLen,
		Choice:        "derivative",
		Parallel:      tasks,
	}, nil
}

// derivative returns the derivative of a row, with as much memory to work in.
func (op UnaryGrad) derivative(tier asm.Tier) func(d, v, buf []float32) {
	switch op.Fn {
	case Exp:
		return func(d, y, _ []float32) { copy(d, y) }
	case Tanh:
		return func(d, y, _ []float32) {
			for i, v := range y {
				d[i] = 1 - float32(v*v)
			}
		}
	case Sigmoid:
		return func(d, y, _ []float32) {
			for i, v := range y {
				d[i] = v * (1 - v)
			}
		}
	case SiLU:
		k := asm.UnaryF32For(asm.UnarySigmoid, tier)
		return func(d, x, _ []float32) {
			k.Run(d, x, 0, 0)
			for i, s := range d {
				d[i] = s * (1 + float32(x[i]*(1-s)))
			}
		}
	case GELU:
		erf, exp := asm.UnaryF32For(asm.UnaryErf, tier), asm.UnaryF32For(asm.UnaryExp, tier)
		return func(d, x, buf []float32) {
			e := buf[:len(x)]
			for i, v := range x {
				d[i] = v * (1 / math.Sqrt2)
				e[i] = -0.5 * v * v
			}
			erf.Run(d, d, 0, 0)
			exp.Run(e, e, 0, 0)
			for i, v := range x {
				const density = 0.3989422804014327 // 1/sqrt(2 pi)
				d[i] = 0.5*(1+d[i]) + float32(float32(v*density)*e[i])
			}
		}
	}
	f, alpha, beta := unaryDerivatives[op.Fn].f, op.Alpha, op.Beta
	return func(d, v, _ []float32) {
		for i, x := range v {
			d[i] = float32(f(float64(x), alpha, beta))
		}
	}
}

// ChannelsLast is the same operator.
func (op UnaryGrad) ChannelsLast(in []Type) (Op, []int, bool) {
	return op, []int{0, 1}, len(in[0].Shape) >= 3
}

package ops

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// DefaultSeed is the seed of a generator that was given none, as in PyTorch.
const DefaultSeed = 67280421310721

// The state of a generator: the words of a Mersenne Twister, the number of the next, and a sample of the normal distribution that was
// drawn and not used, as whether there is one and the two halves of its float64.
const (
	twisterWords   = 624
	generatorNext  = twisterWords
	generatorSpare = twisterWords + 1
	generatorWords = twisterWords + 4
)

// Generator is the state of PyTorch's generator of random numbers on the CPU: MT19937 (Matsumoto and Nishimura 1998).
type Generator [generatorWords]int32

// Seed makes the generator begin as torch.manual_seed does, of whose number 32 bits count.
func (g *Generator) Seed(seed int64) {
	*g = Generator{}
	x := uint32(seed)
	for i := range twisterWords {
		if i > 0 {
			x = 1812433253*(x^x>>30) + uint32(i)
		}
		g[i] = int32(x)
	}
	g[generatorNext] = twisterWords
}

// twist makes the next 624 words.
func (g *Generator) twist() {
	for i := range twisterWords {
		next, far := uint32(g[(i+1)%twisterWords]), uint32(g[(i+397)%twisterWords])
		y := uint32(g[i])&0x80000000 | next&0x7fffffff
		g[i] = int32(far ^ y>>1 ^ -(y&1)&0x9908b0df)
	}
	g[generatorNext] = 0
}

func (g *Generator) uint32() uint32 {
	if uint32(g[generatorNext]) >= twisterWords {
		g.twist()
	}
	y := uint32(g[g[generatorNext]])
	g[generatorNext]++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (g *Generator) uint64() uint64 {
	high := g.uint32()
	return uint64(high)<<32 | uint64(g.uint32())
}

// single and double return numbers in [0, 1) of 24 and 53 bits.
func (g *Generator) single() float64 { return float64(g.uint32()&(1<<24-1)) / (1 << 24) }
func (g *Generator) double() float64 { return float64(float64(g.uint64()&(1<<53-1)) / (1 << 53)) }

// normal returns a sample of the normal distribution, of which two are made at a time (Box and Muller 1958).
func (g *Generator) normal() float64 {
	if g[generatorSpare] != 0 {
		g[generatorSpare] = 0
		return math.Float64frombits(uint64(uint32(g[generatorSpare+1]))<<32 | uint64(uint32(g[generatorSpare+2])))
	}
	u, v := g.double(), g.double()
	radius, angle := math.Sqrt(-2*math.Log1p(-v)), 2*math.Pi*u
	spare := math.Float64bits(radius * math.Sin(angle))
	g[generatorSpare], g[generatorSpare+1], g[generatorSpare+2] = 1, int32(spare>>32), int32(uint32(spare))
	return radius * math.Cos(angle)
}

type generatorKey struct{}

// WithGenerator returns a context for a run that draws random numbers from g.
func WithGenerator(ctx context.Context, g *Generator) context.Context {
	return context.WithValue(ctx, generatorKey{}, g)
}

// generatorType is the type of the state as a value.
func generatorType() Type {
	return Type{DType: tensor.Int32, Shape: tensor.Shape{generatorWords}}
}

func isGenerator(t Type) bool {
	return t.DType == tensor.Int32 && t.Q == nil && t.Shape.Equal(tensor.Shape{generatorWords})
}

func stateOf(t *tensor.Tensor) *Generator {
	return (*Generator)(row[int32](base(t), 0, generatorWords))
}

// ReadGenerator gives the state of the generator that a run begins with: random numbers are ordinary values of it, since operators that draw
// some take a state and give the next one. No inputs. Output: int32 [628].
type ReadGenerator struct{}

func (ReadGenerator) Name() string { return "read_generator" }

func (op ReadGenerator) Infer(in []Type) ([]Type, error) {
	return []Type{generatorType()}, arity(op, in, 0, 0)
}

func (ReadGenerator) Prepare(*Prepare) (*Kernel, error) {
	return &Kernel{Choice: "copy", Parallel: 1, Run: func(c *Call) error {
		if g, ok := c.Context.Value(generatorKey{}).(*Generator); ok {
			*stateOf(c.Out[0]) = *g
		} else {
			stateOf(c.Out[0]).Seed(DefaultSeed)
		}
		return nil
	}}, nil
}

// WriteGenerator leaves a state for the next run. Input: int32 [628]. It has no outputs.
type WriteGenerator struct{}

func (WriteGenerator) Name() string { return "write_generator" }

func (op WriteGenerator) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if !isGenerator(in[0]) {
		return nil, Errorf(op, in, "it takes the state of a generator")
	}
	return nil, nil
}

func (WriteGenerator) Prepare(*Prepare) (*Kernel, error) {
	return &Kernel{Choice: "copy", Parallel: 1, Run: func(c *Call) error {
		if g, ok := c.Context.Value(generatorKey{}).(*Generator); ok {
			*g = *stateOf(c.In[0])
		}
		return nil
	}}, nil
}

// HasEffect is true: it stays though it gives nothing.
func (WriteGenerator) HasEffect() bool { return true }

// SeedGenerator gives the state that torch.manual_seed makes. Input: an int64 without dimensions. Output: int32 [628].
type SeedGenerator struct{}

func (SeedGenerator) Name() string { return "seed_generator" }

func (op SeedGenerator) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if in[0].DType != tensor.Int64 || len(in[0].Shape) != 0 {
		return nil, Errorf(op, in, "it takes an int64 without dimensions")
	}
	return []Type{generatorType()}, nil
}

func (SeedGenerator) Prepare(*Prepare) (*Kernel, error) {
	return &Kernel{Choice: "seed", Parallel: 1, Run: func(c *Call) error {
		stateOf(c.Out[0]).Seed(c.In[0].Int64s()[0])
		return nil
	}}, nil
}

// RandomFn is a distribution.
type RandomFn uint8

// The distributions, with Random's A and B here called a and b. Floats of 16 bits are drawn as PyTorch does but for Normal.
const (
	Uniform     RandomFn = iota // from a to b; with Each, 1 where an element is positive, for which none is drawn, as torch.rrelu has it
	Normal                      // mean a, deviation b
	LogNormal                   // exp of that
	Exponential                 // rate a
	Geometric                   // chance a
	Cauchy                      // median a, scale b
	Bernoulli                   // chance a, or with Each that of each element
	Integers                    // from Low to High, which is not among them
	AnyInteger                  // of all that the type has
	Permutation                 // of the indices of a vector
	numRandomFns
)

var randomNames = [numRandomFns]string{"uniform", "normal", "log_normal", "exponential", "geometric", "cauchy", "bernoulli", "integers", "any_integer", "permutation"}

// String returns the name: "uniform".
//
//go:noinline
func (f RandomFn) String() string {
	if f < numRandomFns {
		return randomNames[f]
	}
	return fmt.Sprintf("RandomFn(%d)", uint8(f))
}

// MarshalText returns the name.
func (f RandomFn) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText takes a name that String gives.
func (f *RandomFn) UnmarshalText(text []byte) error {
	i := slices.Index(randomNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown distribution %q", text)
	}
	*f = RandomFn(i)
	return nil
}

// Random draws from a distribution what PyTorch draws on a CPU from a generator in the same state, in a build without MKL. Integers, Uniform and
// Bernoulli are equal in every bit, the others up to rounding.
//
// Inputs: the state of a generator, and a value whose shape the result has; with Each its elements, of which float64 takes numbers of
// 53 bits, are the chances. Outputs: the numbers, and the state behind them.
type Random struct {
	Fn        RandomFn
	DType     tensor.DType
	A, B      float64
	Low, High int64
	Each      bool
	// OneByOne draws normal numbers one by one, as PyTorch does for a tensor whose elements do not follow one another in memory, not in blocks.
	OneByOne bool
}

//go:noinline
func (op Random) Name() string { return op.Fn.String() }

func (op Random) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	like := in[1]
	float := op.DType.IsFloat()
	switch {
	case !isGenerator(in[0]):
		return nil, Errorf(op, in, "input 0 must be the state of a generator")
	case op.Fn >= numRandomFns || op.DType.Size() == 0 || like.Q != nil:
		return nil, Errorf(op, in, "there is no distribution %v of %v", op.Fn, op.DType)
	case op.Fn <= Cauchy && !float:
		return nil, Errorf(op, in, "%v is of floats", op.Fn)
	case op.Fn == Normal && op.DType.Size() < 4:
		return nil, &UnsupportedError{Op: op.Name(), Reason: "numbers of 16 bits"}
	case op.Fn == Integers && op.High <= op.Low:
		return nil, Errorf(op, in, "there is no number from %d to %d", op.Low, op.High)
	case op.Fn == Permutation && (len(like.Shape) != 1 || op.DType != tensor.Int64):
		return nil, Errorf(op, in, "a permutation is a vector of int64")
	case op.Each && (op.Fn != Bernoulli && op.Fn != Uniform || !like.DType.IsFloat()):
		return nil, Errorf(op, in, "only chances and slopes of floats follow from elements")
	}
	for _, p := range []struct {
		ok   bool
		what string
	}{
		{op.Fn != Normal && op.Fn != LogNormal || op.B >= 0, "the deviation must not be negative"},
		{op.Fn != Exponential || op.A > 0, "the rate must be positive"},
		{op.Fn != Geometric || op.A > 0 && op.A < 1, "the chance must be between 0 and 1"},
		{op.Fn != Bernoulli || op.A >= 0 && op.A <= 1, "a chance must be between 0 and 1"},
	} {
		if !p.ok {
			return nil, Errorf(op, in, "%s", p.what)
		}
	}
	return []Type{{DType: op.DType, Shape: like.Shape}, generatorType()}, nil
}

// randomBlock is how many normal numbers are made together.
const randomBlock = 16

func (op Random) Prepare(p *Prepare) (*Kernel, error) {
	n := p.Out[0].Numel()
	store, storeInts := storer[float64](op.DType), storer[int64](op.DType)
	load := loader[float64](p.In[1].DType)
	return &Kernel{
		Run: func(c *Call) error {
			state := stateOf(c.Out[1])
			*state = *stateOf(c.In[0])
			switch {
			case op.Fn == Permutation:
				state.permute(row[int64](base(c.Out[0]), 0, n))
			case op.Fn >= Integers:
				op.integers(c, state, n, scratchOf[int64](c.Scratch, 0, randomBlock), storeInts)
			case op.Fn == Normal && n >= randomBlock && !op.OneByOne:
				op.normals(c, state, n, scratchOf[float64](c.Scratch, 0, randomBlock), store)
			case op.Each:
				return op.each(c, state, n, scratchOf[float64](c.Scratch, 0, randomBlock), store, load)
			default:
				op.floats(c, state, n, scratchOf[float64](c.Scratch, 0, randomBlock), store)
			}
			return nil
		},
		Scratch:  8 * randomBlock,
		Choice:   "mt19937",
		Parallel: 1,
	}, nil
}

// permute draws a permutation (Fisher and Yates 1938).
func (g *Generator) permute(at []int64) {
	for i := range at {
		at[i] = int64(i)
	}
	for i := range len(at) - 1 {
		z := i + int(uint64(g.uint32())%uint64(len(at)-i))
		at[i], at[z] = at[z], at[i]
	}
}

// span returns how many integers there are to draw from, and whether 64 bits are drawn for one: of many, so that all are as likely.
func (op Random) span() (n uint64, wide bool) {
	if op.Fn == Integers {
		n = uint64(op.High) - uint64(op.Low)
		return n, n >= 1<<28
	}
	switch op.DType {
	case tensor.Bool:
		return 2, false
	case tensor.Float16:
		return 1<<11 + 1, false
	case tensor.BFloat16:
		return 1<<8 + 1, false
	case tensor.Float32:
		return 1<<24 + 1, false
	case tensor.Float64:
		return 1<<53 + 1, true
	case tensor.Uint8:
		return 1 << 8, false
	}
	return 1 << (8*op.DType.Size() - 1), op.DType == tensor.Int64
}

func (op Random) integers(c *Call, g *Generator, n int, buf []int64, store storeFunc[int64]) {
	span, wide := op.span()
	for at := 0; at < n; at += len(buf) {
		part := buf[:min(len(buf), n-at)]
		for i := range part {
			if wide {
				part[i] = int64(g.uint64()%span) + op.Low
			} else {
				part[i] = int64(uint64(g.uint32())%span) + op.Low
			}
		}
		store(base(c.Out[0]), at, part)
	}
}

// normals draws 16 numbers at a time, and of what is left over the last 16 again.
func (op Random) normals(c *Call, g *Generator, n int, buf []float64, store storeFunc[float64]) {
	for at := 0; at < n; at += randomBlock {
		if at+randomBlock > n {
			// Those of the last block that are drawn twice were drawn for whole blocks first.
			for i := range n - at {
				buf[i] = op.uniform(g)
			}
			at = n - randomBlock
		}
		for i := range buf {
			buf[i] = op.uniform(g)
		}
		for i := range randomBlock / 2 {
			u, v := 1-buf[i], buf[i+randomBlock/2]
			radius, angle := math.Sqrt(-2*math.Log(u)), 2*math.Pi*v
			if op.DType == tensor.Float32 {
				radius, angle = float64(float32(radius)), float64(float32(2*math.Pi)*float32(v))
			}
			buf[i], buf[i+randomBlock/2] = float64(radius*math.Cos(angle)*op.B)+op.A, float64(radius*math.Sin(angle)*op.B)+op.A
		}
		store(base(c.Out[0]), at, buf)
	}
}

// uniform returns a number in [0, 1) with as many bits as the type has.
func (op Random) uniform(g *Generator) float64 {
	switch op.DType {
	case tensor.Float64:
		return g.double()
	case tensor.Float16:
		return float64(g.uint32()&(1<<11-1)) / (1 << 11)
	case tensor.BFloat16:
		return float64(g.uint32()&(1<<8-1)) / (1 << 8)
	}
	return g.single()
}

func (op Random) floats(c *Call, g *Generator, n int, buf []float64, store storeFunc[float64]) {
	for at := 0; at < n; at += len(buf) {
		part := buf[:min(len(buf), n-at)]
		for i := range part {
			part[i] = op.sample(g)
		}
		store(base(c.Out[0]), at, part)
	}
}

func (op Random) sample(g *Generator) float64 {
	switch op.Fn {
	case Uniform:
		from, span := op.A, op.B-op.A
		if op.DType == tensor.Float32 {
			from, span = float64(float32(op.A)), float64(float32(op.B)-float32(op.A))
		}
		return math.FMA(op.uniform(g), span, from) // as PyTorch's kernels do
	case Normal:
		return float64(g.normal()*op.B) + op.A
	case LogNormal:
		return math.Exp(float64(g.normal()*op.B) + op.A)
	case Exponential:
		return -1 / op.A * math.Log1p(-g.double())
	case Geometric:
		return math.Ceil(math.Log(g.double()) / math.Log1p(-op.A))
	case Cauchy:
		return op.A + float64(op.B*math.Tan(math.Pi*(g.double()-0.5)))
	}
	if g.double() < op.A {
		return 1
	}
	return 0
}

// each draws with the chance of each element, or where it is not positive.
func (op Random) each(c *Call, g *Generator, n int, buf []float64, store storeFunc[float64], load loadFunc[float64]) error {
	double := c.In[1].DType() == tensor.Float64
	for at := 0; at < n; at += len(buf) {
		part := buf[:min(len(buf), n-at)]
		load(part, base(c.In[1]), at, 1)
		for i, p := range part {
			if op.Fn == Uniform {
				if part[i] = 1; p <= 0 {
					part[i] = math.FMA(g.double(), op.B-op.A, op.A)
				}
				continue
			}
			if !(p >= 0 && p <= 1) {
				return &ValueError{op.Name(), fmt.Sprintf("a chance of %v, which must be between 0 and 1", p)}
			}
			u := 0.0
			if double {
				u = g.double()
			} else {
				u = g.single()
			}
			if part[i] = 0; u < p {
				part[i] = 1
			}
		}
		store(base(c.Out[0]), at, part)
	}
	return nil
}

// Grad is none: what is drawn does not depend on anything.
func (Random) Grad(_ GradBuilder, in, _, _ []Ref, _ []bool) []Ref { return make([]Ref, len(in)) }

// Package ops defines what an operator is and holds the float operators, one
// file each. An operator is a small Go struct of attributes; it infers types,
// prepares a kernel for given shapes, and the kernel runs without allocating.
package ops

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Type is what is known of a value before it is computed.
type Type struct {
	DType tensor.DType
	Shape tensor.Shape
	Q     *tensor.QParams // of a quantized value, else nil
	Known *tensor.Tensor  // the value itself where it is known: constants, and what follows from shapes alone
}

// F32 returns the type of a float32 value.
func F32(shape ...int) Type { return Type{DType: tensor.Float32, Shape: shape} }

// TypeOf returns the type of a constant, which is known.
func TypeOf(t *tensor.Tensor) Type {
	return Type{DType: t.DType(), Shape: t.Shape(), Q: t.QParams(), Known: t}
}

// Numel returns the number of elements; the shape is one that Infer accepted.
//
//go:noinline
func (t Type) Numel() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Bytes returns the size of the value in memory.
func (t Type) Bytes() int { return t.Numel() * t.DType.Size() }

// String formats the type as in graph dumps: "f32[1, 3, 32, 32]" or "u8(scale=0.02, zero=3)[1, 64]".
func (t Type) String() string {
	if t.Q != nil {
		return t.Q.String() + t.Shape.String()
	}
	return t.DType.Short() + t.Shape.String()
}

// AllEmpty reports whether no value of the types has an element, so that there
// is nothing to compute. Kernels are not prepared for such outputs.
func AllEmpty(types []Type) bool {
	for _, t := range types {
		if t.Numel() != 0 {
			return false
		}
	}
	return true
}

// Op is an operator with its attributes. An Op is a value: it is not changed
// once it is in a graph, and any number of goroutines may use it.
type Op interface {
	// Name returns the operator's name in dumps and reports: "conv2d".
	Name() string
	// Infer returns the types of the outputs for inputs of the given types. All
	// checking of shapes and element types happens here.
	Infer(in []Type) ([]Type, error)
	// Prepare chooses and prepares a kernel for types that Infer accepted.
	Prepare(p *Prepare) (*Kernel, error)
}

// Viewer is implemented by operators whose output may be the bytes of their
// first input under another shape. Such a node costs nothing when IsView holds.
type Viewer interface {
	Op
	IsView(in, out []Type) bool
}

// ChannelsLaster is implemented by operators that can compute on images with
// the channels as the last dimension (NHWC) instead of the second.
type ChannelsLaster interface {
	Op
	// ChannelsLast returns the operator for inputs and outputs whose dimensions
	// were permuted so, given the types before it, and false where there is none.
	// Inputs of the listed indices are permuted; others are left as they are.
	ChannelsLast(in []Type) (op Op, inputs []int, ok bool)
}

// WantsChannelsLast reports whether the operator computes only, or much faster, with the channels last: one of
// whose methods says so. Others take the layout that they find.
func WantsChannelsLast(op Op) bool {
	w, ok := op.(interface{ WantsChannelsLast() bool })
	return ok && w.WantsChannelsLast()
}

// Prepare is what an operator knows when it prepares a kernel.
type Prepare struct {
	In, Out []Type
	Tier    asm.Tier
	Threads int
	// Pack returns what build makes, once for each key: packed weights are
	// shared by all plans of a session. The key must name the constant and the packing.
	Pack func(key any, build func() any) any
	// Share does the same for what belongs to the shapes of one plan.
	Share func(key any, build func() any) any
	// MaxMemory bounds the bytes that a graph inside the operator may take; 0 means no bound.
	MaxMemory int64
	// MaxPacked bounds the bytes of packed weights over those of the weights; 0 means no bound.
	MaxPacked float64
	// Repacked lists inputs, all of them constants, that the kernel keeps in a form of its own and does not read when it runs.
	// The operator fills it in.
	Repacked []int
}

// Parts returns a function that reads bytes of the elements of input i from an offset on, a constant that then need not be in memory: see tensor.Tensor.Parts. It is nil where
// the input has to be in memory.
func (p *Prepare) Parts(i int) (func(dst []byte, offset int) error, error) {
	t := p.In[i].Known
	if t == nil {
		return nil, nil
	}
	read, err := t.Parts()
	if read != nil {
		p.Repacked = append(p.Repacked, i)
	}
	return read, err
}

// Packed returns the packed form of a constant, made once per session.
//
//go:noinline
func Packed[T any](p *Prepare, key any, build func() T) T { return once(p.Pack, key, build) }

// shared returns what several kernels of a plan have in common, made once.
//
//go:noinline
func shared[T any](p *Prepare, key any, build func() T) T { return once(p.Share, key, build) }

// Parallel calls f for every i in [0, n), on as many goroutines as the session has
// threads: for the packing of constants, which is most of what loading a model takes.
func (p *Prepare) Parallel(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	work := func() {
		for i := next.Add(1); i <= int64(n); i = next.Add(1) {
			f(int(i - 1))
		}
	}
	for range min(p.Threads, n) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

//go:noinline
func once[T any](cache func(any, func() any) any, key any, build func() T) T {
	if cache == nil {
		return build()
	}
	return cache(key, func() any { return build() }).(T)
}

// Kernel is an operator prepared for given shapes. Run is safe for concurrent
// calls, each with its own Call.
type Kernel struct {
	// Run computes the outputs. It returns an error only for what values, not
	// shapes, can cause, such as an index out of range.
	Run func(c *Call) error
	// Scratch is the shared memory one call needs, in bytes.
	Scratch int
	// WorkerScratch and WorkerPointers are the memory each worker needs, in
	// bytes and in pointers.
	WorkerScratch, WorkerPointers int
	// Choice says which kernel, tile and split were chosen, for people to read (graph.Session.Plan).
	Choice string
	// Warning says what a user should know of the choice; "" where there is nothing to say.
	Warning string
	// Parallel is the number of independent tasks of the largest phase.
	Parallel int
	// Weights are packed constants that a call reads first, which the kernel before
	// may bring near; nil without any.
	Weights []byte
	// Interruptible says that all tasks only compute numbers, which no other decides a place in memory by: the rest of
	// them may be left out when the context is done, since nobody looks at the outputs then.
	Interruptible bool
}

// scratchBytes returns the product of sizes that are not negative, or math.MaxInt, which no plan allows, where it is more: it would wrap around where ints have 32 bits.
//
//go:noinline
func scratchBytes(sizes ...int) int {
	n := 1
	for _, s := range sizes {
		if s > 0 && n > math.MaxInt/s {
			return math.MaxInt
		}
		n *= s
	}
	return n
}

// Call carries the tensors and memory of one run of a kernel.
type Call struct {
	In, Out []*tensor.Tensor
	Scratch []byte // Kernel.Scratch bytes, aligned to a cache line, with any content
	Workers []Worker
	Pool    *Pool           // nil: everything runs on the caller
	Context context.Context // nil: of a call within another, which looks itself
	Next    []byte          // Kernel.Weights of a call that follows, or nil
	Done    <-chan struct{} // leaves out tasks once it is closed; nil: never
	// Kept is what the kernel made for this call and keeps for the runs that use it
	// again. It goes with the call's memory.
	Kept any

	job job
}

// Worker is the memory of one worker during a call.
type Worker struct {
	Scratch  []byte           // Kernel.WorkerScratch bytes, aligned, with any content
	Pointers []unsafe.Pointer // Kernel.WorkerPointers entries

	Args asm.Args // of kernel calls
}

// Task is the part of a kernel that runs in parallel: index i of n.
type Task func(c *Call, i int, w *Worker)

// Parallel runs task for every index below n on the call's workers and returns
// when all are done. Tasks must not depend on their order or on the worker.
func (c *Call) Parallel(n int, task Task) {
	if c.Pool == nil || n <= 1 || c.Pool.threads == 1 || len(c.Workers) == 1 {
		for i := 0; i < n && !c.interrupted(); i++ {
			task(c, i, &c.Workers[0])
		}
		return
	}
	c.Pool.run(c, n, task)
}

// interrupted reports whether the tasks that are left may be left out.
func (c *Call) interrupted() bool {
	select {
	case <-c.Done:
		return true
	default:
		return false
	}
}

// RunKernel runs one prepared kernel outside a session, with memory of its own:
// for constant folding and tests.
func RunKernel(k *Kernel, pool *Pool, in, out []*tensor.Tensor) error {
	if need := int64(k.Scratch) + int64(pool.Threads())*int64(k.WorkerScratch); k.Scratch < 0 || k.WorkerScratch < 0 || need < 0 || need > math.MaxInt/2 {
		return fmt.Errorf("ops: %s takes more scratch memory than can be addressed", k.Choice)
	}
	each := (k.WorkerScratch + 63) &^ 63
	memory := scratch.Get().(*[]byte)
	if need := k.Scratch + pool.Threads()*each; need > len(*memory) {
		*memory = tensor.AlignedBytes(need)
	}
	rest := (*memory)[pool.Threads()*each:]
	c := &Call{In: in, Out: out, Scratch: rest[:k.Scratch:k.Scratch], Pool: pool, Workers: make([]Worker, pool.Threads()), Context: context.Background()}
	for i := range c.Workers {
		c.Workers[i] = Worker{Scratch: (*memory)[i*each:][:k.WorkerScratch:k.WorkerScratch], Pointers: make([]unsafe.Pointer, k.WorkerPointers)}
	}
	err := k.Run(c)
	if len(*memory) <= maxScratch {
		scratch.Put(memory)
	}
	return err
}

// scratch is memory of kernels that ran once, for others: while a graph is made thousands of numbers are computed so.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// maxScratch bounds what is kept of one.
const maxScratch = 1 << 18

// Eval infers, prepares and runs one operator on tensors.
func Eval(op Op, tier asm.Tier, pool *Pool, in ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	types := make([]Type, len(in))
	for i, t := range in {
		in[i] = t.Contiguous()
		types[i] = TypeOf(in[i])
	}
	outTypes, err := op.Infer(types)
	if err != nil {
		return nil, err
	}
	out := make([]*tensor.Tensor, len(outTypes))
	if len(out) > 0 {
		if out[0], err = inPrivate(op, in, types, outTypes[0]); err != nil {
			return nil, err
		}
	}
	for _, t := range in {
		if err := t.Load(); err != nil {
			return nil, err
		}
	}
	known := true
	for i, o := range outTypes {
		if o.Known != nil {
			out[i] = o.Known
			continue
		}
		known = false
		if out[i] != nil {
			continue
		}
		t, err := tensor.New(o.DType, o.Shape...)
		if err != nil {
			return nil, err
		}
		out[i] = t.WithQParams(o.Q)
	}
	if known || AllEmpty(outTypes) {
		return out, nil
	}
	k, err := op.Prepare(&Prepare{In: types, Out: outTypes, Tier: tier, Threads: pool.Threads()})
	if err != nil {
		return nil, err
	}
	return out, RunKernel(k, pool, in, out)
}

// inPrivate returns the tensor for a result that may lie in the memory of an input, where that can be read anew into memory of its own, which the input then has; else nil:
// a large weight need not be in memory twice.
func inPrivate(op Op, in []*tensor.Tensor, types []Type, out Type) (*tensor.Tensor, error) {
	placer, ok := op.(InPlacer)
	if !ok || out.Known != nil {
		return nil, nil
	}
	for _, i := range placer.InPlace(types) {
		if types[i].DType != out.DType || !types[i].Shape.Equal(out.Shape) {
			continue
		}
		own, err := in[i].Private()
		if err != nil {
			return nil, err
		}
		if own != nil {
			in[i] = own
			return own.WithQParams(out.Q), nil
		}
	}
	return nil, nil
}

// OutputsStayer is implemented by channels-last operators whose outputs are not
// images and keep their dimensions.
type OutputsStayer interface{ OutputsStay() }

// ImageOutputter is implemented by channels-last operators of which only the
// first outputs are images; the others keep their dimensions.
type ImageOutputter interface{ ImageOutputs() int }

// InPlacer is implemented by operators whose kernels read an element of some inputs before they write that of the
// first output, and never again: it may lie in the memory of one of them.
type InPlacer interface {
	Op
	// InPlace lists the inputs, of the given types, whose memory the output may take when it is of the same size.
	InPlace(in []Type) []int
}

package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// dice make choices from bytes, so that a fuzzer can steer them, and from a
// generator where there is one.
type dice struct {
	data []byte
	r    *rand.Rand
	last int
}

// roll returns a number below n, which is at most 256.
func (d *dice) roll(n int) int {
	if d.r != nil {
		return d.r.IntN(n)
	}
	if len(d.data) == 0 {
		return 0
	}
	v := int(d.data[0])
	d.data = d.data[1:]
	return v % n
}

// int returns a number: small, extreme, or the one before, since overflows need
// attributes that go together.
func (d *dice) int() int {
	switch d.roll(5) {
	case 0:
		d.last = extreme[d.roll(len(extreme))]
	case 1, 2:
		d.last = d.roll(8) - 1
	case 3:
		return d.last / 2
	}
	return d.last
}

var extreme = []int{-2, -7, 7, 16, 17, 64, 255, 1000, 1 << 15, 1 << 20, 1 << 21, 1 << 24, 1 << 30, saturated(1 << 31), saturated(1 << 33), saturated(1 << 40), saturated(1<<46 + 1), saturated(1 << 61), saturated(1 << 62),
	math.MaxInt, math.MaxInt - 1, math.MinInt, math.MinInt + 1, -1 << 31, -saturated(1 << 40), math.MaxInt32, math.MinInt32}

// change changes one thing in a value.
func (d *dice) change(v reflect.Value) {
	if _, ok := v.Addr().Interface().(*tensor.DType); ok {
		v.SetUint(uint64(d.roll(int(tensor.Bool) + 2)))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		if n := int64(d.int()); !v.OverflowInt(n) {
			v.SetInt(n)
		}
	case reflect.Uint8:
		v.SetUint(uint64(d.roll(64)))
	case reflect.Float32, reflect.Float64:
		v.SetFloat([]float64{0, 1, -1, 0.5, 1e-30, 1e30, math.Inf(1), math.Inf(-1), math.NaN()}[d.roll(9)])
	case reflect.String:
		v.SetString([]string{"", "a", "ii->i", "...ij,jk", "ab,cd->abcd", "i,,->", "i->ij", "->", "a->aa"}[d.roll(9)])
	case reflect.Slice:
		switch n := v.Len(); d.roll(7) {
		case 0:
			v.SetZero()
		case 1: // longer
			w := reflect.MakeSlice(v.Type(), n+1, n+1)
			reflect.Copy(w, v)
			d.change(w.Index(n))
			v.Set(w)
		case 2:
			if n > 0 {
				v.Set(v.Slice(0, n-1))
			}
		case 3: // all alike
			w := reflect.MakeSlice(v.Type(), n, n)
			for i := range n {
				w.Index(i).Set(v.Index(i))
				if i == 0 {
					d.change(w.Index(0))
				} else {
					w.Index(i).Set(w.Index(0))
				}
			}
			v.Set(w)
		default:
			if n > 0 {
				w := reflect.MakeSlice(v.Type(), n, n)
				reflect.Copy(w, v)
				d.change(w.Index(d.roll(n)))
				v.Set(w)
			}
		}
	case reflect.Array:
		d.change(v.Index(d.roll(v.Len())))
	case reflect.Pointer:
		if v.IsNil() || d.roll(6) == 0 {
			v.SetZero()
			if d.roll(2) == 0 {
				v.Set(reflect.New(v.Type().Elem()))
			}
			return
		}
		w := reflect.New(v.Type().Elem())
		w.Elem().Set(v.Elem())
		d.change(w.Elem())
		v.Set(w)
	case reflect.Struct:
		if v.NumField() > 0 {
			d.change(v.Field(d.roll(v.NumField())))
		}
	}
}

// hostile makes a use of an operator that may be wrong in any way.
func (d *dice) hostile(cases []opCase) opCase {
	c := cases[d.roll(len(cases))]
	op := reflect.New(reflect.TypeOf(c.op)).Elem()
	op.Set(reflect.ValueOf(c.op))
	in := append([]operand(nil), c.in...)
	for range d.roll(6) {
		if d.roll(2) == 0 {
			d.change(op)
			continue
		}
		switch k := d.roll(8); {
		case k == 0:
			in = append(in, f32(d.roll(4)))
		case k == 1 && len(in) > 0:
			in = in[:len(in)-1]
		case k == 2 && len(in) > 0:
			i := d.roll(len(in))
			in[i].konst = !in[i].konst
		case len(in) > 0:
			x := &in[d.roll(len(in))]
			switch d.roll(4) {
			case 0:
				x.dtype = tensor.DType(d.roll(int(tensor.Bool) + 2))
				if d.roll(2) == 0 {
					x.q = nil
				}
			case 1:
				d.change(reflect.ValueOf(&x.q).Elem())
			default:
				d.change(reflect.ValueOf(&x.shape).Elem())
			}
		}
	}
	return opCase{op.Interface().(ops.Op), in}
}

// build makes a graph of the operator, or nil where an input is none that a
// file can hold or is too large for a test.
func (c opCase) build(d *dice) (*graph.Graph, error) {
	g := graph.New()
	var in []*graph.Value
	for i, x := range c.in {
		if n, err := tensor.Shape(x.shape).Numel(); err != nil || x.dtype.Size() == 0 || fitQParams(x.q, x.dtype, x.shape) != nil || x.konst && n > 1<<16 {
			return nil, nil
		}
		if !x.konst {
			v := g.Input(fmt.Sprint("x", i), x.dtype, x.shape...)
			v.Type.Q = x.q
			in = append(in, v)
			continue
		}
		t := fillTensor(x.dtype, x.shape, d)
		in = append(in, g.Const(fmt.Sprint("c", i), t.WithQParams(x.q)))
	}
	out, err := g.Add(graph.Scope{Path: "op"}, c.op, in...)
	if err != nil {
		return nil, err
	}
	// What may be fused into the operator, or pushes layouts through it.
	for range d.roll(3) {
		if len(out) == 0 {
			break
		}
		next := []ops.Op{ops.Unary{Fn: ops.ReLU}, ops.Binary{Fn: ops.Add}, ops.Flatten{Start: 0, End: -1}, ops.Unary{Fn: ops.ReLU6},
			threeByThree, int8.Dequantize{}, ops.Slice{Axis: -1, End: 3, Step: 1}}[d.roll(7)]
		args := out[:1]
		switch next.(type) {
		case ops.Binary:
			args = []*graph.Value{out[0], out[0]}
		case ops.Conv:
			args = []*graph.Value{out[0], g.Const("w", must(tensor.New(tensor.Float32, 4, 3, 3, 3))), g.Const("b", must(tensor.New(tensor.Float32, 4)))}
		}
		more, err := g.Add(graph.Scope{}, next, args...)
		if err != nil {
			break
		}
		out = more
	}
	g.SetOutputs(out...)
	return g, nil
}

// fillTensor returns a tensor of small numbers, wrong indices among them.
func fillTensor(dtype tensor.DType, shape []int, d *dice) *tensor.Tensor {
	if dtype.IsComplex() {
		parts := fillTensor(dtype.Part(), append(slices.Clone(shape), 2), d)
		return must(tensor.FromBytes(dtype, parts.Bytes(), shape...))
	}
	n := must(tensor.Shape(shape).Numel())
	values := must(tensor.New(tensor.Int64, n))
	step, below := d.roll(7), d.roll(3)
	for i := range n {
		values.Int64s()[i] = int64((i*step+1)%11 - below)
	}
	return must(must(values.To(dtype)).Reshape(shape...))
}

// heapAllocs returns the bytes allocated since the start.
func heapAllocs() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

const testMemory = 4 << 20

// try compiles and, where that is little work, runs a graph. Errors are fine;
// panics, faults and memory far above the limit are not.
func try(t *testing.T, g *graph.Graph, d *dice) (ran bool) {
	before := heapAllocs()
	s, err := g.Compile(graph.Options{Threads: 1, MaxMemory: testMemory})
	if grown := heapAllocs() - before; grown > 256<<20 { // constants are folded within a budget of their own
		t.Errorf("compiling takes %d bytes", grown)
	}
	if err != nil {
		return false
	}
	defer s.Close()
	work := 1
	for _, v := range g.Inputs {
		work += v.Type.Numel()
	}
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			work = max(work, work*max(v.Type.Numel(), 1))
			if work > 1<<22 {
				return false
			}
		}
	}
	var in []*tensor.Tensor
	for _, v := range g.Inputs {
		in = append(in, fillTensor(v.Type.DType, v.Type.Shape, d))
	}
	_, err = s.Run(context.Background(), in...)
	return err == nil
}

// try makes a graph of the operator and tries it, as a hostile file can hold it.
func (c opCase) try(t *testing.T, d *dice) (ran bool) {
	debug.SetPanicOnFault(true)
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%#v of %v: %v\n%s", c.op, c.in, p, debug.Stack())
		}
	}()
	before := heapAllocs()
	g, err := c.build(d)
	if grown := heapAllocs() - before; grown > 16*testMemory {
		t.Errorf("%#v of %v: types take %d bytes", c.op, c.in, grown)
	}
	if g == nil || err != nil {
		return false
	}
	ran = try(t, g, d)
	if t.Failed() {
		t.Logf("%#v of %v", c.op, c.in)
	}
	return ran
}

// TestOperatorCases checks that the cases cover all operators and run.
func TestOperatorCases(t *testing.T) {
	covered := make(map[string]bool)
	for _, c := range opCases() {
		switch c.op.(type) {
		case ops.Assert, ops.WriteGenerator: // have no outputs; the first fails with what the others get
			covered[operatorName(c.op)] = true
		}
		d := &dice{}
		if g, err := c.build(d); err == nil && g != nil && try(t, g, d) {
			covered[operatorName(c.op)] = true
		}
	}
	for _, o := range savedOperators() {
		if !covered[o.Name] {
			t.Errorf("no case of %s runs: opCases in opcases_test.go needs an accepted use of it", o.Name)
		}
	}
}

// TestHostileOperators compiles and runs operators with attributes and inputs
// as a hostile file can hold them.
func TestHostileOperators(t *testing.T) {
	cases := append(opCases(), bombs()...)
	n := 10000
	if testing.Short() {
		n = 3000
	}
	ran := 0
	for i := range n {
		d := &dice{r: rand.New(rand.NewPCG(uint64(i), 7))}
		if d.hostile(cases).try(t, d) {
			ran++
		}
		if t.Failed() {
			t.Fatalf("seed %d", i)
		}
	}
	if ran < n/10 {
		t.Errorf("only %d of %d graphs ran: the changes are too wild to test anything", ran, n)
	}
}

// setInteger sets the integer at place i of all that a value holds, in slices that are copied for it, and returns how many are left to count, negative once it is set.
func setInteger(v reflect.Value, i int, n int64) int {
	switch v.Kind() {
	case reflect.Int, reflect.Int32, reflect.Int64:
		if i == 0 && !v.OverflowInt(n) {
			v.SetInt(n)
		}
		return i - 1
	case reflect.Slice:
		w := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(w, v)
		v.Set(w)
		for k := 0; k < w.Len() && i >= 0; k++ {
			i = setInteger(w.Index(k), i, n)
		}
	case reflect.Struct:
		for k := 0; k < v.NumField() && i >= 0; k++ {
			i = setInteger(v.Field(k), i, n)
		}
	}
	return i
}

// TestHugeIntegers sets each integer of each operator alone to numbers that nothing has as many of: an operator that makes something of
// a count before it compares the count with its inputs takes memory or never ends.
func TestHugeIntegers(t *testing.T) {
	tried := 0
	for _, c := range opCases() {
		for i, more := 0, true; more; i++ {
			for _, n := range []int64{1 << 24, math.MaxInt32, math.MaxInt64, -1, math.MinInt64} {
				op := reflect.New(reflect.TypeOf(c.op)).Elem()
				op.Set(reflect.ValueOf(c.op))
				if more = setInteger(op, i, n) < 0; !more {
					break
				}
				opCase{op.Interface().(ops.Op), c.in}.try(t, &dice{})
				tried++
			}
		}
	}
	if tried < 1000 {
		t.Errorf("%d operators tried", tried)
	}
}

// TestBombs checks that what cannot fit is refused before memory is taken.
func TestBombs(t *testing.T) {
	for _, c := range bombs() {
		d := &dice{}
		g, err := c.build(d)
		if err != nil {
			var shape *ops.ShapeError
			if !errors.As(err, &shape) && !strings.Contains(err.Error(), "too many elements") {
				t.Errorf("%#v: %v", c.op, err)
			}
			continue
		}
		if g == nil && narrow {
			continue // tensors that can't be addressed
		}
		if g == nil {
			t.Errorf("%#v: the inputs of the case are wrong", c.op)
			continue
		}
		before := heapAllocs()
		s, err := g.Compile(graph.Options{Threads: 1, MaxMemory: testMemory})
		var memory *graph.MemoryError
		if err == nil {
			s.Close()
		} else if !errors.As(err, &memory) || memory.Limit != testMemory {
			t.Errorf("%#v: %v", c.op, err)
		}
		if fits := try(t, g, d); err != nil && fits {
			t.Errorf("%#v: ran within %d bytes", c.op, testMemory)
		}
		if grown := heapAllocs() - before; grown > 8*testMemory {
			t.Errorf("%#v took %d bytes", c.op, grown)
		}
	}
}

func FuzzOperators(f *testing.F) {
	cases := append(opCases(), bombs()...)
	for i := range cases {
		f.Add([]byte{byte(i)})
		f.Add([]byte{byte(i), 1, 0, 1, 2, 3, 4})
	}
	f.Fuzz(func(t *testing.T, data []byte) { d := &dice{data: data}; d.hostile(cases).try(t, d) })
}

// FuzzModel reads a graph from text, with the tensors of small models, and
// tries what is accepted.
func FuzzModel(f *testing.F) {
	tensors := make(map[string]*tensor.Tensor)
	seed := func(g *graph.Graph) {
		text, list, err := encodeModel(g, SaveOptions{})
		if err != nil {
			f.Fatal(err)
		}
		for _, n := range list {
			tensors[n.Name] = n.Tensor
		}
		f.Add(text)
	}
	seed(floatNet(f))
	seed(int8Net(f))
	for _, c := range opCases() {
		if g, err := c.build(&dice{}); err == nil && g != nil {
			seed(g)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		var m modelRecord
		budget := 1 << 20
		if len(text) > 1<<16 || parseModel(text, &m, &budget) != nil {
			return
		}
		g, err := decodeModel(&m, tensors, &budget)
		if err != nil {
			if !isFileError(err, "") {
				t.Errorf("%v is no FileError", err)
			}
			return
		}
		if try(t, g, &dice{}); t.Failed() {
			t.Log(g)
		}
		again, list, err := encodeModel(g, SaveOptions{})
		if err != nil {
			t.Fatalf("what was loaded cannot be saved: %v", err)
		}
		tensors := make(map[string]*tensor.Tensor)
		for _, n := range list {
			tensors[n.Name] = n.Tensor
		}
		var m2 modelRecord
		budget = 1 << 20
		if err := parseModel(again, &m2, &budget); err != nil {
			t.Fatal(err)
		}
		g2, err := decodeModel(&m2, tensors, &budget)
		if err != nil {
			t.Fatal(err)
		}
		if text2, _, err := encodeModel(g2, SaveOptions{}); err != nil || text2 != again {
			t.Errorf("saved twice, the text differs (%v):\n%s\n%s", err, again, text2)
		}
	})
}

// FuzzLoad reads whole files.
func FuzzLoad(f *testing.F) {
	for _, g := range []*graph.Graph{floatNet(f), int8Net(f)} {
		raw := editModel(f, savedModel(f, g), `{"version":2`, `{"version":2`)
		f.Add(raw)
		f.Add(raw[:len(raw)-1])
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		g, err := LoadFrom(bytes.NewReader(raw), int64(len(raw)))
		switch {
		case err == nil:
			try(t, g, &dice{})
		case !isFileError(err, ""):
			t.Errorf("%v is no FileError", err)
		}
	})
}

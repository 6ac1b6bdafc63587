package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// OperatorRun is what the int8 operators of a model compute, each by itself, on integers drawn from a seed.
type OperatorRun struct {
	// Digest is the SHA-256, in hexadecimal, of the integers that they give: the same on every CPU.
	Digest string
	// Integers and Floats count the operators that give integers, and those that give floats, which are the last of each chain
	// of int8 operators.
	Integers, Floats int

	floats []*tensor.Tensor
	names  []string
}

// floatTolerance bounds how far float outputs of an int8 operator may differ between tiers, over the greatest of them: the integers
// they are computed of are the same, and scaling them rounds once or twice.
const floatTolerance = 1e-6

// RunOperators runs each int8 operator of a concrete model on a CPU tier. Floats that an operator takes are whole numbers too.
func RunOperators(ctx context.Context, g *graph.Graph, tier asm.Tier, seed uint64) (*OperatorRun, error) {
	r := &OperatorRun{}
	sum := sha256.New()
	for i, n := range g.Nodes {
		if !isInt8(n) {
			continue
		}
		out, err := runOperator(ctx, n, tier, rand.New(rand.NewPCG(seed, uint64(i))))
		if err != nil {
			return nil, &graph.NodeError{Pass: "verify", Node: n, Err: err}
		}
		if out[0].DType().IsFloat() {
			r.Floats++
		} else {
			r.Integers++
		}
		for _, t := range out {
			if t.DType().IsFloat() {
				r.floats, r.names = append(r.floats, t), append(r.names, n.Scope.Path)
			} else {
				fmt.Fprintf(sum, "%s %v%v\n", n.Op.Name(), t.DType(), t.Shape())
				_, _ = sum.Write(t.Contiguous().Bytes()) // a digest takes all
			}
		}
	}
	r.Digest = hex.EncodeToString(sum.Sum(nil))
	return r, nil
}

// isInt8 reports whether a node computes on quantized values.
func isInt8(n *graph.Node) bool {
	return strings.HasSuffix(reflect.TypeOf(n.Op).PkgPath(), "/ops/int8") || len(n.Outputs) > 0 && n.Outputs[0].Type.Q != nil
}

// runOperator runs one node on inputs of its types.
func runOperator(ctx context.Context, n *graph.Node, tier asm.Tier, rng *rand.Rand) ([]*tensor.Tensor, error) {
	g := graph.New()
	var values []*graph.Value
	var in []*tensor.Tensor
	for i, v := range n.Inputs {
		known := v.Const
		if known == nil {
			known = v.Type.Known // what follows from shapes
		}
		if known != nil {
			values = append(values, g.Const(v.Name, known))
			continue
		}
		x := g.Input(fmt.Sprintf("input%d", i), v.Type.DType, v.Type.Shape...)
		x.Type.Q = v.Type.Q
		t, err := drawIntegers(v.Type, rng)
		if err != nil {
			return nil, err
		}
		values, in = append(values, x), append(in, t)
	}
	out, err := g.Add(n.Scope, n.Op, values...)
	if err != nil {
		return nil, err
	}
	g.SetOutputs(out...)
	s, err := g.Compile(graph.Options{CPU: tier.String(), Threads: 1})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Run(ctx, in...)
}

// drawIntegers returns a tensor of a type: integers of the range that quantization uses, whole numbers from -100 to 100 as floats, and ones
// where they are indices.
func drawIntegers(t ops.Type, rng *rand.Rand) (*tensor.Tensor, error) {
	wide, err := tensor.New(tensor.Float32, t.Shape...)
	if err != nil {
		return nil, err
	}
	least, most := -100, 100
	switch {
	case t.Q != nil:
		least, most = int(t.Q.Min), int(t.Q.Max)
	case !t.DType.IsFloat():
		least, most = 1, 1
	}
	for i := range wide.Float32s() {
		wide.Float32s()[i] = float32(least + rng.IntN(most-least+1))
	}
	x, err := wide.To(t.DType)
	if err == nil && t.Q != nil {
		x = x.WithQParams(t.Q)
	}
	return x, err
}

// Differs compares two runs of the same operators: it returns how far floats differ at most, over the greatest of their tensor, and
// the first operator that is beyond the tolerance, "" where none is.
func (r *OperatorRun) Differs(other *OperatorRun) (most float64, first string, err error) {
	for i, t := range r.floats {
		a, err := wide(t)
		if err != nil {
			return 0, "", err
		}
		b, err := wide(other.floats[i])
		if err != nil {
			return 0, "", err
		}
		greatest, diff := 0.0, 0.0
		for k, v := range a {
			if v == b[k] || v != v && b[k] != b[k] {
				continue
			}
			diff = math.Max(diff, math.Abs(v-b[k])) // NaN stays
		}
		for _, v := range b {
			greatest = math.Max(greatest, math.Abs(v))
		}
		if diff == 0 {
			continue
		}
		relative := diff / greatest
		if most = math.Max(most, relative); first == "" && !(relative <= floatTolerance) {
			first = r.names[i]
		}
	}
	return most, first, nil
}

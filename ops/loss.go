package ops

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/tensor"
)

// CrossEntropy is the mean negative log-likelihood of the right classes, as
// torch.nn.functional.cross_entropy computes it. Inputs: logits [N, C] float32
// and classes [N] int64, of which those of -100 do not count. Output: the loss, a scalar; NaN where none counts.
type CrossEntropy struct{}

// ignoredClass is PyTorch's default of ignore_index.
const ignoredClass = -100

func (CrossEntropy) Name() string { return "cross_entropy" }

func (op CrossEntropy) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	if in[0].DType != tensor.Float32 || in[1].DType != tensor.Int64 || len(in[0].Shape) != 2 ||
		!in[1].Shape.Equal(in[0].Shape[:1]) || in[0].Numel() == 0 {
		return nil, Errorf(op, in, "it takes float32 logits [N, C] and int64 classes [N]")
	}
	return []Type{F32()}, nil
}

func (op CrossEntropy) Prepare(p *Prepare) (*Kernel, error) {
	classes := p.In[0].Shape[1]
	return &Kernel{
		Run: func(c *Call) error {
			logits, want := c.In[0].Float32s(), c.In[1].Int64s()
			total, counted := 0.0, 0
			for i, class := range want {
				if class == ignoredClass {
					continue
				}
				counted++
				if class < 0 || class >= int64(classes) {
					return &ValueError{op.Name(), fmt.Sprintf("class %d of row %d is outside [0, %d)", class, i, classes)}
				}
				row := logits[i*classes : (i+1)*classes]
				total += logSumExp(row) - float64(row[class])
			}
			c.Out[0].Float32s()[0] = float32(total / float64(counted))
			return nil
		},
		Choice:   "rows",
		Parallel: 1,
	}, nil
}

func logSumExp(row []float32) float64 {
	top := row[0]
	for _, v := range row {
		top = max(top, v)
	}
	sum := 0.0
	for _, v := range row {
		sum += math.Exp(float64(v - top))
	}
	return float64(top) + math.Log(sum)
}

// Grad is (softmax(logits) - one-hot(classes)) / N, 0 for rows that do not count.
func (op CrossEntropy) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	return []Ref{b.Apply(CrossEntropyGrad{}, in[0], in[1], dout[0]), nil}
}

// CrossEntropyGrad is the gradient of CrossEntropy with respect to the logits.
// Inputs: logits, classes, the gradient of the loss.
type CrossEntropyGrad struct{}

func (CrossEntropyGrad) Name() string { return "cross_entropy_grad" }

func (op CrossEntropyGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 3, 3); err != nil {
		return nil, err
	}
	if _, err := (CrossEntropy{}).Infer(in[:2]); err != nil {
		return nil, err
	}
	if in[2].DType != tensor.Float32 || in[2].Numel() != 1 {
		return nil, Errorf(op, in, "the gradient of the loss must be one float32")
	}
	return []Type{F32(in[0].Shape...)}, nil
}

func (op CrossEntropyGrad) Prepare(p *Prepare) (*Kernel, error) {
	classes := p.In[0].Shape[1]
	return &Kernel{
		Run: func(c *Call) error {
			logits, want, d := c.In[0].Float32s(), c.In[1].Int64s(), c.Out[0].Float32s()
			counted := 0
			for _, class := range want {
				if class != ignoredClass {
					counted++
				}
			}
			scale := float64(c.In[2].Float32s()[0]) / float64(counted)
			for i, class := range want {
				if class == ignoredClass {
					clear(d[i*classes : (i+1)*classes])
					continue
				}
				if class < 0 || class >= int64(classes) {
					return &ValueError{op.Name(), fmt.Sprintf("class %d of row %d is outside [0, %d)", class, i, classes)}
				}
				row := logits[i*classes : (i+1)*classes]
				lse := logSumExp(row)
				for j, v := range row {
					g := math.Exp(float64(v) - lse)
					if int64(j) == class {
						g--
					}
					d[i*classes+j] = float32(g * scale)
				}
			}
			return nil
		},
		Choice:   "rows",
		Parallel: 1,
	}, nil
}

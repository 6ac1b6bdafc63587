package ops

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/tensor"
)

// CTCLoss is the connectionist temporal classification loss of sequences, as torch.nn.functional.ctc_loss without a reduction: the
// negative logarithm of the sum over all ways in which the steps give the target, where classes stand for several steps and blanks between.
//
// Inputs: logarithms of probabilities [T, N, C], float32 or float64, and of int64 the targets, [N, S] or one after the other, how many
// steps [N] and how many classes [N] count. Output: the losses [N], infinite for a target that has too many classes for its steps.
// Lengths and classes out of range end a run with a *ValueError.
type CTCLoss struct {
	Blank        int
	ZeroInfinity bool // an infinite loss and its gradient are 0
}

func (CTCLoss) Name() string { return "ctc_loss" }

func (op CTCLoss) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 4, 4); err != nil {
		return nil, err
	}
	x := in[0]
	if x.DType != tensor.Float32 && x.DType != tensor.Float64 || len(x.Shape) != 3 || x.Numel() == 0 {
		return nil, Errorf(op, in, "it takes float32 or float64 [T, N, C]")
	}
	for _, t := range in[1:] {
		if t.DType != tensor.Int64 || t.Q != nil {
			return nil, Errorf(op, in, "targets and lengths must be int64")
		}
	}
	n, targets := x.Shape[1], in[1].Shape
	if len(targets) != 1 && (len(targets) != 2 || targets[0] != n) || !in[2].Shape.Equal(tensor.Shape{n}) || !in[3].Shape.Equal(tensor.Shape{n}) {
		return nil, Errorf(op, in, "it takes targets [N, S] or [S], and lengths [N]")
	}
	if op.Blank < 0 || op.Blank >= x.Shape[2] {
		return nil, Errorf(op, in, "the blank %d is none of %d classes", op.Blank, x.Shape[2])
	}
	return []Type{{DType: x.DType, Shape: tensor.Shape{n}}}, nil
}

func (op CTCLoss) Prepare(p *Prepare) (*Kernel, error) { return op.kernel(p, false) }

// Grad is PyTorch's: with respect to what log_softmax took for the logarithms.
func (op CTCLoss) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	return []Ref{b.Apply(CTCLossGrad(op), in[0], in[1], in[2], in[3], dout[0]), nil, nil, nil}
}

// CTCLossGrad is the gradient of CTCLoss: exp(x) less the probability that a step gives the class, where the target is given.
// Inputs: those of CTCLoss and the gradient of the losses [N]. Output: [T, N, C].
type CTCLossGrad struct {
	Blank        int
	ZeroInfinity bool
}

func (CTCLossGrad) Name() string { return "ctc_loss_grad" }

func (op CTCLossGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 5, 5); err != nil {
		return nil, err
	}
	out, err := CTCLoss(op).Infer(in[:4])
	if err != nil {
		return nil, err
	}
	if in[4].DType != out[0].DType || !in[4].Shape.Equal(out[0].Shape) {
		return nil, Errorf(op, in, "the gradient must be of the losses [N]")
	}
	return []Type{{DType: in[0].DType, Shape: in[0].Shape}}, nil
}

func (op CTCLossGrad) Prepare(p *Prepare) (*Kernel, error) { return CTCLoss(op).kernel(p, true) }

func (op CTCLoss) kernel(p *Prepare, backward bool) (*Kernel, error) {
	shape, targets := p.In[0].Shape, p.In[1].Shape
	// The states of a target are its classes with blanks around them.
	states := 2*targets[len(targets)-1] + 1
	if states > math.MaxInt32 || shape[0] > math.MaxInt32/states {
		return nil, &UnsupportedError{Op: op.Name(), Reason: fmt.Sprintf("%d steps and %d classes in a target", shape[0], states/2)}
	}
	room := shape[0]*states + 2*states
	if backward {
		room += shape[2]
	}
	task := func(c *Call, i int, w *Worker) {
		s, scratch := op.sample(c, i, shape), scratchOf[float64](w.Scratch, 0, room)
		loss := s.forward(scratch)
		switch none := op.ZeroInfinity && math.IsInf(loss, 1); {
		case backward:
			s.backward(c, loss, none, scratch, scratch[shape[0]*states:])
		case none:
			setFloat(c.Out[0], i, 0)
		default:
			setFloat(c.Out[0], i, loss)
		}
	}
	return &Kernel{
		Interruptible: true,
		Run: func(c *Call) error {
			if err := op.check(c, shape); err != nil {
				return err
			}
			c.Parallel(shape[1], task)
			return nil
		},
		WorkerScratch: 8 * room,
		Choice:        "sequences",
		Parallel:      shape[1],
	}, nil
}

// check refuses lengths that are none, and classes that are none.
func (op CTCLoss) check(c *Call, shape tensor.Shape) error {
	targets, total := c.In[1].Shape(), 0
	for i := range shape[1] {
		steps, classes := c.In[2].Int64s()[i], c.In[3].Int64s()[i]
		if steps < 0 || steps > int64(shape[0]) {
			return &ValueError{op.Name(), fmt.Sprintf("%d steps of sequence %d, which has %d", steps, i, shape[0])}
		}
		left := targets[len(targets)-1]
		if len(targets) == 1 {
			left -= total
		}
		if classes < 0 || classes > int64(left) {
			return &ValueError{op.Name(), fmt.Sprintf("%d classes in target %d, which has %d", classes, i, left)}
		}
		total += int(classes)
	}
	if len(targets) == 1 && total != targets[0] {
		return &ValueError{op.Name(), fmt.Sprintf("the targets have %d classes together, not %d", total, targets[0])}
	}
	for i := range shape[1] {
		for _, class := range op.sample(c, i, shape).target {
			if class < 0 || class >= int64(shape[2]) {
				return &ValueError{op.Name(), fmt.Sprintf("class %d in target %d is outside [0, %d)", class, i, shape[2])}
			}
		}
	}
	return nil
}

// ctcSample is one sequence.
type ctcSample struct {
	op     CTCLoss
	x      *tensor.Tensor // [T, N, C]
	i      int            // its number
	shape  tensor.Shape
	steps  int
	target []int64
}

func (op CTCLoss) sample(c *Call, i int, shape tensor.Shape) *ctcSample {
	targets, lengths := c.In[1], c.In[3].Int64s()
	from := 0
	if targets.Rank() == 2 {
		from = i * targets.Dim(1)
	} else {
		for _, n := range lengths[:i] {
			from += int(n)
		}
	}
	return &ctcSample{op, c.In[0], i, shape, int(c.In[2].Int64s()[i]), targets.Int64s()[from : from+int(lengths[i])]}
}

func (s *ctcSample) states() int { return 2*len(s.target) + 1 }

// class is that of a state.
func (s *ctcSample) class(state int) int {
	if state%2 == 0 {
		return s.op.Blank
	}
	return int(s.target[state/2])
}

// at is the logarithm of the probability of a class.
func (s *ctcSample) at(step, class int) float64 {
	return floatAt(s.x, (step*s.shape[1]+s.i)*s.shape[2]+class)
}

// skips reports whether a way may go from a state to the one after the next: to another class, past a blank.
func (s *ctcSample) skips(state int) bool {
	return state%2 == 1 && state+2 < s.states() && s.target[state/2] != s.target[state/2+1]
}

// forward computes the logarithms of the probabilities of all ways from the first step to each state [steps, states], and returns the loss.
func (s *ctcSample) forward(log []float64) float64 {
	n := s.states()
	if s.steps == 0 && n == 1 {
		return 0
	}
	if s.steps == 0 {
		return math.Inf(1)
	}
	for t := range s.steps {
		for k := range n {
			sum := math.Inf(-1)
			switch {
			case t == 0 && k < 2:
				sum = 0
			case t > 0:
				before := log[(t-1)*n:]
				sum = before[k]
				if k > 0 {
					sum = logAddExp(sum, before[k-1])
				}
				if k > 1 && s.skips(k-2) {
					sum = logAddExp(sum, before[k-2])
				}
			}
			log[t*n+k] = sum + s.at(t, s.class(k))
		}
	}
	last := log[(s.steps-1)*n:]
	end := last[n-1]
	if n > 1 {
		end = logAddExp(end, last[n-2])
	}
	return -end
}

// backward goes from the last step to the first with the ways from each state to the end: rest. Scratch memory holds those of two steps
// and a sum for each class. none says that the gradient is 0.
func (s *ctcSample) backward(c *Call, loss float64, none bool, log, scratch []float64) {
	n, classes := s.states(), s.shape[2]
	rest, next, sums := scratch[:n], scratch[n:2*n], scratch[2*n:2*n+classes]
	grad := floatAt(c.In[4], s.i)
	for t := s.shape[0] - 1; t >= 0; t-- {
		row := (t*s.shape[1] + s.i) * classes
		if t >= s.steps || none {
			for j := range classes {
				setFloat(c.Out[0], row+j, 0)
			}
			continue
		}
		for j := range sums {
			sums[j] = math.Inf(-1)
		}
		rest, next = next, rest
		for k := range n {
			sum := math.Inf(-1)
			switch {
			case t < s.steps-1:
				sum = next[k]
				if k+1 < n {
					sum = logAddExp(sum, next[k+1])
				}
				if s.skips(k) {
					sum = logAddExp(sum, next[k+2])
				}
			case k >= n-2:
				sum = 0
			}
			class := s.class(k)
			sums[class] = logAddExp(sums[class], log[t*n+k]+sum)
			rest[k] = sum + s.at(t, class)
		}
		for j, sum := range sums {
			setFloat(c.Out[0], row+j, (math.Exp(s.at(t, j))-math.Exp(sum+loss))*grad)
		}
	}
}

// logAddExp is log(exp(a) + exp(b)).
func logAddExp(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(a, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// floatAt returns element i of a tensor of float32 or float64.
func floatAt(t *tensor.Tensor, i int) float64 {
	if t.DType() == tensor.Float64 {
		return *element[float64](base(t), i)
	}
	return float64(t.Float32s()[i])
}

func setFloat(t *tensor.Tensor, i int, v float64) {
	if t.DType() == tensor.Float64 {
		*element[float64](base(t), i) = v
		return
	}
	t.Float32s()[i] = float32(v)
}

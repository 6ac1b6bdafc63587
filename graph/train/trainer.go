package train

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/recent"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Options configure a Trainer.
type Options struct {
	Loss      Loss
	Optimizer Optimizer
	// Schedule is the factor of the learning rate at each step; nil means Constant.
	Schedule Schedule
	// Groups give some parameters other settings. Of those that match a parameter the first counts.
	Groups []Group
	// ClipNorm bounds the norm of all gradients together, when positive.
	ClipNorm float64
	// FreezeBatchNorm is the step from which on batch norm uses its running statistics
	// as they are; before, it uses those of the batch and updates them. 0 means from the start.
	FreezeBatchNorm int
	// FreezeObservers is the step from which on learned quantization parameters
	// stay as they are, when positive.
	FreezeObservers int
	// Settings are what a checkpoint notes besides, by name, such as the learning rate, and a trainer with
	// others refuses: what has to be the same for training to go on as if it had not been stopped.
	Settings map[string]string
	// Recompute bounds the memory of a step by computing values of the forward pass a second time in the backward pass
	// instead of keeping them, as torch.utils.checkpoint does: the bytes that activations, gradients and
	// scratch memory should take, graph.SmallestArena for as few as possible, 0 for keeping all. A step takes up
	// to one forward pass longer. Losses and parameters have the same bits. Memory says what is reached.
	Recompute graph.Recompute
	// Session says how the steps run.
	Session graph.Options
}

// Never is a step that does not come.
const Never = int(^uint(0) >> 1)

// Group is the settings of some parameters.
type Group struct {
	// Match says which.
	Match func(*Parameter) bool
	// Rate is the factor of the learning rate; 0 means 1.
	Rate float64
	// Relative multiplies each step with the size of the parameter. Adam moves a parameter by about the rate, however
	// small it is, and the scales of a model differ by orders of magnitude; with Relative the rate is a part of the
	// scale, as where its logarithm is trained (Jain et al., Trained Quantization Thresholds, 2020).
	Relative bool
	// NoDecay leaves out weight decay.
	NoDecay bool
	// Frozen leaves the parameters as they are.
	Frozen bool
}

// OfKind matches the parameters of some kinds.
func OfKind(kinds ...Kind) func(*Parameter) bool {
	return func(p *Parameter) bool {
		for _, k := range kinds {
			if p.Kind == k {
				return true
			}
		}
		return false
	}
}

// Trainer trains a model. Its methods may not be called at the same time.
type Trainer struct {
	model  Model
	opts   Options
	params []*Parameter
	slots  []slot // of params

	step    int
	factors []*tensor.Tensor // of each group, and last of what is in none

	steps   recent.List[*compiled]
	key     []byte
	forward *graph.Session // evaluation
}

// slot is what the trainer keeps for a parameter.
type slot struct {
	group   int
	moments []*tensor.Tensor
}

// compiled is a session whose run is a step.
type compiled struct {
	key     string // what is trained and how, and the types of the inputs
	phase   string // the first part of it
	session *graph.Session
	outputs []*tensor.Tensor // the loss, then what the model gives
}

// maxSteps bounds the sessions kept for different shapes and sets of trained parameters.
const maxSteps = 4

// New returns a trainer of the model.
func New(m Model, opts Options) (*Trainer, error) {
	if opts.Loss == nil || opts.Optimizer == nil {
		return nil, errors.New("train: training needs a loss and an optimizer")
	}
	if err := opts.Recompute.Validate(); err != nil {
		return nil, fmt.Errorf("train: Options.Recompute: %w", err)
	}
	if opts.Schedule == nil {
		opts.Schedule = Constant
	}
	t := &Trainer{model: m, opts: opts, params: m.Parameters()}
	seen := make(map[string]bool)
	for _, p := range t.params {
		if seen[p.Name] {
			return nil, fmt.Errorf("train: two parameters are named %q", p.Name)
		}
		seen[p.Name] = true
		s := slot{group: len(opts.Groups)}
		for i, g := range opts.Groups {
			if g.Match(p) {
				s.group = i
				break
			}
		}
		if p.Kind != Buffer {
			for range opts.Optimizer.moments() {
				zero, err := tensor.New(tensor.Float32, p.Value.Shape()...)
				if err != nil {
					return nil, err
				}
				s.moments = append(s.moments, zero)
			}
		}
		t.slots = append(t.slots, s)
	}
	for range len(opts.Groups) + 1 {
		f, err := tensor.New(tensor.Float32, numFactors)
		if err != nil {
			return nil, err
		}
		t.factors = append(t.factors, f)
	}
	return t, nil
}

// Close releases the workers.
func (t *Trainer) Close() {
	for _, c := range t.steps.All() {
		c.session.Close()
	}
	if t.forward != nil {
		t.forward.Close()
	}
	t.steps, t.forward = recent.List[*compiled]{}, nil
}

// Steps returns the number of steps made.
func (t *Trainer) Steps() int { return t.step }

// Parameters lists the model's parameters.
func (t *Trainer) Parameters() []*Parameter { return t.params }

// mode is that of the next step.
func (t *Trainer) mode() Mode {
	return Mode{Train: true, BatchStatistics: t.step < t.opts.FreezeBatchNorm}
}

// trains reports whether the next step changes parameter i.
func (t *Trainer) trains(i int) bool {
	p, group := t.params[i], t.slots[i].group
	switch {
	case p.Frozen, p.Kind == Buffer, group < len(t.opts.Groups) && t.opts.Groups[group].Frozen:
		return false
	case p.Kind == Scale, p.Kind == ZeroPoint:
		return t.opts.FreezeObservers <= 0 || t.step < t.opts.FreezeObservers
	}
	return true
}

// Step makes one step with the inputs of the model and then the targets of the loss, and returns the
// loss before it. When it fails, nothing has changed: neither parameters and buffers, nor what the optimizer keeps, nor
// Steps. So it is when ctx ends: a step then stops at the node at hand, with the error of ctx, or, when it has begun to
// write parameters, it is made to its end. A Sampler takes back the batch of a step that was not made with Unread.
func (t *Trainer) Step(ctx context.Context, inputs ...*tensor.Tensor) (float64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	c, err := t.compiled(ctx, inputs)
	if err != nil {
		return 0, err
	}
	for i, f := range t.factors {
		lr, decay := t.opts.Optimizer.rates()
		lr *= t.opts.Schedule(t.step)
		if i < len(t.opts.Groups) {
			if g := &t.opts.Groups[i]; g.Rate != 0 {
				lr *= g.Rate
			}
			if t.opts.Groups[i].NoDecay {
				decay = 0
			}
		}
		t.opts.Optimizer.factors((*[numFactors]float32)(f.Float32s()), t.step, lr, decay)
	}
	if err := c.session.RunInto(ctx, c.outputs, inputs); err != nil {
		return 0, err
	}
	t.step++
	return float64(c.outputs[0].Float32s()[0]), nil
}

// StepToward is Step with the first output of a teacher on the same inputs as the targets, as Distill takes
// them. The teacher is often the float model that is trained to be quantized.
func (t *Trainer) StepToward(ctx context.Context, teacher *graph.Session, inputs ...*tensor.Tensor) (float64, error) {
	return t.StepTowardOutputs(ctx, teacher, []int{0}, inputs...)
}

// StepTowardOutputs is StepToward with several outputs of the teacher as targets, in the order in which the loss takes them.
func (t *Trainer) StepTowardOutputs(ctx context.Context, teacher *graph.Session, outputs []int, inputs ...*tensor.Tensor) (float64, error) {
	targets, err := teacher.Run(ctx, inputs...)
	if err != nil {
		return 0, err
	}
	all := slices.Clone(inputs)
	for _, i := range outputs {
		all = append(all, targets[i])
	}
	return t.Step(ctx, all...)
}

// stepOptions returns how a step is compiled.
func (t *Trainer) stepOptions() graph.Options {
	o := t.opts.Session
	if t.opts.Recompute != graph.KeepAll {
		o.Recompute = t.opts.Recompute
	}
	return o
}

// Memory is what training takes, in bytes.
type Memory struct {
	Arena      int // activations, gradients and scratch memory of the last step
	Parameters int // and buffers
	Moments    int // of the optimizer
}

// Memory returns what training takes; before the first step no Arena is known.
func (t *Trainer) Memory() Memory {
	var m Memory
	if c, ok := t.steps.Latest(); ok {
		m.Arena = c.session.ArenaBytes()
	}
	for i, p := range t.params {
		m.Parameters += len(p.Value.Bytes())
		for _, v := range t.slots[i].moments {
			m.Moments += len(v.Bytes())
		}
	}
	return m
}

// Outputs returns what the model gave in the last step; the next one overwrites it.
func (t *Trainer) Outputs() []*tensor.Tensor {
	c, ok := t.steps.Latest()
	if !ok {
		return nil
	}
	return c.outputs[1:]
}

// compiled returns the session for a step with these inputs, making it when there is none.
func (t *Trainer) compiled(ctx context.Context, inputs []*tensor.Tensor) (*compiled, error) {
	key := append(t.key[:0], 0)
	if t.mode().BatchStatistics {
		key[0] = 1
	}
	for i := range t.params {
		trained := byte(0)
		if t.trains(i) {
			trained = 1
		}
		key = append(key, trained)
	}
	phase := len(key)
	for i, x := range inputs {
		if x == nil {
			return nil, &graph.InputError{Index: i, Reason: "it is missing"}
		}
		key = append(key, byte(x.DType()), byte(x.Rank()))
		for _, d := range x.Shape() {
			key = binary.LittleEndian.AppendUint64(key, uint64(d))
		}
	}
	t.key = key
	same := func(c *compiled) bool {
		if c.key == string(key) {
			return true
		}
		// Steps of another phase, such as before batch norm was frozen, are not likely to come again soon.
		if c.phase != string(key[:phase]) {
			c.session.Trim()
		}
		return false
	}
	if c, ok := t.steps.Use(same); ok {
		return c, nil
	}
	s, err := t.stepGraph(inputs, true)
	if err != nil {
		return nil, err
	}
	session, err := s.graph.CompileContext(ctx, t.stepOptions())
	if err != nil {
		return nil, err
	}
	c := &compiled{key: string(key), phase: string(key[:phase]), session: session}
	for _, v := range s.graph.Outputs {
		o, err := tensor.New(v.Type.DType, v.Type.Shape...)
		if err != nil {
			session.Close()
			return nil, err
		}
		c.outputs = append(c.outputs, o)
	}
	t.steps.Add(c)
	t.steps.Keep(maxSteps, func(c *compiled) { c.session.Close() })
	return c, nil
}

// trainingGraph is a graph with a loss and its gradients.
type trainingGraph struct {
	graph   *graph.Graph
	loss    *graph.Value
	trained []int          // parameters
	grads   []*graph.Value // theirs, nil where the loss does not depend on one
}

// stepGraph makes the graph of a step: forward, loss, backward and, with update, the
// changes of the parameters. Its outputs are the loss and those of the model.
func (t *Trainer) stepGraph(inputs []*tensor.Tensor, update bool) (*trainingGraph, error) {
	types := make([]ops.Type, len(inputs))
	for i, x := range inputs {
		types[i] = ops.Type{DType: x.DType(), Shape: x.Shape().Clone()}
	}
	g, err := t.modelGraph(t.mode(), types)
	if err != nil {
		return nil, err
	}
	s := &trainingGraph{graph: g}
	models := len(g.Inputs)
	if s.loss, err = t.opts.Loss(g, g.Outputs); err != nil {
		return nil, err
	}
	if err := checkTargets(g, inputs, models); err != nil {
		return nil, err
	}
	s.loss.Name = "loss"
	variables := make(map[*tensor.Tensor]*graph.Value)
	for _, v := range g.Variables() {
		variables[v.Variable] = v
	}
	var wrt []*graph.Value
	for i, p := range t.params {
		if v := variables[p.Value]; v != nil && t.trains(i) {
			s.trained = append(s.trained, i)
			wrt = append(wrt, v)
		}
	}
	// What updates buffers goes to the end: a step that fails changes nothing.
	assigns := takeAssigns(g)
	if s.grads, err = g.Gradients(s.loss, wrt); err != nil {
		return nil, err
	}
	g.SetOutputs(append([]*graph.Value{s.loss}, g.Outputs...)...)
	if !update {
		return s, nil
	}
	if err := t.addUpdates(s, wrt); err != nil {
		return nil, err
	}
	g.Nodes = append(g.Nodes, assigns...)
	return s, nil
}

// modelGraph returns the model's graph for its part of the inputs.
func (t *Trainer) modelGraph(mode Mode, types []ops.Type) (*graph.Graph, error) {
	n := t.model.Inputs()
	if len(types) < n {
		return nil, &graph.InputError{Index: -1, Reason: fmt.Sprintf("%d given where the model takes %d and the loss its targets", len(types), n)}
	}
	g, err := t.model.Graph(mode, types[:n])
	if err != nil {
		return nil, err
	}
	return g, g.Rewrite(graph.Expansions, 0)
}

// checkTargets compares the given targets with those of the loss.
func checkTargets(g *graph.Graph, inputs []*tensor.Tensor, models int) error {
	if len(inputs) != len(g.Inputs) {
		return &graph.InputError{Index: -1, Reason: fmt.Sprintf("%d given where the model takes %d and the loss %d", len(inputs), models, len(g.Inputs)-models)}
	}
	for i := models; i < len(inputs); i++ {
		if want := g.Inputs[i].Type; inputs[i].DType() != want.DType || !inputs[i].Shape().Equal(want.Shape) {
			return &graph.InputError{Index: i, Name: g.Inputs[i].Name, Reason: fmt.Sprintf("it is %v where the loss takes %v", inputs[i], want)}
		}
	}
	return nil
}

// takeAssigns removes the nodes that update buffers and returns them.
func takeAssigns(g *graph.Graph) []*graph.Node {
	var taken, kept []*graph.Node
	for _, n := range g.Nodes {
		if _, ok := n.Op.(ops.Assign); ok {
			taken = append(taken, n)
		} else {
			kept = append(kept, n)
		}
	}
	g.Nodes = kept
	return taken
}

// addUpdates adds the nodes that change the parameters.
func (t *Trainer) addUpdates(s *trainingGraph, variables []*graph.Value) error {
	g := s.graph
	var grads []*graph.Value
	for _, d := range s.grads {
		if d != nil {
			grads = append(grads, d)
		}
	}
	if len(grads) == 0 {
		return errors.New("train: the loss depends on no parameter that is trained")
	}
	clip, err := g.Add1(scope, clipOp{t.opts.ClipNorm}, grads...)
	if err != nil {
		return err
	}
	factors := make([]*graph.Value, len(t.factors))
	for i, f := range t.factors {
		factors[i] = g.Variable(fmt.Sprintf("group %d", i), f)
	}
	for k, i := range s.trained {
		if s.grads[k] == nil {
			continue
		}
		p, slot := t.params[i], &t.slots[i]
		in := []*graph.Value{variables[k], s.grads[k], clip, factors[slot.group]}
		for j, m := range slot.moments {
			in = append(in, g.Variable(fmt.Sprintf("%s.moment%d", p.Name, j+1), m))
		}
		relative := slot.group < len(t.opts.Groups) && t.opts.Groups[slot.group].Relative
		if _, err := g.Add(graph.Scope{Path: p.Name}, updateOp{t.opts.Optimizer, relative, p.Lo, p.Hi}, in...); err != nil {
			return err
		}
	}
	return nil
}

// Gradients returns the loss and the gradient of each parameter that a step with
// these inputs would train, by name, and changes nothing. It is for looking at and for tests: it compiles anew.
func (t *Trainer) Gradients(ctx context.Context, inputs ...*tensor.Tensor) (float64, map[string]*tensor.Tensor, error) {
	s, err := t.stepGraph(inputs, false)
	if err != nil {
		return 0, nil, err
	}
	outputs := []*graph.Value{s.loss}
	var names []string
	for k, i := range s.trained {
		if s.grads[k] != nil {
			outputs = append(outputs, s.grads[k])
			names = append(names, t.params[i].Name)
		}
	}
	s.graph.SetOutputs(outputs...)
	session, err := s.graph.CompileContext(ctx, t.stepOptions())
	if err != nil {
		return 0, nil, err
	}
	defer session.Close()
	out, err := session.Run(ctx, inputs...)
	if err != nil {
		return 0, nil, err
	}
	grads := make(map[string]*tensor.Tensor)
	for i, name := range names {
		grads[name] = out[1+i]
	}
	return float64(out[0].Float32s()[0]), grads, nil
}

// Run computes the outputs of the model in evaluation mode, with the parameters as they are.
func (t *Trainer) Run(ctx context.Context, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	if t.forward == nil {
		types := make([]ops.Type, len(inputs))
		for i, x := range inputs {
			types[i] = ops.Type{DType: x.DType(), Shape: x.Shape().Clone()}
		}
		g, err := t.model.Graph(Mode{}, types)
		if err != nil {
			return nil, err
		}
		if t.forward, err = g.Compile(t.opts.Session); err != nil {
			return nil, err
		}
	}
	return t.forward.Run(ctx, inputs...)
}

package quantize

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// Cost returns what a module, given by its path, costs in int8 and in float, in
// any unit.
type Cost func(module string) (int8, float float64)

// UnitCost counts modules in float.
func UnitCost(string) (int8, float float64) { return 0, 1 }

// costs are what modules cost, by a function or measured in milliseconds.
type costs struct {
	given   Cost
	modules map[string]struct{ int8, float float64 }
	input   []*tensor.Tensor
	opts    graph.Options
	// measure is nodeLatencies, but in tests, which do not judge by the clock.
	measure func(context.Context, *graph.Graph, graph.Options, []*tensor.Tensor) (map[*graph.Node]float64, float64, error)
}

// costRuns is how many runs a latency is the least of: what else the machine does
// only adds to it.
const costRuns = 15

// longer is how many times another a latency has to be to count as longer.
const longer = 1.05

// measureCosts measures the latency of each module, one sample at a time, or as few as
// the model takes, unless costs are given.
func (t *tuner) measureCosts() (*costs, error) {
	c := &costs{given: t.target.Cost, opts: t.q.opts.Session, measure: t.measure}
	if c.given != nil {
		return c, nil
	}
	t.say("latency")
	for in, err := range t.target.Data {
		if err != nil {
			return nil, err
		}
		for _, x := range in {
			if least := t.model.BatchSize(1); x.Rank() > 0 && x.Dim(0) > least {
				if x, err = x.Slice(0, 0, least, 1); err != nil {
					return nil, err
				}
				x = x.Contiguous()
			}
			c.input = append(c.input, x)
		}
		break
	}
	trial := *t.q
	int8, err := trial.QuantizeContext(t.ctx, t.model)
	if err != nil {
		return nil, err
	}
	int8Nodes, _, err := c.measure(t.ctx, int8, c.opts, c.input)
	if err != nil {
		return nil, err
	}
	floatNodes, _, err := c.measure(t.ctx, t.model, c.opts, c.input)
	if err != nil {
		return nil, err
	}
	c.modules = make(map[string]struct{ int8, float float64 })
	quantized := byModule(int8Nodes)
	for path, ms := range byModule(floatNodes) {
		c.modules[path] = struct{ int8, float float64 }{quantized[path], ms}
	}
	return c, nil
}

func (c *costs) module(path string) (int8, float float64) {
	if c.given != nil {
		return c.given(path)
	}
	m := c.modules[path]
	return m.int8, m.float
}

// within reports whether a cost is no more than a limit, as far as costs that
// are measured can tell.
func (c *costs) within(cost, limit float64) bool {
	if c.given == nil {
		limit *= 1.02
	}
	return cost <= limit
}

// saved returns what int8 saves in a module.
func (c *costs) saved(path string) float64 {
	int8, float := c.module(path)
	return float - int8
}

// slower reports whether a module costs more in int8, as far as costs that are measured can tell.
func (c *costs) slower(path string) bool {
	int8, float := c.module(path)
	if c.given == nil {
		float *= longer
	}
	return int8 > float
}

// of returns the cost of a model with some modules in float: what its run takes,
// or by given costs the sum of what these modules cost more than in int8.
func (c *costs) of(ctx context.Context, m *graph.Graph, fallback []string) (float64, error) {
	if c.given != nil {
		sum := 0.0
		for _, path := range fallback {
			sum += c.saved(path)
		}
		return sum, nil
	}
	_, total, err := c.measure(ctx, m, c.opts, c.input)
	return total, err
}

// latencies returns the time in milliseconds that a run spends in each module,
// by its path, and as a whole: the least of several runs.
func latencies(ctx context.Context, m *graph.Graph, opts graph.Options, in []*tensor.Tensor) (modules map[string]float64, total float64, err error) {
	nodes, total, err := nodeLatencies(ctx, m, opts, in)
	return byModule(nodes), total, err
}

// byModule adds up what the nodes of each module cost, by its path.
func byModule(nodes map[*graph.Node]float64) map[string]float64 {
	modules := make(map[string]float64)
	for n, cost := range nodes {
		modules[n.Scope.Path] += cost
	}
	return modules
}

// nodeLatencies returns the time in milliseconds that a run spends in each node of the compiled graph,
// and as a whole: the least of several runs.
func nodeLatencies(ctx context.Context, m *graph.Graph, opts graph.Options, in []*tensor.Tensor) (nodes map[*graph.Node]float64, total float64, err error) {
	var mu sync.Mutex
	current := make(map[*graph.Node]time.Duration)
	opts.Trace = func(s graph.StepTrace) {
		mu.Lock()
		defer mu.Unlock()
		current[s.Node] += s.Duration
	}
	s, err := m.Compile(opts)
	if err != nil {
		return nil, 0, err
	}
	defer s.Close()
	var all []time.Duration
	times := make(map[*graph.Node][]time.Duration)
	for i := range costRuns + 3 {
		clear(current)
		start := time.Now()
		if _, err := s.Run(ctx, in...); err != nil {
			return nil, 0, err
		}
		if i < 3 { // it warms up
			continue
		}
		all = append(all, time.Since(start))
		for n, d := range current {
			times[n] = append(times[n], d)
		}
	}
	nodes = make(map[*graph.Node]float64)
	for n, d := range times {
		nodes[n] = leastMs(d)
	}
	return nodes, leastMs(all), nil
}

func leastMs(d []time.Duration) float64 {
	return float64(slices.Min(d)) / float64(time.Millisecond)
}

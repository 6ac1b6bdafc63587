package serve

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// warmer runs a model before requests do: so that plans exist, and to find which numbers of samples are worth joining.
type warmer struct {
	server   *Server
	gentle   *gentle
	instance *instance
	example  []*tensor.Tensor // inputs, of one sample where the model has samples
	given    []*tensor.Tensor // by the source, with any number of samples
}

// warmUp makes the plans of a model and its table of batches. Values that the model does not take end the warm-up, not the load.
func (s *Server) warmUp(g *gentle, i *instance, source Source) error {
	w := &warmer{server: s, gentle: g, instance: i, given: source.Warm}
	err := w.warm()
	switch {
	case err == nil:
		return nil
	case isA[*ops.ValueError](err) && source.Warm == nil:
		i.warmNote = "not warmed up, for the model refuses generated values: " + err.Error() + "; give an example"
		i.batch = batchTable{reason: "off: not measured, for lack of an example"}
		return nil
	}
	return fmt.Errorf("warming up: %w", err)
}

func (w *warmer) warm() error {
	i := w.instance
	if w.given != nil && len(w.given) != len(i.signature.Inputs) {
		return &graph.InputError{Index: -1, Reason: fmt.Sprintf("the example has %d where the model takes %d", len(w.given), len(i.signature.Inputs))}
	}
	var err error
	if w.example, err = w.inputs(1, 0); err != nil {
		return err
	}
	if _, _, err := w.run(w.example, loadSlice); err != nil {
		return err
	}
	i.measured = fingerprintOf(i.session.Graph(), w.example)
	before := i.deployment.current.Load()
	if before != nil && before.measured == i.measured {
		i.warm = before.warm
	} else if i.warm, err = w.least(w.example); err != nil {
		return err
	} else {
		before = nil
	}
	choice := w.server.opts.Batch
	if own := i.deployment.opts.Batch; own != BatchAuto {
		choice = own
	}
	switch {
	case choice == BatchOff:
		i.batch.reason = "off"
	case i.signature.Stateful:
		i.batch.reason = "off: the model keeps something between requests"
	case !i.signature.Batch:
		i.batch.reason = "off: the first axis of its inputs and outputs is not the number of samples"
	case before != nil && before.batch.timed:
		return w.reuse(before.batch, choice)
	default:
		return w.batches(choice)
	}
	return nil
}

// reuse takes over what was measured of the same graph, after a look at the bits, which depend on the weights.
func (w *warmer) reuse(before batchTable, choice Batching) error {
	for _, size := range before.sizes {
		inputs, err := w.inputs(size, 1)
		if err != nil {
			return err
		}
		if reason, err := w.sameBits(inputs, size); err != nil || reason != "" {
			return w.batches(choice)
		}
	}
	w.instance.batch = before
	return nil
}

// run runs the model in a place that requests leave, without a pause before it has run for so long.
func (w *warmer) run(inputs []*tensor.Tensor, slice time.Duration) (outputs []*tensor.Tensor, took time.Duration, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("internal error: %v", v)
		}
	}()
	i, g := w.instance, w.gentle
	j := &job{wake: make(chan struct{}, 1), queue: &w.server.loads, instance: i, ctx: g.Context, inputs: inputs, samples: i.samples(inputs)}
	took, err = g.run(j, slice, func() (err error) {
		outputs, err = i.session.RunWith(g, graph.RunOptions{Threads: 1, State: i.session.NewState()}, inputs...)
		return err
	})
	return outputs, took, err
}

// Bounds of a measurement: the least time of so many runs, or of those that fit the time.
const (
	maxMeasuredRuns = 10
	minMeasuredRuns = 3
	measuringTime   = 50 * time.Millisecond
)

// least returns the least time of some runs.
func (w *warmer) least(inputs []*tensor.Tensor) (time.Duration, error) {
	least, total := time.Duration(0), time.Duration(0)
	for n := 0; n < minMeasuredRuns || n < maxMeasuredRuns && total < measuringTime; n++ {
		_, took, err := w.run(inputs, shortRun)
		if err != nil {
			return 0, err
		}
		if total += took; n == 0 || took < least {
			least = took
		}
	}
	return least, nil
}

// minGain is the part of the time of a sample that joining has to save.
const minGain = 0.1

// maxMisses is how many sizes in a row may save nothing before larger ones are not tried: kernels have row counts of their own, so that
// two samples may take twice the time of one and four hardly more.
const maxMisses = 2

// batches fills the table: sizes are doubled while the time per sample falls, or up to the most that is asked for.
func (w *warmer) batches(choice Batching) error {
	b := &w.instance.batch
	most := maxBatch
	if choice > 1 {
		most = int(choice)
	}
	best := batchRow{1, w.instance.warm.Seconds()}
	b.rows = []batchRow{best}
	b.reason = "off: joined samples take no tenth less time than single ones"
	misses := 0
	b.timed = true
	for size := 2; size <= most && misses < maxMisses; size *= 2 {
		inputs, err := w.inputs(size, 1)
		if err != nil {
			return err
		}
		reason, err := w.sameBits(inputs, size)
		if isA[*graph.MemoryError](err) {
			reason, err = fmt.Sprintf("%d samples take too much memory", size), nil
		}
		if err != nil {
			return err
		}
		if reason != "" {
			if b.timed = false; len(b.sizes) == 0 {
				b.reason = "off: " + reason
			}
			break
		}
		row, gains, err := w.gain(inputs, size, best)
		if err != nil {
			return err
		}
		b.rows = append(b.rows, row)
		if !gains && choice == BatchAuto {
			misses++
			continue
		}
		misses, best = 0, row
		b.sizes = append(b.sizes, size)
	}
	if len(b.sizes) > 0 {
		b.reason = fmt.Sprintf("up to %d samples: %.3g ms each alone, %.3g joined", b.most(), b.rows[0].PerSample*1e3, best.PerSample*1e3)
	}
	return nil
}

// gain measures the time per sample of a size beside the best before, and both again where it gains: a busy machine slows down one run
// and not the next.
func (w *warmer) gain(inputs []*tensor.Tensor, size int, best batchRow) (row batchRow, gains bool, err error) {
	before, err := w.inputs(best.Samples, 1)
	if err != nil {
		return row, false, err
	}
	for range 2 {
		if row, err = w.measure(inputs, size); err != nil || row.PerSample > (1-minGain)*best.PerSample {
			return row, false, err
		}
		again, err := w.measure(before, best.Samples)
		if err != nil {
			return row, false, err
		}
		best.PerSample = min(best.PerSample, again.PerSample)
	}
	return row, row.PerSample <= (1-minGain)*best.PerSample, nil
}

func (w *warmer) measure(inputs []*tensor.Tensor, size int) (batchRow, error) {
	took, err := w.least(inputs)
	return batchRow{size, took.Seconds() / float64(size)}, err
}

// sameBits compares a joined run with single ones. It says what differs.
func (w *warmer) sameBits(inputs []*tensor.Tensor, size int) (reason string, err error) {
	all, _, err := w.run(inputs, loadSlice)
	if err != nil {
		return "", err
	}
	for k := range size {
		one := make([]*tensor.Tensor, len(inputs))
		for n, t := range inputs {
			if one[n], err = t.Slice(0, k, k+1, 1); err != nil {
				return "", err
			}
		}
		single, _, err := w.run(one, loadSlice)
		if err != nil {
			return "", err
		}
		for n, t := range single {
			if all[n].Rank() == 0 || all[n].Dim(0) != size {
				return fmt.Sprintf("output %s does not have the samples of the inputs", w.instance.outputs[n].Name), nil
			}
			part, err := all[n].Slice(0, k, k+1, 1)
			if err != nil {
				return "", err
			}
			if !bytes.Equal(part.Contiguous().Bytes(), t.Bytes()) {
				return fmt.Sprintf("output %s of %d joined samples has other bits than of one", w.instance.outputs[n].Name, size), nil
			}
		}
	}
	return "", nil
}

// inputs returns inputs of so many samples, of the source's example or from a generator.
func (w *warmer) inputs(samples int, seed uint64) ([]*tensor.Tensor, error) {
	i := w.instance
	list := make([]*tensor.Tensor, len(i.signature.Inputs))
	random := rand.New(rand.NewPCG(seed, 0))
	for k, port := range i.signature.Inputs {
		shape := port.Type.Shape.Clone()
		if w.given != nil {
			shape = w.given[k].Shape().Clone()
		}
		if i.signature.Batch {
			shape[0] = samples
		}
		t, err := tensor.New(port.Type.DType, shape...)
		if err != nil {
			return nil, err
		}
		if w.given != nil {
			err = repeat(t, w.given[k])
		} else {
			fill(t, random)
		}
		if err != nil {
			return nil, err
		}
		list[k] = t.WithQParams(port.Type.Q)
	}
	return list, nil
}

// repeat fills a tensor with the samples of another, over and over.
func repeat(to, from *tensor.Tensor) error {
	source := from.Contiguous().Bytes()
	if to.DType() != from.DType() || len(source) == 0 && len(to.Bytes()) > 0 {
		return &graph.InputError{Index: -1, Reason: fmt.Sprintf("the example has %v where the model takes %v", from, to)}
	}
	for data := to.Bytes(); len(data) > 0; {
		data = data[copy(data, source):]
	}
	return nil
}

// fill writes values that most models take: floats around 0, bytes of any value, and integers of 0 and 1, which are tokens and
// truth values as well.
func fill(t *tensor.Tensor, random *rand.Rand) {
	switch t.DType() {
	case tensor.Float32:
		for i := range t.Float32s() {
			t.Float32s()[i] = float32(random.NormFloat64())
		}
	case tensor.Float64:
		for i := range tensor.Data[float64](t) {
			tensor.Data[float64](t)[i] = random.NormFloat64()
		}
	case tensor.Uint8:
		for i := range t.Uint8s() {
			t.Uint8s()[i] = uint8(random.Uint32())
		}
	case tensor.Int64:
		for i := range t.Int64s() {
			t.Int64s()[i] = int64(random.Uint32() & 1)
		}
	case tensor.Int32:
		for i := range t.Int32s() {
			t.Int32s()[i] = int32(random.Uint32() & 1)
		}
	case tensor.Bool:
		for i := range t.Bytes() {
			t.Bytes()[i] = byte(random.Uint32() & 1)
		}
	}
}

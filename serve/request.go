package serve

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// Admission is what is known of a request before its body is read.
type Admission struct {
	Model, Version string
	// Bytes is what the request takes in memory: those of its body, or more where decoding needs more.
	Bytes    int64
	Body     int64  // bytes of the body, where known, for observers
	Protocol string // for observers: "http", "grpc"
	ID       string // for observers and logs
}

// Ticket is a request that is admitted. Its owner calls Infer at most once and then Done.
type Ticket struct {
	server     *Server
	deployment *deployment
	instance   *instance
	bytes      int64
	event      RequestEvent
	deadline   time.Time
	answered   time.Time // the end of Infer
}

// Admit decides whether a request may be read and answered. What it refuses costs nothing else: it is told to observers, and the error
// has a code (CodeOf) and perhaps a time to try again.
func (s *Server) Admit(ctx context.Context, a Admission) (*Ticket, error) {
	t := &Ticket{}
	if err := s.admit(ctx, a, t, true); err != nil {
		return nil, err
	}
	return t, nil
}

// admit is Admit into t. Limited requests end with the timeout of server or model.
func (s *Server) admit(ctx context.Context, a Admission, t *Ticket, limited bool) error {
	d, err := s.find(a.Model, a.Version)
	if err != nil {
		return err
	}
	*t = Ticket{server: s, deployment: d, bytes: a.Bytes}
	t.event = RequestEvent{Context: ctx, Protocol: a.Protocol, Model: d.name, Version: d.version, ID: a.ID, Start: time.Now(), BytesIn: max(a.Body, 0), Samples: 1}
	if err := t.enter(ctx, a.Bytes, limited); err != nil {
		t.event.Code, t.event.Err = CodeOf(err), err
		if r, ok := errors.AsType[*rejection](err); ok {
			t.event.Rejected = r.why
		}
		t.event.Total = time.Since(t.event.Start)
		d.stats.request(&t.event)
		s.observer.Request(t.event)
		return err
	}
	return nil
}

func (t *Ticket) enter(ctx context.Context, bytes int64, limited bool) error {
	s, d := t.server, t.deployment
	i, err := d.use()
	if err != nil {
		return err
	}
	wait := s.scheduler.wait(&d.queue)
	if limited {
		timeout := s.opts.Timeout
		if d.opts.Timeout > 0 {
			timeout = d.opts.Timeout
		}
		t.deadline = t.event.Start.Add(timeout)
	}
	places := s.opts.MaxQueue
	if d.opts.MaxQueue > 0 {
		places = d.opts.MaxQueue
	}
	if err = s.admission.enter(d, bytes, places+s.scheduler.slots); err == nil {
		if err = t.checkWait(ctx, wait); err == nil {
			t.instance = i
			return nil
		}
		s.admission.leave(d, bytes)
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Code == Exhausted {
		e.RetryAfter = max(e.RetryAfter, wait, time.Second)
	}
	i.release()
	return err
}

// checkWait refuses a request whose end would come before its turn.
func (t *Ticket) checkWait(ctx context.Context, wait time.Duration) error {
	end, ok := ctx.Deadline()
	if !t.deadline.IsZero() && (!ok || t.deadline.Before(end)) {
		end, ok = t.deadline, true
	}
	if left := end.Sub(t.event.Start); ok && wait > 0 && wait > left {
		return reject("deadline", &Error{Code: Exhausted, Reason: fmt.Sprintf("the requests in front of it take about %v, and it ends in %v", wait.Round(time.Millisecond), left.Round(time.Millisecond))})
	}
	return nil
}

// Grow counts further bytes of the request, of a body whose size was not known. It fails where they are too many.
func (t *Ticket) Grow(bytes int64) error {
	if err := t.server.admission.grow(bytes); err != nil {
		return err
	}
	t.bytes += bytes
	return nil
}

// Raw describes the input that a body without JSON fills, nil for a model with another number of inputs.
func (t *Ticket) Raw() *oip.TensorMetadata {
	if len(t.instance.inputs) != 1 {
		return nil
	}
	return &t.instance.inputs[0]
}

// Deadline is when the request ends by the server's options.
func (t *Ticket) Deadline() time.Time { return t.deadline }

// Infer answers the request. Of a context that ends the request leaves its queue, and the run stops at its next node.
func (t *Ticket) Infer(ctx context.Context, r *oip.InferRequest) (*oip.InferResponse, error) {
	begun := time.Now()
	t.event.Decode = begun.Sub(t.event.Start)
	defer func() { t.answered = time.Now() }()
	deadline, high, err := t.policy(r.Parameters)
	if err != nil {
		return nil, err
	}
	if !deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	if _, err := t.instance.wanted(r); err != nil {
		return nil, err // before anything runs
	}
	inputs, err := t.inputs(ctx, r.Inputs)
	if err != nil {
		return nil, err
	}
	t.event.Decode = time.Since(t.event.Start)
	outputs, err := t.runInSequence(ctx, inputs, r.Parameters, high)
	if err != nil {
		return nil, err
	}
	answer := &oip.InferResponse{ModelName: t.deployment.name, ModelVersion: t.deployment.version, ID: r.ID}
	if answer.Outputs, err = t.instance.answer(r, outputs); err != nil {
		return nil, err
	}
	t.Hold(sizeOf(outputs))
	return answer, nil
}

// Hold counts bytes of the answer as those of the request, whose work is done: it cannot fail.
func (t *Ticket) Hold(bytes int64) {
	a := &t.server.admission
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bytes += bytes
	t.bytes += bytes
}

// policy reads the parameters of Triton's schedule policy: timeout in microseconds, and priority, of which 1 is the highest.
func (t *Ticket) policy(p oip.Parameters) (deadline time.Time, high bool, err error) {
	deadline = t.deadline
	if value, ok := p["timeout"]; ok {
		us, ok := value.(int64)
		if !ok || us < 0 {
			return deadline, false, invalid("parameter timeout: it is %v where microseconds are needed", shown(value))
		}
		const most = int64(1 << 40) // some days
		if end := t.event.Start.Add(time.Duration(min(us, most)) * time.Microsecond); us > 0 && (deadline.IsZero() || end.Before(deadline)) {
			deadline = end
		}
	}
	if value, ok := p["priority"]; ok {
		n, ok := value.(int64)
		if !ok || n < 0 {
			return deadline, false, invalid("parameter priority: it is %v where a number is needed", shown(value))
		}
		high = n == 1
	}
	return deadline, high, nil
}

// inputs returns the inputs of the model.
func (t *Ticket) inputs(ctx context.Context, given []*oip.Tensor) ([]*tensor.Tensor, error) {
	isBytes := func(g *oip.Tensor) bool { return g.Datatype == oip.Bytes }
	if !slices.ContainsFunc(given, isBytes) {
		return t.instance.bind(given)
	}
	inputs, err := t.decode(ctx, given)
	if err != nil {
		return nil, err
	}
	return inputs, t.instance.check(inputs)
}

// decode makes the inputs of BYTES, for as many requests at a time as may run: a small picture may have many pixels, which nobody knows
// before. They count once they are there.
func (t *Ticket) decode(ctx context.Context, given []*oip.Tensor) ([]*tensor.Tensor, error) {
	select {
	case t.server.decoding <- struct{}{}:
		defer func() { <-t.server.decoding }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	inputs, err := t.server.decoder(t.deployment).Decode(ctx, t.instance.signature, given)
	if err != nil {
		return nil, err
	}
	return inputs, t.Grow(sizeOf(inputs))
}

// sizeOf returns the bytes of tensors.
func sizeOf(tensors []*tensor.Tensor) (size int64) {
	for _, x := range tensors {
		if x != nil {
			size += int64(len(x.Bytes()))
		}
	}
	return size
}

// runInSequence runs with the state of a sequence, where the model has one.
func (t *Ticket) runInSequence(ctx context.Context, inputs []*tensor.Tensor, p oip.Parameters, high bool) ([]*tensor.Tensor, error) {
	id, start, end, err := sequenceOf(p)
	if err != nil {
		return nil, err
	}
	if !t.instance.signature.Stateful {
		return t.run(ctx, t.instance, nil, inputs, high)
	}
	if id == "" {
		return nil, invalid("model %s keeps something between requests: give the parameter %s", t.deployment.name, sequenceID)
	}
	d := t.deployment
	q, err := d.sequences.join(ctx, t.instance, id, start, &t.server.opts)
	if err != nil {
		return nil, err
	}
	defer func() { d.sequences.leave(q, end, &t.server.opts) }()
	return t.run(ctx, q.instance, q.state, inputs, high)
}

// run waits for a place and runs.
func (t *Ticket) run(ctx context.Context, i *instance, state *graph.SessionState, inputs []*tensor.Tensor, high bool) ([]*tensor.Tensor, error) {
	s := t.server
	j := jobs.Get().(*job)
	*j = job{wake: j.wake, queue: &t.deployment.queue, instance: i, ctx: ctx, state: state, inputs: inputs, bytes: t.bytes, samples: i.samples(inputs), high: high}
	queued := time.Now()
	j.joins = j.samples < i.batch.most() && j.joinable()
	if delay := s.opts.BatchDelay; delay > 0 && j.joins {
		j.joinUntil = queued.Add(delay)
	}
	t.event.Samples = j.samples
	err := s.scheduler.enter(j)
	if err != nil {
		t.event.Queue, t.event.Cancelled = time.Since(queued), "queue"
		return nil, err // another goroutine may still have the job
	}
	if j.where == granted {
		t.event.Queue = time.Since(queued)
		s.runJob(j)
	} else {
		t.event.Queue = time.Since(queued) - j.ran
	}
	outputs, err := j.outputs, j.err
	t.event.Run = j.ran
	if err != nil && ctx.Err() != nil {
		t.event.Cancelled = "run"
	}
	j.recycle()
	return outputs, err
}

// errPanicked says that the run of a request panicked in a goroutine of another one.
var errPanicked = &Error{Code: Internal, Reason: "internal error in the run of this request"}

// runJob runs a job that has a place, with those that are joined to it, and gives the place to others.
func (s *Server) runJob(j *job) {
	start := time.Now()
	defer func() {
		if v := recover(); v != nil {
			j.err = &Error{Code: Internal, Reason: "internal error", Err: &panicError{v, debug.Stack()}}
		}
		j.ran = time.Since(start)
		s.scheduler.leave(j, j.ran)
	}()
	if j.group != nil {
		j.group.run(s.runOnce)
		return
	}
	j.outputs, j.err = s.runOnce(j.ctx, j, j.inputs)
}

// runOnce is one run of a model.
func (s *Server) runOnce(ctx context.Context, j *job, inputs []*tensor.Tensor) ([]*tensor.Tensor, error) {
	if err := s.admission.roomBeside(j.bytes); err != nil {
		return nil, err
	}
	i := j.instance
	e := RunEvent{Model: i.deployment.name, Version: i.deployment.version, Requests: 1, Samples: i.samples(inputs), Threads: s.threads(i)}
	if j.group != nil && ctx == j.group.ctx {
		e.Requests = len(j.group.jobs)
	}
	start := time.Now()
	outputs, err := i.session.RunWith(ctx, graph.RunOptions{Threads: e.Threads, State: j.state}, inputs...)
	e.Duration, e.Err = time.Since(start), err
	j.ran = e.Duration
	if e.Requests > 1 {
		for _, m := range j.group.jobs {
			m.ran = e.Duration
		}
	}
	i.deployment.stats.run(&e)
	s.observer.Run(e)
	return outputs, err
}

// shortRun is the time below which a run is hardly faster with several threads, which cost more time in all.
const shortRun = 2 * time.Millisecond

// threads returns the most workers of the next run: one where the model is quick or others wait, else what is idle.
func (s *Server) threads(i *instance) int {
	free, waiting := s.scheduler.load()
	if waiting > 0 || i.warm > 0 && i.warm < shortRun {
		return 1
	}
	return 1 + free
}

// panicError is what a run panicked with.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprint(e.value) }

// Done ends the request: err is what was answered, nil for an answer that was written, of so many bytes.
func (t *Ticket) Done(err error, bytesOut int64) {
	s, d := t.server, t.deployment
	now := time.Now()
	t.event.Code, t.event.Err, t.event.BytesOut = CodeOf(err), err, bytesOut
	t.event.Total = now.Sub(t.event.Start)
	if !t.answered.IsZero() {
		t.event.Encode = now.Sub(t.answered)
	}
	s.admission.leave(d, t.bytes)
	t.instance.release()
	if r, ok := errors.AsType[*rejection](err); ok {
		t.event.Rejected = r.why
	}
	d.stats.request(&t.event)
	s.observer.Request(t.event)
}

// tickets are used again by requests in process.
var tickets = sync.Pool{New: func() any { return new(Ticket) }}

// errNoContext refuses a context that is nil.
var errNoContext = invalid("the context is nil: context.Background() never ends")

// Infer runs a model on inputs, in its order, in process: in the same queue as other requests and within the same bounds. The outputs
// are the caller's. It fails with an error that has a code (CodeOf), or with what graph.Session.Run does.
func (s *Server) Infer(ctx context.Context, name string, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	if ctx == nil {
		return nil, errNoContext
	}
	t := tickets.Get().(*Ticket)
	if err := s.admit(ctx, Admission{Model: name, Bytes: sizeOf(inputs), Protocol: "inprocess"}, t, false); err != nil {
		return nil, err
	}
	outputs, err := t.inferInProcess(ctx, inputs)
	t.Done(err, 0)
	*t = Ticket{}
	tickets.Put(t)
	return outputs, err
}

func (t *Ticket) inferInProcess(ctx context.Context, inputs []*tensor.Tensor) ([]*tensor.Tensor, error) {
	if t.instance.signature.Stateful {
		return nil, invalid("model %s keeps something between requests: it needs requests with the parameter %s", t.deployment.name, sequenceID)
	}
	if want := len(t.instance.inputs); len(inputs) != want {
		return nil, &graph.InputError{Index: -1, Reason: fmt.Sprintf("%d given where the model takes %d", len(inputs), want)}
	}
	if k := slices.Index(inputs, nil); k >= 0 {
		return nil, &graph.InputError{Index: k, Name: t.instance.inputs[k].Name, Reason: "it is nil"}
	}
	return t.run(ctx, t.instance, nil, inputs, false)
}

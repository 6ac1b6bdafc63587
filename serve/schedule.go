package serve

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// scheduler hands out the places to run: as many as there are cores. Whoever gets one runs on its own goroutine, so that where none
// waits nothing is handed over. Of several models that have requests waiting, the one goes next whose runs took least time so far, each
// weighed (fair queueing), so that a heavy model does not starve a light one.
type scheduler struct {
	slots int

	mu      sync.Mutex
	free    int
	waiting int
	queues  []*queue // with jobs that wait
	clock   float64  // the least served of those, never decreasing

	yielded time.Time // when requests that had come were read last
}

// queue has the jobs of one model that wait, first come first served.
type queue struct {
	weight float64

	// Under scheduler.mu.
	high, normal []*job
	served       float64 // seconds of runs, divided by the weight
	runTime      float64 // mean seconds of a run, lately
}

// jobState says where a job is.
type jobState int

const (
	waiting jobState = iota
	granted          // has a place to run
	joined           // in the run of another job
)

// job is a request on its way through a queue and a run. Jobs are used again.
type job struct {
	queue    *queue
	instance *instance
	ctx      context.Context
	state    *graph.SessionState // of a sequence
	inputs   []*tensor.Tensor
	bytes    int64 // that its request counts
	samples  int   // that the inputs have, 1 for a model without samples
	high     bool
	// joinUntil is how long it waits for others to join it, zero: not at all.
	joinUntil time.Time
	joins     bool // others may join it

	wake   chan struct{} // holds an element once the state is granted, or a joined job is done
	where  jobState      // under scheduler.mu
	charge float64       // seconds that its queue was charged in advance, under scheduler.mu
	group  *group        // that it is in, nil alone

	outputs []*tensor.Tensor
	err     error
	ran     time.Duration
}

var jobs = sync.Pool{New: func() any { return &job{wake: make(chan struct{}, 1)} }}

// recycle gives a job back that nobody else has.
func (j *job) recycle() {
	*j = job{wake: j.wake}
	jobs.Put(j)
}

func newScheduler(slots int) *scheduler { return &scheduler{slots: slots, free: slots} }

// longestBlind is how long requests may go unread while models run.
const longestBlind = 4 * time.Millisecond

// blind reports whether requests go unread where j takes a place now. There are as many places as threads of Go: while all of them run
// models, nothing reads. s.mu is held.
func (s *scheduler) blind(j *job) bool {
	return s.free <= 1 && (j.joins || time.Since(s.yielded) > longestBlind)
}

// yield lets everything else run that can before a run that would make the server blind, so that requests which came meanwhile are admitted
// or refused, and may join the run. No time passes where nothing is there to do. s.mu is held, but not meanwhile.
func (s *scheduler) yield(j *job) {
	if !s.blind(j) {
		return
	}
	s.mu.Unlock()
	runtime.Gosched()
	s.mu.Lock()
	s.yielded = time.Now()
}

// enter waits for a place to run. It fails with the error of the job's context when that ends before, with the job out of the
// queue. A job that was joined to another has run when enter returns.
func (s *scheduler) enter(j *job) error {
	s.mu.Lock()
	if s.free > 0 && s.waiting == 0 && j.joinUntil.IsZero() && !s.blind(j) {
		s.activate(j.queue)
		s.take(j)
		s.mu.Unlock()
		return nil
	}
	s.push(j)
	s.yield(j)
	s.dispatch(time.Time{})
	if j.where == granted {
		s.gather(j)
		s.mu.Unlock()
		<-j.wake
		return nil
	}
	s.mu.Unlock()
	if until := j.joinUntil; !until.IsZero() {
		timer := time.AfterFunc(time.Until(until), func() { // when the job may be another request's already
			s.mu.Lock()
			defer s.mu.Unlock()
			s.dispatch(until)
		})
		defer timer.Stop()
	}
	select {
	case <-j.wake:
		if j.where == granted {
			s.mu.Lock()
			s.yield(j)
			s.gather(j)
			s.mu.Unlock()
		}
		return nil
	case <-j.ctx.Done():
	}
	s.mu.Lock()
	where := j.where
	if where == waiting {
		s.remove(j)
		s.dispatch(time.Time{})
	}
	s.mu.Unlock()
	switch where {
	case waiting:
		return j.ctx.Err()
	case granted:
		<-j.wake
		return nil // the run will see the context
	}
	return j.group.leave(j)
}

// take gives a job a place, and charges its queue what a run has taken lately; s.mu is held.
func (s *scheduler) take(j *job) {
	s.free--
	j.where = granted
	j.charge = j.queue.runTime
	j.queue.served += j.charge / j.queue.weight
}

// leave gives the place of a job to others, after a run that took so long.
func (s *scheduler) leave(j *job, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, seconds := j.queue, took.Seconds()
	q.served += (seconds - j.charge) / q.weight
	const keep = 0.8 // of the mean before
	if q.runTime == 0 {
		q.runTime = seconds
	} else {
		q.runTime = keep*q.runTime + (1-keep)*seconds
	}
	s.free++
	s.dispatch(time.Time{})
}

// activate lets a queue that had nothing to do begin where the others are: time that it did not use is not saved. s.mu is held.
func (s *scheduler) activate(q *queue) { q.served = max(q.served, s.clock) }

// push puts a job at the end of its queue; s.mu is held.
func (s *scheduler) push(j *job) {
	q := j.queue
	if q.len() == 0 {
		s.activate(q)
		s.queues = append(s.queues, q)
	}
	j.where = waiting
	if j.high {
		q.high = append(q.high, j)
	} else {
		q.normal = append(q.normal, j)
	}
	s.waiting++
}

// remove takes a job out of its queue; s.mu is held.
func (s *scheduler) remove(j *job) {
	list := &j.queue.normal
	if j.high {
		list = &j.queue.high
	}
	for i, other := range *list {
		if other == j {
			copy((*list)[i:], (*list)[i+1:])
			(*list)[len(*list)-1] = nil
			*list = (*list)[:len(*list)-1]
			s.waiting--
			break
		}
	}
	s.forget(j.queue)
}

// forget takes a queue without jobs off the list; s.mu is held.
func (s *scheduler) forget(q *queue) {
	if q.len() > 0 {
		return
	}
	for i, other := range s.queues {
		if other == q {
			last := len(s.queues) - 1
			s.queues[i] = s.queues[last]
			s.queues[last] = nil
			s.queues = s.queues[:last]
			return
		}
	}
}

func (q *queue) len() int { return len(q.high) + len(q.normal) }

// first returns the job that goes first.
func (q *queue) first() *job {
	if len(q.high) > 0 {
		return q.high[0]
	}
	return q.normal[0]
}

// dispatch gives free places to jobs that wait; s.mu is held. due is the time that a job waited for, zero for none.
func (s *scheduler) dispatch(due time.Time) {
	for s.free > 0 {
		var best *queue
		for _, q := range s.queues {
			if q.ready(due) && (best == nil || q.served < best.served) {
				best = q
			}
		}
		if best == nil {
			return
		}
		s.clock = max(s.clock, best.served)
		s.grant(best.first())
	}
}

// ready reports whether the first job of a queue need not wait for others to join it.
func (q *queue) ready(due time.Time) bool {
	j := q.first()
	if j.joinUntil.IsZero() || !j.joinUntil.After(due) || !j.joinUntil.After(time.Now()) {
		return true
	}
	samples := 0
	for _, m := range q.companions(j) {
		samples += m.samples
	}
	return samples >= j.instance.batch.most()
}

// grant gives a place to a job that waits; s.mu is held.
func (s *scheduler) grant(j *job) {
	s.remove(j)
	s.take(j)
	j.wake <- struct{}{}
}

// gather joins jobs that wait to one that is about to run; s.mu is held.
func (s *scheduler) gather(j *job) {
	members := j.queue.companions(j)
	if len(members) < 2 {
		return
	}
	g := newGroup(members)
	for _, m := range members {
		m.group = g
		if m != j {
			s.remove(m)
			m.where = joined
		}
	}
}

// companions returns the jobs that are run together with j, itself the first: of those that wait for the same with inputs of the
// same types, as many as make up the largest size that was measured. nil stands for j alone.
func (q *queue) companions(j *job) []*job {
	sizes := j.instance.batch
	if q.len() == 0 || sizes.most() < 2 || !j.joinable() {
		return nil
	}
	members, total, fit := []*job{j}, j.samples, 1
	for _, list := range [][]*job{q.high, q.normal} {
		for _, other := range list {
			if other == j || other.instance != j.instance || !other.joinable() || !other.sameParams(j) || total+other.samples > sizes.most() {
				continue
			}
			members, total = append(members, other), total+other.samples
			if sizes.has(total) {
				fit = len(members)
			}
		}
	}
	return members[:fit]
}

// wait estimates how long a further job of the queue waits for a place at least.
func (s *scheduler) wait(q *queue) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free > 0 && s.waiting == 0 {
		return 0
	}
	return time.Duration(float64(q.len()) * q.runTime / float64(s.slots) * float64(time.Second))
}

// load returns the places that are free, and the jobs that wait.
func (s *scheduler) load() (free, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.free, s.waiting
}

func (s *scheduler) queueLength(q *queue) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return q.len()
}

package ops

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/octet-ml/octet/internal/fastcores"
	"github.com/octet-ml/octet/ops/asm"
)

// Pool is a fixed set of workers that share the tasks of kernels. Any number of
// calls may use a pool at the same time: each call works on its own tasks, and
// free workers help whichever call still has some.
//
// Waking a sleeping thread takes longer than many a layer. A worker that has run
// out of tasks therefore watches for the next ones for up to 50 µs, which spans
// the gap between two layers, and only then sleeps; so does a call whose last tasks
// are still with workers. A pool that nobody uses sleeps.
type Pool struct {
	threads int
	spin    time.Duration // bounds how long anyone watches before it sleeps
	posted  atomic.Uint32 // calls so far, for workers that watch

	mu       sync.Mutex
	wake     sync.Cond
	jobs     []*job // with tasks that nobody took yet
	watchers int    // workers that watch posted
	sleepers int    // workers that wait for wake
	closed   bool
}

// spinTime is the bound of all pools but those of tests, where time stands still while a goroutine runs.
const spinTime = 50 * time.Microsecond

// job is one Parallel call in progress.
type job struct {
	call    *Call
	task    Task
	n       int64
	next    atomic.Int64 // next index to take
	helpers atomic.Int32 // workers in the job, who join under Pool.mu, and asleep while the caller sleeps on idle
	joined  int          // workers that ever joined it, under Pool.mu: each has a place of its own in call.Workers
	failed  any          // what a task panicked with in a worker, under Pool.mu until helpers is 0
	idle    sync.Cond    // signalled when the last helper leaves a caller that sleeps
}

// asleep is what a caller that sleeps adds to job.helpers. One word holds both, so that the last helper and the caller
// cannot miss each other, in whatever order a CPU, or an emulator of one, makes writes to two words seen.
const asleep = 1 << 16

// MaxThreads is the most workers that a pool has.
const MaxThreads = 1024

// NewPool starts a pool of the given number of workers, the calling goroutine
// counted as one; 0 means one for each fast core, at most GOMAXPROCS and what a control group gives, and more than MaxThreads are not started. Any number of
// sessions may use it. Close releases the workers.
func NewPool(threads int) *Pool {
	if threads <= 0 {
		threads = fastcores.Threads()
	}
	return newPool(min(threads, MaxThreads), spinTime)
}

func newPool(threads int, spin time.Duration) *Pool {
	p := &Pool{threads: threads, spin: spin}
	p.wake.L = &p.mu
	for range threads - 1 {
		go p.work()
	}
	return p
}

// Threads returns the number of workers; a nil pool has one, the caller.
func (p *Pool) Threads() int {
	if p == nil {
		return 1
	}
	return p.threads
}

// Close ends the workers. Calls in progress finish on their own goroutine.
func (p *Pool) Close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.wake.Broadcast()
}

func (p *Pool) run(c *Call, n int, task Task) {
	j := &c.job
	j.call, j.task, j.n = c, task, int64(n)
	j.next.Store(0)
	j.idle.L = &p.mu
	p.mu.Lock()
	j.joined = 0
	p.jobs = append(p.jobs, j)
	p.posted.Add(1)
	wake := min(min(n, p.threads, len(c.Workers))-1-p.watchers, p.sleepers)
	p.mu.Unlock()
	for range wake {
		p.wake.Signal()
	}
	defer p.finish(j)
	j.take(&c.Workers[0])
}

// finish waits until nobody works on the job any more. A panic of a task in a worker becomes
// one of the caller.
func (p *Pool) finish(j *job) {
	j.next.Store(j.n) // after a panic, tasks are left
	p.mu.Lock()
	p.remove(j)
	p.mu.Unlock()
	if !p.watch(func() bool { return j.helpers.Load() == 0 }) {
		p.mu.Lock()
		j.helpers.Add(asleep)
		for j.helpers.Load() > asleep {
			j.idle.Wait()
		}
		j.helpers.Add(-asleep)
		p.mu.Unlock()
	}
	if v := j.failed; v != nil {
		j.failed = nil
		panic(v)
	}
}

// watch spins until done is true, and reports whether that was within p.spin.
func (p *Pool) watch(done func() bool) bool {
	var start time.Time
	for i := 0; !done(); i++ {
		asm.Pause()
		if i%16 != 15 {
			continue
		}
		if now := time.Now(); start.IsZero() {
			start = now
		} else if now.Sub(start) >= p.spin {
			return done()
		}
	}
	return true
}

// take runs tasks of the job until none is left.
func (j *job) take(w *Worker) {
	for {
		i := j.next.Add(1) - 1
		if i >= j.n || j.call.interrupted() {
			return
		}
		j.task(j.call, int(i), w)
	}
}

// remove takes the job off the list; p.mu is held.
func (p *Pool) remove(j *job) {
	for i, q := range p.jobs {
		if q == j {
			last := len(p.jobs) - 1
			p.jobs[i] = p.jobs[last]
			p.jobs[last] = nil
			p.jobs = p.jobs[:last]
			return
		}
	}
}

// work is a worker's life.
func (p *Pool) work() {
	for {
		j, place, posted, closed := p.join()
		switch {
		case closed:
			return
		case j != nil:
			p.help(j, place)
		default:
			found := p.watch(func() bool { return p.posted.Load() != posted })
			p.mu.Lock()
			p.watchers--
			if !found {
				p.sleepers++
				for p.posted.Load() == posted && !p.closed {
					p.wake.Wait()
				}
				p.sleepers--
			}
			p.mu.Unlock()
		}
	}
}

// join returns a job that the worker has become a helper of, and its place among the call's workers. If there is none, the
// worker counts as a watcher for calls after the given number of them.
func (p *Pool) join() (j *job, place int, posted uint32, closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.jobs) > 0 {
		j := p.jobs[0]
		if j.joined+1 < len(j.call.Workers) && j.next.Load() < j.n {
			j.joined++
			j.helpers.Add(1)
			return j, j.joined, 0, false
		}
		p.remove(j)
	}
	if !p.closed {
		p.watchers++
	}
	return nil, 0, p.posted.Load(), p.closed
}

// help works on a job that the worker has joined.
func (p *Pool) help(j *job, place int) {
	defer func() {
		if v := recover(); v != nil {
			p.mu.Lock()
			j.failed = v
			p.mu.Unlock()
		}
		p.leave(j)
	}()
	j.take(&j.call.Workers[place])
}

// leave is join's reverse. The caller of a job that nobody helps may already be
// on its next one.
func (p *Pool) leave(j *job) {
	if j.helpers.Add(-1) == asleep {
		p.mu.Lock()
		j.idle.Signal()
		p.mu.Unlock()
	}
}

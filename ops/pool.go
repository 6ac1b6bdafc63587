package ops

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Pool is a fixed set of workers that share the tasks of kernels. Idle workers
// sleep. Any number of calls may use a pool at the same time: each call works on
// its own tasks, and free workers help whichever call still has some.
type Pool struct {
	threads int

	mu     sync.Mutex
	wake   sync.Cond
	jobs   []*job // with tasks that nobody took yet
	closed bool
}

// job is one Parallel call in progress.
type job struct {
	call    *Call
	task    Task
	n       int64
	next    atomic.Int64 // next index to take
	helpers int          // workers in the job, guarded by Pool.mu
	idle    sync.Cond    // signalled when helpers reaches 0
}

// NewPool starts a pool of the given number of workers, the calling goroutine
// counted as one; 0 means GOMAXPROCS. Close releases them.
func NewPool(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &Pool{threads: threads}
	p.wake.L = &p.mu
	for id := 1; id < threads; id++ {
		go p.work(id)
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
	p.jobs = append(p.jobs, j)
	p.mu.Unlock()
	for range min(n, p.threads) - 1 {
		p.wake.Signal()
	}
	j.take(&c.Workers[0])
	p.mu.Lock()
	p.remove(j)
	for j.helpers > 0 {
		j.idle.Wait()
	}
	p.mu.Unlock()
}

// take runs tasks of the job until none is left.
func (j *job) take(w *Worker) {
	for {
		i := j.next.Add(1) - 1
		if i >= j.n {
			return
		}
		j.task(j.call, int(i), w)
	}
}

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

func (p *Pool) work(id int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for len(p.jobs) == 0 {
			if p.closed {
				return
			}
			p.wake.Wait()
		}
		j := p.jobs[0]
		if id >= len(j.call.Workers) {
			p.remove(j)
			continue
		}
		j.helpers++
		p.mu.Unlock()
		j.take(&j.call.Workers[id])
		p.mu.Lock()
		p.remove(j)
		j.helpers--
		if j.helpers == 0 {
			j.idle.Signal()
		}
	}
}

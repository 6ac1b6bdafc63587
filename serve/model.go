package serve

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve/oip"
)

// The states of a model, as the protocol's repository extension calls them.
const (
	stateReady       = "READY"
	stateLoading     = "LOADING"
	stateUnloading   = "UNLOADING"
	stateUnavailable = "UNAVAILABLE"
)

// deployment is one version of a model that a server is to serve: where it comes from, and what is loaded of it.
type deployment struct {
	name, version string
	opts          ModelOptions
	queue         queue
	stats         stats
	sequences     sequences
	current       atomic.Pointer[instance] // nil: nothing is loaded
	admitted      int                      // under admission.mu

	mu      sync.Mutex
	source  Source
	state   string // of the last attempt to load
	reason  string // why there is nothing else
	removed bool   // no longer served
	leaving bool   // served until another version is ready, and loaded no more
	seen    fileState
	loaded  fileState // of the file at the last attempt to load
	// reconfigured says that the source is another one since.
	reconfigured bool
}

// instance is a loaded model. It is closed once nobody uses it any more.
type instance struct {
	deployment *deployment
	session    *graph.Session
	signature  *graph.Signature
	inputs     []oip.TensorMetadata
	outputs    []oip.TensorMetadata
	all        []int // indices of all outputs
	offered    []oip.TensorMetadata
	batch      batchTable
	warm       time.Duration // of a run, measured; 0: not known
	warmNote   string
	measured   fingerprint // of what the time and the batches are
	weights    int64

	users  atomic.Int64 // requests, sequences, and one while it is current
	closed sync.Once
	gone   chan struct{} // closed once it is closed
}

// use returns what is loaded, for a caller who must call release.
func (d *deployment) use() (*instance, error) {
	for {
		i := d.current.Load()
		if i == nil {
			d.mu.Lock()
			defer d.mu.Unlock()
			reason := d.state
			if d.reason != "" {
				reason += ": " + d.reason
			}
			return nil, reject("unavailable", &Error{Code: Unavailable, Reason: "model " + d.name + " is not ready: " + reason, RetryAfter: time.Second})
		}
		i.users.Add(1)
		if d.current.Load() == i {
			return i, nil
		}
		i.release()
	}
}

// release ends what use began.
func (i *instance) release() {
	if i.users.Add(-1) == 0 {
		i.closed.Do(func() {
			i.session.Close()
			close(i.gone)
		})
	}
}

// swap puts another instance, or nil, in the place of the current one, which ends once its requests have.
func (d *deployment) swap(i *instance) {
	if old := d.current.Swap(i); old != nil {
		old.release()
	}
}

// ready reports whether the deployment takes requests, and else why not.
func (d *deployment) ready() (bool, string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current.Load() != nil {
		return true, ""
	}
	reason := d.state
	if d.reason != "" {
		reason += ": " + d.reason
	}
	return false, reason
}

func (d *deployment) set(state, reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state, d.reason = state, reason
}

// index describes the deployment for the repository's index.
func (d *deployment) index() oip.IndexEntry {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := oip.IndexEntry{Name: d.name, Version: d.version, State: d.state, Reason: d.reason}
	if d.current.Load() != nil {
		e.State = stateReady // also while another is loaded, or after that failed
	}
	return e
}

// metadata describes a loaded model.
func (i *instance) metadata(versions []string) *oip.ModelMetadata {
	m := &oip.ModelMetadata{
		Name: i.deployment.name, Versions: versions, Platform: "octet",
		Inputs: i.inputs, Outputs: i.outputs,
		Parameters: map[string]any{
			"batching": i.batch.reason,
			"stateful": i.signature.Stateful,
		},
	}
	if i.warmNote != "" {
		m.Parameters["warm_up"] = i.warmNote
	}
	if i.offered != nil {
		m.Parameters["decoded_inputs"] = i.offered
	}
	return m
}

// newInstance loads and compiles a model.
func (s *Server) newInstance(ctx context.Context, d *deployment, source Source) (*instance, error) {
	g, err := source.open(ctx, s.opts.MaxMemory)
	if err != nil {
		return nil, err
	}
	if g == nil {
		return nil, errors.New("its source made no graph")
	}
	i := &instance{deployment: d, gone: make(chan struct{})}
	if i.signature, err = source.signature(g); err != nil {
		return nil, err
	}
	if i.inputs, err = describe(i.signature.Inputs); err != nil {
		return nil, err
	}
	if i.outputs, err = describe(i.signature.Outputs); err != nil {
		return nil, err
	}
	for k := range i.outputs {
		i.all = append(i.all, k)
	}
	i.offered = s.decoder(d).Inputs(i.signature)
	i.weights = weightBytes(g)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	i.session, err = g.CompileContext(ctx, graph.Options{CPU: s.opts.CPU, Pool: s.pool, MaxMemory: s.opts.MaxMemory})
	return i, err
}

// weightBytes returns the bytes of the constants of a model, 0 where that is not known before it runs.
func weightBytes(g *graph.Graph) int64 {
	c, err := g.Concrete()
	if err != nil {
		return 0
	}
	var total int64
	for _, v := range c.Constants() {
		total += int64(v.Type.Bytes())
	}
	return total
}

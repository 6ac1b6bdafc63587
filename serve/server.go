package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/serve/oip"
)

// Server holds models and answers requests for them. Its methods may be called from any number of goroutines.
type Server struct {
	opts      Options
	pool      *ops.Pool
	admission admission
	scheduler *scheduler
	observer  Observer
	decoding  chan struct{} // holds an element for each request whose BYTES become tensors
	loading   chan struct{} // holds an element while a model is loaded: one at a time
	loads     queue         // of the runs that warm models up
	http      httpState

	mu     sync.RWMutex
	models map[string]*model
	closed bool
}

// model has the versions of a model.
type model struct {
	name     string
	versions []*deployment // by version, the latest first
}

// loadWeight is the share of time of runs that warm a model up, beside models that have requests waiting.
const loadWeight = 1. / 8

// New returns a server without models.
func New(opts Options) (*Server, error) {
	if err := opts.complete(); err != nil {
		return nil, err
	}
	s := &Server{
		opts:      opts,
		pool:      ops.NewPool(opts.Threads),
		admission: admission{maxBytes: opts.MaxInflightBytes},
		scheduler: newScheduler(opts.Threads),
		decoding:  make(chan struct{}, opts.Threads),
		loading:   make(chan struct{}, 1),
		loads:     queue{weight: loadWeight},
		models:    make(map[string]*model),
	}
	s.observer = NoObserver{}
	if opts.Observer != nil {
		s.observer = opts.Observer
	}
	if opts.Logger != nil {
		s.observer = observers{s.observer, &logger{opts.Logger, opts.AccessLog, opts.SlowRequest}}
	}
	return s, nil
}

// Options returns the options, with what was not given filled in: other protocols keep to them.
func (s *Server) Options() Options { return s.opts }

// Configured is a version of a model that a server is to serve.
type Configured struct {
	Name    string
	Version string // a number; "" for a model without versions
	Source  Source
	Options ModelOptions
}

// check refuses names that do not fit a path of the protocol.
func (c *Configured) check() error {
	for _, text := range []string{c.Name, c.Version} {
		if !utf8.ValidString(text) || strings.ContainsAny(text, "/\\?#%") || text == "." || text == ".." || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("serve: %q cannot be the name or version of a model: it is part of a path", text)
		}
	}
	if c.Name == "" {
		return errors.New("serve: a model needs a name")
	}
	return nil
}

// Load loads a model, warms it up and serves it under the name from then on, in the place of the one that had it. Where
// it fails, that one is served on; a name that none had stays, with the reason in Index, and the server is not ready until a load succeeds or
// the name is removed (Remove).
func (s *Server) Load(ctx context.Context, name string, source Source) error {
	return s.LoadConfigured(ctx, Configured{Name: name, Source: source})
}

// LoadConfigured is Load with a version and options.
func (s *Server) LoadConfigured(ctx context.Context, c Configured) error {
	d, err := s.configure(c)
	if err != nil {
		return err
	}
	return s.load(ctx, d)
}

// Configure makes models known to the server without loading them: until they are, it is not ready. Those of the same name and
// version are replaced at their next load. It fails without a change.
func (s *Server) Configure(list ...Configured) error {
	for _, c := range list {
		if err := c.check(); err != nil {
			return err
		}
	}
	for _, c := range list {
		if _, err := s.configure(c); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) configure(c Configured) (*deployment, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	m := s.models[c.Name]
	if m == nil {
		m = &model{name: c.Name}
		s.models[c.Name] = m
	}
	for _, d := range m.versions {
		if d.version == c.Version {
			d.mu.Lock()
			d.reconfigured = d.reconfigured || !d.source.same(c.Source)
			d.source, d.leaving = c.Source, false
			d.mu.Unlock()
			return d, nil
		}
	}
	d := &deployment{name: c.Name, version: c.Version, source: c.Source, opts: c.Options, state: stateUnavailable, reason: "it was not loaded yet"}
	d.queue.weight = c.Options.Weight
	if d.queue.weight <= 0 {
		d.queue.weight = 1
	}
	m.versions = append(m.versions, d)
	sorting.Func(m.versions, func(a, b *deployment) int { return compareVersions(b.version, a.version) })
	return d, nil
}

var errClosed = &Error{Code: Unavailable, Reason: "the server is closed"}

// compareVersions orders versions as numbers, and what is no number as text in front of them.
func compareVersions(a, b string) int {
	digits := func(text string) bool {
		return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	}
	if digits(a) && digits(b) {
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		if len(a) != len(b) {
			return len(a) - len(b)
		}
	} else if digits(a) != digits(b) {
		if digits(a) {
			return 1
		}
		return -1
	}
	return strings.Compare(a, b)
}

// reload loads a deployment anew, unless it has what its file has.
func (s *Server) reload(ctx context.Context, d *deployment) error {
	if d.unchanged() {
		s.observer.Load(LoadEvent{Model: d.name, Version: d.version, Unchanged: true})
		return nil
	}
	return s.load(ctx, d)
}

// load loads a deployment anew. One is loaded at a time.
func (s *Server) load(ctx context.Context, d *deployment) error {
	if ctx == nil {
		return errNoContext
	}
	select {
	case s.loading <- struct{}{}:
		defer func() { <-s.loading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	d.mu.Lock()
	source := d.source
	d.state, d.reason, d.reconfigured = stateLoading, "", false
	d.loaded = stateOf(source.Path)
	d.mu.Unlock()
	start := time.Now()
	g := s.gently(ctx)
	i, err := s.newInstance(g, d, source)
	if err == nil {
		if err = s.warmUp(g, i, source); err != nil {
			i.session.Close()
		}
	}
	event := LoadEvent{Model: d.name, Version: d.version, Duration: time.Since(start), Err: err}
	if err == nil {
		event.WeightBytes, event.ArenaBytes = i.weights, int64(i.session.ArenaBytes())
		err = s.publish(d, i)
	}
	if err != nil {
		d.set(stateUnavailable, err.Error())
		event.Err = err
		s.observer.Load(event)
		return fmt.Errorf("model %s: %w", d.name, err)
	}
	s.observer.Load(event)
	return nil
}

// publish serves an instance from now on, unless its deployment is gone.
func (s *Server) publish(d *deployment, i *instance) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		i.session.Close()
		return errClosed
	}
	i.users.Store(1)
	d.set(stateReady, "")
	d.swap(i)
	return nil
}

// find returns a version of a model, the latest that is ready where version is "", else the latest.
func (s *Server) find(name, version string) (*deployment, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	m := s.models[name]
	if m == nil {
		return nil, &Error{Code: NotFound, Reason: "there is no model " + quote(name)}
	}
	for _, d := range m.versions {
		if version == "" && d.current.Load() != nil || version != "" && d.version == version {
			return d, nil
		}
	}
	if version == "" && len(m.versions) > 0 {
		return m.versions[0], nil
	}
	return nil, &Error{Code: NotFound, Reason: fmt.Sprintf("model %s has no version %s", name, quote(version))}
}

// deployments returns all versions of all models, by name.
func (s *Server) deployments() []*deployment {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []*deployment
	for _, m := range s.models {
		list = append(list, m.versions...)
	}
	sorting.Func(list, func(a, b *deployment) int {
		if a.name != b.name {
			return strings.Compare(a.name, b.name)
		}
		return compareVersions(b.version, a.version)
	})
	return list
}

// versionsOf returns the versions of a model that have a number.
func (s *Server) versionsOf(name string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var versions []string
	if m := s.models[name]; m != nil {
		for _, d := range slices.Backward(m.versions) {
			if d.version != "" {
				versions = append(versions, d.version)
			}
		}
	}
	return versions
}

func (s *Server) decoder(d *deployment) Decoder {
	if d.opts.Decoder != nil {
		return d.opts.Decoder
	}
	return s.opts.Decoder
}

// Metadata describes the server.
func (s *Server) Metadata() *oip.ServerMetadata {
	extensions := []string{"binary_tensor_data", "model_repository", "statistics", "sequence", "schedule_policy"}
	return &oip.ServerMetadata{Name: "octet", Version: s.opts.Version, Extensions: extensions}
}

// ModelMetadata describes a model, in the version that is served where version is "".
func (s *Server) ModelMetadata(name, version string) (*oip.ModelMetadata, error) {
	d, err := s.find(name, version)
	if err != nil {
		return nil, err
	}
	i, err := d.use()
	if err != nil {
		return nil, err
	}
	defer i.release()
	return i.metadata(s.versionsOf(name)), nil
}

// ModelReady reports whether a model takes requests, and else why not. It fails for a model that does not exist.
func (s *Server) ModelReady(name, version string) (ready bool, reason string, err error) {
	d, err := s.find(name, version)
	if err != nil {
		return false, "", err
	}
	ready, reason = d.ready()
	if ready && s.draining() {
		return false, "the server is shutting down", nil
	}
	return ready, reason, nil
}

// Ready reports whether the server takes requests for all its models, and else why not.
func (s *Server) Ready() (ready bool, reason string) {
	if s.draining() {
		return false, "the server is shutting down"
	}
	for _, d := range s.deployments() {
		d.mu.Lock()
		removed := d.removed
		d.mu.Unlock()
		if ok, why := d.ready(); !ok && !removed {
			return false, "model " + d.name + ": " + why
		}
	}
	return true, ""
}

// Gauges returns the state of the server.
func (s *Server) Gauges() Gauges {
	free, _ := s.scheduler.load()
	g := Gauges{Running: s.scheduler.slots - free, Draining: s.draining()}
	for _, d := range s.deployments() {
		m := ModelGauges{Model: d.name, Version: d.version, Queued: s.scheduler.queueLength(&d.queue), Sequences: d.sequences.count()}
		if i := d.current.Load(); i != nil {
			m.Ready, m.WeightBytes, m.RunBytes = true, i.weights, i.session.Memory()
		}
		s.admission.mu.Lock()
		m.Admitted, g.InflightBytes = d.admitted, s.admission.bytes
		s.admission.mu.Unlock()
		g.Models = append(g.Models, m)
	}
	return g
}

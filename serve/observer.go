package serve

import (
	"context"
	"time"
)

// Observer is told what a server does: for metrics, traces and logs. Its methods are called from any number of goroutines, on the path
// of requests, and have to be quick. Embed NoObserver for those that are not needed.
type Observer interface {
	// Request is told of each request for an inference that names a model which exists, once its answer is written or failed.
	Request(RequestEvent)
	// Run is told of each run of a model, which may serve several requests; not of those that warm it up.
	Run(RunEvent)
	// Load is told of each attempt to load a model.
	Load(LoadEvent)
}

// RequestEvent says how a request went. Times that were not reached are zero.
type RequestEvent struct {
	Context        context.Context // of the request
	Protocol       string          // "http", "grpc", "inprocess"
	Model, Version string
	ID             string // that the server gave it, empty in process
	Code           Code
	Err            error // nil for OK
	// Rejected says why the request was not admitted: "queue", "bytes", "deadline", "draining", "unavailable"; else "".
	Rejected string
	// Cancelled says where the client or its deadline ended the request: "queue", "run"; else "".
	Cancelled string
	Samples   int
	Start     time.Time
	Decode    time.Duration // from admission to tensors
	Queue     time.Duration // for a place to run
	Run       time.Duration // of the run it was part of
	Encode    time.Duration // from tensors to the last byte
	Total     time.Duration
	BytesIn   int64 // of the body, where known
	BytesOut  int64
}

// RunEvent says how a run went.
type RunEvent struct {
	Model, Version string
	Requests       int // joined in it
	Samples        int
	Threads        int
	Duration       time.Duration
	Err            error
}

// LoadEvent says how a load went.
type LoadEvent struct {
	Model, Version string
	Duration       time.Duration
	Err            error
	WeightBytes    int64 // constants of the model
	ArenaBytes     int64 // of one run
	// Unchanged says that nothing was loaded: the file is the one that is served. The fields above are zero.
	Unchanged bool
}

// Gauges is the state of a server at one time.
type Gauges struct {
	InflightBytes int64
	Running       int // runs in progress
	Draining      bool
	Models        []ModelGauges
}

// ModelGauges is the state of one version of a model.
type ModelGauges struct {
	Model, Version string
	Ready          bool
	Admitted       int // requests between admission and answer
	Queued         int // of those, waiting for a place to run
	Sequences      int
	WeightBytes    int64
	RunBytes       int64 // memory of runs, in progress and left for others
}

// NoObserver is an Observer that does nothing.
type NoObserver struct{}

// Request does nothing.
func (NoObserver) Request(RequestEvent) {}

// Run does nothing.
func (NoObserver) Run(RunEvent) {}

// Load does nothing.
func (NoObserver) Load(LoadEvent) {}

// observers tells several.
type observers []Observer

func (o observers) Request(e RequestEvent) {
	for _, one := range o {
		one.Request(e)
	}
}

func (o observers) Run(e RunEvent) {
	for _, one := range o {
		one.Run(e)
	}
}

func (o observers) Load(e LoadEvent) {
	for _, one := range o {
		one.Load(e)
	}
}

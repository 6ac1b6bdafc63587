package serve

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/octet-ml/octet/internal/fastcores"
	"github.com/octet-ml/octet/ops"
)

// Options say how a server works. The zero value is a good choice.
type Options struct {
	// Threads is the number of runs at a time, and of the workers that they share; 0 means GOMAXPROCS, at most one for each fast core and what a control group gives.
	Threads int
	// CPU names the tier of kernels to use, as graph.Options does.
	CPU string
	// MaxMemory bounds the bytes of one run, as graph.Options does.
	MaxMemory int64

	// MaxQueue is how many requests of one model may wait for a place to run, or be read meanwhile; 0 means 64. Others are refused.
	MaxQueue int
	// MaxBody bounds the bytes of one request; 0 means 64 MiB.
	MaxBody int64
	// MaxInflightBytes bounds the bytes of all requests that are admitted; 0 means 256 MiB. One alone is always admitted.
	MaxInflightBytes int64
	// MaxSequences bounds the sequences of one model that keeps something between runs; 0 means 256.
	MaxSequences int
	// SequenceIdle ends a sequence that gets no request for so long; 0 means a minute.
	SequenceIdle time.Duration

	// Timeout ends a request of a protocol that takes longer; 0 means 30 seconds. In process, the context alone decides.
	Timeout time.Duration
	// BodyTimeout is the time in which the body of a request has to arrive; 0 means 10 seconds.
	BodyTimeout time.Duration

	// Batch says which requests are joined: see Batching.
	Batch Batching
	// BatchDelay is how long a request waits for others to join it where joining is worthwhile; 0: not at all.
	BatchDelay time.Duration

	// Token, unless empty, is what requests over HTTP and gRPC must bear.
	Token string
	// Control lets clients load and unload configured models over HTTP. It needs a token.
	Control bool
	// Origin is that of web pages which may use the server besides its own, "*" for all; "": none.
	Origin string
	// LocalHost checks that requests name this computer as host, so that web pages elsewhere cannot reach a server of the loopback
	// interface under a name of their own.
	LocalHost bool

	// Decoder makes inputs of what clients give instead, such as pictures; nil means Pictures.
	Decoder Decoder
	// Observer is told what happens.
	Observer Observer
	// Metrics, unless nil, answers GET /metrics, for requests that bear the token.
	Metrics http.Handler
	// Logger gets a line for each request that fails for a reason of the server's or takes longer than SlowRequest, and for each
	// load; nil: none.
	Logger *slog.Logger
	// AccessLog makes it a line for every request.
	AccessLog bool
	// SlowRequest is the time from which on a request is slow; 0 means a second.
	SlowRequest time.Duration
	// Version is the server's own, for its metadata.
	Version string
}

// Batching says how many samples of requests that wait are joined to one run. A request that has more by itself runs alone.
type Batching int

// The choices; any number above 1 is the most samples of one run.
const (
	// BatchAuto joins where a measurement, when the model is loaded, found that samples then take at least a tenth less time each.
	BatchAuto Batching = 0
	// BatchOff never joins.
	BatchOff Batching = 1
)

// String formats the choice as on the command line.
func (b Batching) String() string {
	switch b {
	case BatchAuto:
		return "auto"
	case BatchOff:
		return "off"
	}
	return fmt.Sprint(int(b))
}

// maxBatch bounds the samples of one run where nothing else is said.
const maxBatch = 64

// complete fills in what is not given and checks the rest.
func (o *Options) complete() error {
	if min(int64(o.MaxQueue), o.MaxBody, o.MaxInflightBytes, int64(o.MaxSequences), int64(o.SequenceIdle), int64(o.Timeout), int64(o.BodyTimeout), int64(o.SlowRequest)) < 0 {
		return errors.New("serve: no number and no time of Options may be below 0")
	}
	if o.Threads == 0 {
		o.Threads = fastcores.Threads()
	}
	setDefault(&o.MaxQueue, 64)
	setDefault(&o.MaxBody, 64<<20)
	setDefault(&o.MaxInflightBytes, 256<<20)
	setDefault(&o.MaxSequences, 256)
	setDefault(&o.SequenceIdle, time.Minute)
	setDefault(&o.Timeout, 30*time.Second)
	setDefault(&o.BodyTimeout, 10*time.Second)
	setDefault(&o.SlowRequest, time.Second)
	if o.Decoder == nil {
		o.Decoder = Pictures{}
	}
	switch {
	case o.Threads < 0 || o.Threads > ops.MaxThreads:
		return fmt.Errorf("serve: Options.Threads of %d: it must be 1 to %d", o.Threads, ops.MaxThreads)
	case o.Batch < 0 || o.Batch > 1<<16:
		return fmt.Errorf("serve: Options.Batch of %d: it must be 1 to %d, or BatchAuto", int(o.Batch), 1<<16)
	case o.BatchDelay < 0:
		return fmt.Errorf("serve: Options.BatchDelay of %v", o.BatchDelay)
	case o.Control && o.Token == "":
		return fmt.Errorf("serve: Options.Control needs a Token: whoever reaches the server could unload models")
	}
	return nil
}

func setDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// ModelOptions are those of one model; zero values stand for the server's.
type ModelOptions struct {
	MaxQueue int
	Timeout  time.Duration
	Batch    Batching // BatchAuto stands for the server's
	// Weight is the model's share of time beside others that have requests waiting; 0 means 1.
	Weight  float64
	Decoder Decoder
}

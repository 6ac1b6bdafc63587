//go:build !noserve

package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/prom"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	models  []string // MODEL and NAME=FILE
	dir     string
	shapes  []string
	warm    []string
	from    source
	config  string
	batch   string
	maxBody string
	bytes   string
	addr    string
	grpc    string
	admin   string
	token   string
	cert    string
	key     string
	log     string
	check   bool
	conns   int
	drain   time.Duration
	grace   time.Duration
	watch   time.Duration
	// examples are those of --warm that were read.
	examples examples
	options  serve.Options
	running  bool   // models are loaded anew
	said     string // of what could not be, last
}

func (a *app) serve() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve MODEL... [NAME=FILE...]",
		Short: "Answer requests for inference over HTTP and gRPC (Open Inference Protocol, version 2)",
		Long: `serve loads models, warms them up and answers requests of the Open Inference
Protocol, as KServe and Triton have it: over HTTP in JSON, and tensors in binary, and with --grpc-addr over gRPC. A model has the
name of its file up to the first dot, or the one in front of the "="; FILE may be a
folder with one model, in one or more versions. A folder of --models has NAME.safetensors, NAME.pt or NAME.pt2, or NAME/VERSION/model.safetensors.

SIGHUP loads all models and the certificate anew. SIGTERM makes the server not ready, then
it takes no more requests, answers those it has, and exits with 0; a second one ends it.`,
		Example: `  octet serve int8.safetensors
  octet serve cats=a.safetensors dogs=b.safetensors --addr :8080 --grpc-addr :8081 --token-file token
  octet serve --models models/ --watch 10s`,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.models = args
			return a.runServe(cmd.Context(), &f)
		},
	}
	f.add(a, cmd)
	return cmd
}

func (f *serveFlags) add(a *app, cmd *cobra.Command) {
	flags, o := cmd.Flags(), &f.options
	f.from.flags(a, cmd)
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8080", "address to listen at, or unix:PATH; systemd's socket, where it gives one")
	flags.StringVar(&f.grpc, "grpc-addr", "", "address to answer gRPC at, or unix:PATH; none unless given")
	flags.StringVar(&f.admin, "admin-addr", "", "address for /metrics without token and TLS, or unix:PATH; unless given, it is at --addr")
	flags.StringVar(&f.dir, "models", "", "folder of models")
	flags.StringArrayVar(&f.shapes, "shape", nil, "[NAME=]SHAPES: inputs of a model whose file says none, as those of TorchScript: 1x3x224x224, or 1x64:int64,1x64:int64")
	flags.StringArrayVar(&f.warm, "warm", nil, "[NAME=]X.npz: inputs to warm a model up with")
	flags.StringVar(&f.config, "config", "", "JSON file with options of models: {\"models\": {\"NAME\": {\"batch\": \"auto\", \"max_queue\": 64, \"timeout\": \"5s\", \"weight\": 1}}}")
	flags.IntVar(&o.MaxQueue, "max-queue", 64, "requests of one model that may wait; others are refused with status 429")
	flags.StringVar(&f.maxBody, "max-body", "64MB", "most bytes of a request")
	flags.StringVar(&f.bytes, "max-inflight-bytes", "256MB", "most bytes of all requests that are admitted")
	flags.DurationVar(&o.Timeout, "timeout", 30*time.Second, "time after which a request ends with status 504")
	flags.DurationVar(&o.BodyTimeout, "body-timeout", 10*time.Second, "time in which the body of a request has to arrive")
	flags.StringVar(&f.batch, "batch", "auto", "samples of requests that are joined to one run: auto (where it was measured to gain), off, or the most of a run")
	flags.DurationVar(&o.BatchDelay, "batch-delay", 0, "how long a request waits for others to join it")
	flags.IntVar(&o.MaxSequences, "max-sequences", 256, "sequences of a model that keeps something between requests")
	flags.DurationVar(&o.SequenceIdle, "sequence-idle", time.Minute, "time after which a sequence without requests ends")
	flags.DurationVar(&f.drain, "drain", 5*time.Second, "after SIGTERM to a server that was ready, time in which the server is not ready and still answers")
	flags.DurationVar(&f.grace, "grace", 25*time.Second, "after --drain, time for the requests in progress")
	flags.DurationVar(&f.watch, "watch", 0, "how often to look whether files of models have changed; 0: never")
	flags.BoolVar(&o.Control, "model-control", false, "let clients with the token load and unload models")
	flags.StringVar(&f.token, "token-file", "", "file with the token that requests must bear")
	flags.StringVar(&f.cert, "tls-cert", "", "certificate (PEM)")
	flags.StringVar(&f.key, "tls-key", "", "key of the certificate (PEM)")
	flags.StringVar(&o.Origin, "cors", "", "origin of web pages that may use the server, * for all")
	flags.IntVar(&f.conns, "max-connections", 4096, "connections at a time; others wait")
	flags.StringVar(&f.log, "log", "text", "lines on stderr for requests that failed or were slow: text, json or off")
	flags.BoolVar(&o.AccessLog, "access-log", false, "a line for every request")
	flags.BoolVar(&f.check, "check", false, "load and warm up the models, print what they are, and exit")
}

// runServe is the command.
func (a *app) runServe(ctx context.Context, f *serveFlags) error {
	if err := a.serveOptions(f); err != nil {
		return err
	}
	certificate, err := f.certificate()
	if err != nil {
		return err
	}
	a.readCertificate(certificate) // says whether it has expired
	configured, err := a.configured(ctx, f)
	if err != nil {
		return err
	}
	var l listeners
	if !f.check {
		if l, err = f.listen(); err != nil {
			return err
		}
		defer l.close()
		f.options.LocalHost = isLoopback(l.http.Addr())
	}
	metrics := a.metrics(f)
	s, err := serve.New(f.options)
	if err != nil {
		return &usageError{err}
	}
	defer s.Close()
	metrics.Watch(s)
	if err := s.Configure(configured...); err != nil {
		return &usageError{err}
	}
	if f.check {
		err := adviseTypes(s.Reload(ctx))
		return errors.Join(a.printReports(s), err)
	}
	return a.serveAt(ctx, f, s, metrics, certificate, l)
}

// serveOptions completes the options of the server.
func (a *app) serveOptions(f *serveFlags) error {
	o := &f.options
	if min(o.MaxQueue, o.MaxSequences, f.conns) < 0 {
		return usagef("--max-queue, --max-sequences and --max-connections must not be below 0")
	}
	if min(o.Timeout, o.BodyTimeout, o.SequenceIdle, o.BatchDelay, f.drain, f.grace, f.watch) < 0 {
		return usagef("--timeout, --body-timeout, --sequence-idle, --batch-delay, --drain, --grace and --watch must not be below 0")
	}
	if f.watch > 0 && f.watch < leastWatch {
		return usagef("--watch %v: it must be 0, or at least %v", f.watch, leastWatch)
	}
	if a.mmap {
		return usagef("serve reads weights when it needs them, so that files of models can be replaced, which ends a process that has mapped them: leave out --mmap")
	}
	if len(a.threads) > 0 {
		o.Threads = a.threads[0]
	}
	o.Decoder = &servedTexts{servedPictures: servedPictures{maxMemory: a.limits.maxMemory}}
	o.CPU, o.MaxMemory, o.Version = a.cpu, a.limits.maxMemory, loader.Version()
	var err error
	if o.MaxBody, err = parseSize(f.maxBody); err != nil {
		return usagef("--max-body %w", err)
	}
	if o.MaxInflightBytes, err = parseSize(f.bytes); err != nil {
		return usagef("--max-inflight-bytes %w", err)
	}
	if o.Batch, err = parseBatch(f.batch); err != nil {
		return usagef("--batch %w", err)
	}
	if (f.cert == "") != (f.key == "") {
		return usagef("--tls-cert and --tls-key go together")
	}
	if o.Token, err = readToken(f.token); err != nil {
		return err
	}
	if o.Control && o.Token == "" {
		return usagef("--model-control needs --token-file: whoever reaches the server could unload models")
	}
	switch f.log {
	case "text":
		o.Logger = slog.New(slog.NewTextHandler(a.err, nil))
	case "json":
		o.Logger = slog.New(slog.NewJSONHandler(a.stderr, nil))
	case "off":
	default:
		return usagef("--log %s: text, json or off", f.log)
	}
	return nil
}

func parseBatch(text string) (serve.Batching, error) {
	switch text {
	case "auto":
		return serve.BatchAuto, nil
	case "off":
		return serve.BatchOff, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1<<16 {
		return 0, fmt.Errorf("%q: it must be auto, off or a number of samples", text)
	}
	return serve.Batching(n), nil
}

// serveAt serves until the context ends, and then drains.
func (a *app) serveAt(ctx context.Context, f *serveFlags, s *serve.Server, metrics *prom.Metrics, c *certificate, l listeners) error {
	for _, open := range []net.Listener{l.http, l.grpc} {
		a.warnOpen(f, open)
	}
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	reloads := reloadSignals() // before the models are loaded: SIGHUP would end the process
	servers := f.servers(requests, s, metrics, c, l)
	failed := make(chan error, len(servers))
	for _, one := range servers {
		go func() { failed <- one.serve() }()
		defer one.close()
	}
	loaded, err := a.loadAll(ctx, f, s, l)
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go trimLoop(watching)
	go a.reloadLoop(watching, f, s, c, reloads)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	drain := f.drain
	if !loaded || byInterrupt(ctx) { // nobody sends requests yet, and no load balancer waits for who is at a terminal
		drain = 0
	}
	return a.drain(drain, f.grace, s, servers, cancel)
}

// loadAll loads the models, and says that the server is ready, unless it is interrupted: it then returns false. It fails where none of
// them can be loaded.
func (a *app) loadAll(ctx context.Context, f *serveFlags, s *serve.Server, l listeners) (done bool, err error) {
	err = adviseTypes(s.Reload(ctx))
	if ctx.Err() != nil {
		return false, nil
	}
	if err != nil && !anyReady(s) {
		return false, err
	}
	if err != nil {
		a.say(a.name+": %v", err)
	}
	if err := a.printReports(s); err != nil {
		return false, err
	}
	scheme := "http"
	if f.cert != "" {
		scheme = "https"
	}
	ready, reason := s.Ready()
	if ready {
		a.say("ready at %s", address(scheme, l.http.Addr()))
	} else {
		a.say("serving at %s, not ready: %s", address(scheme, l.http.Addr()), reason)
	}
	if l.grpc != nil {
		a.say("gRPC at %s", address("grpc", l.grpc.Addr()))
	}
	if l.admin != nil {
		a.say("metrics at %s", address("http", l.admin.Addr()))
	}
	return true, notify("READY=1")
}

// adviseTypes names the flags that say what inputs a model takes.
func adviseTypes(err error) error {
	if errors.Is(err, serve.ErrNoTypes) {
		return fmt.Errorf("%w (--shape, --warm)", err)
	}
	return err
}

func anyReady(s *serve.Server) bool {
	reports := s.ModelStatuses()
	for _, r := range reports {
		if r.Ready {
			return true
		}
	}
	return len(reports) == 0
}

// byInterrupt reports whether a context has ended by Ctrl-C.
func byInterrupt(ctx context.Context) bool {
	return strings.HasPrefix(context.Cause(ctx).Error(), os.Interrupt.String())
}

// leastWatch is how often files are looked at, at most.
const leastWatch = 10 * time.Millisecond

// closeTime is what models have to end once the last request has.
const closeTime = 2 * time.Second

// drain ends the server: not ready, after a while without new requests, then without any.
func (a *app) drain(wait, grace time.Duration, s *serve.Server, servers []server, cancel func()) error {
	a.limits.patient.Store(true)
	a.exitAtSecondSignal()
	s.Drain()
	_ = notify("STOPPING=1") // nobody would be told
	time.Sleep(wait)
	ctx, done := context.WithTimeout(context.Background(), grace)
	defer done()
	ended := make(chan error, len(servers))
	for _, one := range servers {
		go func() { ended <- one.shutdown(ctx) }()
	}
	var err error
	for range servers {
		err = errors.Join(err, <-ended)
	}
	if err == nil {
		err = s.Stop(ctx)
	}
	cancel()
	if err != nil {
		a.say(a.name+": requests were still in progress after --grace %v", grace)
	}
	if a.limits.exit != nil { // a load that hangs in a system call, such as one of a network's files, does not hold the end up
		time.AfterFunc(closeTime, func() { a.limits.exit(exitOK) })
	}
	return nil
}

// printReports says what the models are.
func (a *app) printReports(s *serve.Server) error {
	reports := s.ModelStatuses()
	if a.json {
		return a.printJSON(struct {
			Models []serve.ModelStatus `json:"models"`
		}{reports})
	}
	for _, r := range reports {
		name := r.Name
		if r.Version != "" {
			name += " version " + r.Version
		}
		if !r.Ready {
			a.say("%s: %s", name, r.Reason)
			continue
		}
		warm := fmt.Sprintf("%v a run", r.Run.Round(time.Microsecond))
		if r.WarmUp != "" {
			warm = r.WarmUp + " (--warm)"
		}
		a.say("%s: %s -> %s; %s; batching %s; %d kB of weights, %d kB a run", name, serve.FormatTensors(r.Inputs), serve.FormatTensors(r.Outputs),
			warm, r.Batching, r.WeightBytes>>10, r.ArenaBytes>>10)
	}
	return nil
}

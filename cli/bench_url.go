//go:build !noserve

package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/serve/loadtest"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// serverBench measures a server instead of models.
type serverBench struct {
	url, version, data, tokenFile string
	samples                       dataFlags
	json                          bool // bodies
	blind                         bool // the server does not say what its model takes
	load                          loadtest.Load
	requestTimeout                time.Duration
}

// flags adds those that only --url has a use for.
func (b *serverBench) flags(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringVar(&b.url, "url", "", "measure a server of the Open Inference Protocol instead, http://HOST:PORT or unix:PATH; MODEL is its name there")
	s.StringVar(&b.version, "model-version", "", "with --url: version of the model (default: the server's choice)")
	s.Float64Var(&b.load.Rate, "rate", 0, "with --url: requests per second of an open loop, at random moments that the server does not influence")
	s.Uint64Var(&b.load.Seed, "seed", 1, "with --url: of the moments of --rate and of random inputs")
	s.IntVar(&b.load.MaxInFlight, "max-in-flight", 0, "with --url: most requests of --rate without an answer; others wait, and their latency counts from when they were due (default 4096)")
	s.IntVar(&b.load.Requests, "requests", 0, "with --url: how many requests are sent")
	s.StringVar(&b.data, "data", "", "with --url: samples to send (see octet help eval), --batch of them a request (default: random)")
	b.samples.add(cmd)
	s.BoolVar(&b.json, "json-tensors", false, "with --url: send tensors as JSON numbers, and ask for such, not in binary")
	s.BoolVar(&b.blind, "no-metadata", false, "with --url: do not ask the server for the inputs of MODEL: there is one, named input, of the type and --shape given")
	s.StringVar(&b.tokenFile, "token-file", "", "with --url: file of the bearer token")
	s.DurationVar(&b.requestTimeout, "request-timeout", 30*time.Second, "with --url: bound on each request, counted as status timeout; 0: none")
}

// modelFlags are those of bench that a server has no use for.
var modelFlags = []string{"precision", "runs", "profile", "format", "arch", "model", "threads"}

// check returns an error for flags that are not for what is measured, and sets defaults.
func (b *serverBench) check(cmd *cobra.Command, args []string, sweep *bench.Sweep) error {
	excluded, why := serverFlags, "it needs --url"
	if b.url != "" {
		excluded, why = modelFlags, "it is not for --url"
	}
	for _, name := range excluded {
		if cmd.Flags().Changed(name) {
			return usagef("--%s: %s", name, why)
		}
	}
	if b.url == "" {
		return nil
	}
	if len(args) > 1 || len(sweep.Batches) > 1 {
		return usagef("--url takes one MODEL and one --batch")
	}
	b.load.Clients, b.load.Duration, b.load.Warmup = sweep.Clients, sweep.Duration, 10
	if cmd.Flags().Changed("warmup") {
		b.load.Warmup = sweep.Warmup
	}
	if !cmd.Flags().Changed("clients") && b.load.Rate == 0 {
		b.load.Clients = 1
	}
	if b.load.Duration == 0 && b.load.Requests == 0 {
		b.load.Duration = 10 * time.Second
	}
	if err := b.load.Validate(); err != nil {
		return &usageError{err}
	}
	return nil
}

// serverResult is the document of bench --url --json.
type serverResult struct {
	URL     string `json:"url"`
	Model   string `json:"model"`
	Version string `json:"version,omitempty"`
	// Samples is how many samples a request has.
	Samples int `json:"samples_per_request"`
	*loadtest.Result
}

// benchServer measures the server at b.url.
func (a *app) benchServer(ctx context.Context, b *serverBench, args []string, shapes []ops.Type, batch int) error {
	client, dial, err := b.client()
	if err != nil {
		return err
	}
	name := ""
	if len(args) > 0 {
		name = args[0]
	} else if name, err = onlyModel(ctx, client); err != nil {
		return err
	}
	model, err := b.model(ctx, client, name, shapes)
	if err != nil {
		return err
	}
	requests, err := b.requests(ctx, a, model, shapes, batch)
	if err != nil {
		return err
	}
	a.note("sending to %s", b.url)
	inference, err := loadtest.NewInference(client, dial, name, b.version, requests, b.requestTimeout)
	if err != nil {
		return err
	}
	defer inference.Close()
	r, err := loadtest.Run(ctx, b.load, inference.Send)
	if err != nil {
		return fmt.Errorf("%s: %w", b.url, err)
	}
	for status, message := range r.Errors {
		a.say("%s: %s", status, message)
	}
	if a.json {
		return a.printJSON(serverResult{b.url, name, b.version, batch, r})
	}
	return r.WriteTable(a.out)
}

// client returns a client of the server, and what opens connections to it.
func (b *serverBench) client() (*oip.Client, loadtest.Dialer, error) {
	client, dial, err := b.address()
	if err != nil {
		return nil, nil, err
	}
	client.HTTP = &http.Client{Transport: &http.Transport{
		DialContext:    func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}
	if b.tokenFile != "" {
		token, err := os.ReadFile(b.tokenFile)
		if err != nil {
			return nil, nil, err
		}
		client.Token = strings.TrimSpace(string(token))
	}
	return client, dial, nil
}

// address reads --url.
func (b *serverBench) address() (*oip.Client, loadtest.Dialer, error) {
	var plain net.Dialer
	if path, ok := strings.CutPrefix(b.url, "unix:"); ok {
		path = strings.TrimPrefix(path, "//") // unix:///run/octet.sock
		return &oip.Client{URL: "http://unix"}, func(ctx context.Context) (net.Conn, error) { return plain.DialContext(ctx, "unix", path) }, nil
	}
	u, err := url.Parse(b.url)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, nil, usagef("--url %q: it must be http://HOST:PORT, https://HOST:PORT or unix:PATH", b.url)
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), u.Scheme) // whose names are those of their ports
	}
	dial := func(ctx context.Context) (net.Conn, error) { return plain.DialContext(ctx, "tcp", host) }
	if u.Scheme == "https" {
		secure := tls.Dialer{Config: &tls.Config{ServerName: u.Hostname()}}
		dial = func(ctx context.Context) (net.Conn, error) { return secure.DialContext(ctx, "tcp", host) }
	}
	return &oip.Client{URL: b.url}, dial, nil
}

// model returns what a model takes, as the server or the command line says.
func (b *serverBench) model(ctx context.Context, client *oip.Client, name string, shapes []ops.Type) (*oip.ModelMetadata, error) {
	if !b.blind {
		m, err := client.ModelMetadata(ctx, name, b.version)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.url, err)
		}
		return m, nil
	}
	if len(shapes) != 1 {
		return nil, usagef("--no-metadata needs --shape, of one input")
	}
	in := oip.TensorMetadata{Name: "input", Datatype: oip.FP32, Shape: make([]int64, len(shapes[0].Shape))}
	if shapes[0].DType != tensor.Invalid {
		in.Datatype = oip.DatatypeOf(shapes[0].DType)
	}
	return &oip.ModelMetadata{Name: name, Inputs: []oip.TensorMetadata{in}}, nil
}

// onlyModel returns the name of the one model that a server has.
func onlyModel(ctx context.Context, client *oip.Client) (string, error) {
	index, err := client.Index(ctx)
	if err != nil {
		return "", fmt.Errorf("name the MODEL: the server does not list its models: %w", err)
	}
	var names []string
	for _, m := range index {
		if len(names) == 0 || names[len(names)-1] != m.Name {
			names = append(names, m.Name)
		}
	}
	if len(names) != 1 {
		return "", usagef("name the MODEL: the server has %q", names)
	}
	return names[0], nil
}

// Bounds of the different requests that are kept of --data.
const (
	mostRequests     = 1024
	mostRequestBytes = 256 << 20
)

// requests returns what is sent in turn.
func (b *serverBench) requests(ctx context.Context, a *app, model *oip.ModelMetadata, shapes []ops.Type, batch int) ([]*oip.EncodedRequest, error) {
	g, types, err := inputsOf(model, shapes, batch, b.data != "")
	if err != nil {
		return nil, err
	}
	if b.data == "" {
		in, err := bench.RandomInputs(types, b.load.Seed)
		if err != nil {
			return nil, err
		}
		one, err := b.request(g, in).Encode()
		return []*oip.EncodedRequest{one}, err
	}
	d, err := a.openDataset(ctx, b.data, &b.samples, g)
	if err != nil {
		return nil, err
	}
	var requests []*oip.EncodedRequest
	size := 0
	for in, err := range d.First(g, batch, min(d.Len(), mostRequests*batch)) {
		if err != nil {
			return nil, err
		}
		one, err := b.request(g, in).Encode()
		if err != nil {
			return nil, err
		}
		requests = append(requests, one)
		if size += one.Size(); size > mostRequestBytes {
			break
		}
	}
	return requests, nil
}

// request returns the request for inputs of a graph.
func (b *serverBench) request(g *graph.Graph, in []*tensor.Tensor) *oip.InferRequest {
	r := &oip.InferRequest{Parameters: oip.Parameters{}}
	if !b.json {
		r.Parameters[oip.BinaryDataOutput] = true
	}
	for i, x := range in {
		t := oip.NewTensor(g.Inputs[i].Name, x)
		t.Binary = !b.json
		r.Inputs = append(r.Inputs, t)
	}
	return r
}

// inputsOf returns a graph with the inputs of a server's model, and their types with free extents settled: by shapes that
// the command line gives, and the first by the batch. Data has extents of its own.
func inputsOf(model *oip.ModelMetadata, shapes []ops.Type, batch int, data bool) (*graph.Graph, []ops.Type, error) {
	if len(model.Inputs) == 0 {
		return nil, nil, errors.New("the server's model has no inputs, or does not say which")
	}
	if shapes != nil && len(shapes) != len(model.Inputs) {
		return nil, nil, usagef("--shape: %d shapes are given where the model has %d inputs", len(shapes), len(model.Inputs))
	}
	g := graph.New()
	var types []ops.Type
	for i, in := range model.Inputs {
		t := ops.Type{DType: in.Datatype.DType()}
		if t.DType == tensor.Invalid {
			return nil, nil, fmt.Errorf("input %q takes %s, which bench cannot send", in.Name, in.Datatype)
		}
		for axis, e := range in.Shape {
			n := int(e)
			switch {
			case shapes != nil && axis < len(shapes[i].Shape):
				n = shapes[i].Shape[axis]
			case e < 0 && axis == 0:
				n = batch
			case e < 0 && data:
				n = 1
			case e < 0:
				return nil, nil, usagef("input %q is %s %v, in which -1 is free: give --shape or --data", in.Name, in.Datatype, in.Shape)
			}
			t.Shape = append(t.Shape, n)
		}
		if _, err := t.Shape.Numel(); err != nil {
			return nil, nil, fmt.Errorf("input %q: %w", in.Name, err)
		}
		g.Input(in.Name, t.DType, t.Shape...)
		types = append(types, t)
	}
	return g, types, nil
}

package loadtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/octet-ml/octet/internal/socket"
	"github.com/octet-ml/octet/serve/oip"
)

// The statuses of requests without an answer.
const (
	StatusTimeout    = "timeout"
	StatusConnection = "connection"
)

// Dialer opens a connection to the server that is measured.
type Dialer func(ctx context.Context) (net.Conn, error)

// Inference asks a server for inferences over HTTP/1.1. It leaves as much of the machine to the server as it can: requests are bytes that were
// made before, and each request on its way has a connection of its own, on which one goroutine writes it and reads the answer.
type Inference struct {
	client   *oip.Client
	dial     Dialer
	timeout  time.Duration
	path     string
	requests [][]byte

	mu   sync.Mutex
	idle []*connection // the last used is the last
}

// NewInference returns what sends the requests, in turn. timeout bounds each of them; 0 is no bound.
func NewInference(client *oip.Client, dial Dialer, model, version string, requests []*oip.EncodedRequest, timeout time.Duration) (*Inference, error) {
	f := &Inference{client: client, dial: dial, timeout: timeout}
	for _, one := range requests {
		request, err := client.InferRequest(context.Background(), model, version, one)
		if err != nil {
			return nil, err
		}
		var text bytes.Buffer
		if err := request.Write(&text); err != nil {
			return nil, err
		}
		f.path, f.requests = request.URL.Path, append(f.requests, text.Bytes())
	}
	return f, nil
}

// Send is a Target.
func (f *Inference) Send(ctx context.Context, i int) (status string, err error) {
	c, err := f.connection(ctx)
	if err == nil {
		err = f.exchange(ctx, c, f.requests[i%len(f.requests)])
	}
	return statusOf(err), err
}

// Close closes the connections that are not in use.
func (f *Inference) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.idle {
		c.Close()
	}
	f.idle = nil
}

// connection is one to the server, with at most one request.
type connection struct {
	net.Conn
	reader *bufio.Reader
	used   time.Time
}

// mostIdle is how long a connection may have been idle to be used again. Servers close them after a time.
const mostIdle = 10 * time.Second

// connection returns one that is not in use, or opens one.
func (f *Inference) connection(ctx context.Context) (*connection, error) {
	if c := f.unused(); c != nil {
		return c, nil
	}
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	conn, err := f.dial(ctx)
	if err != nil {
		return nil, err
	}
	conn = socket.NewConn(conn)
	return &connection{Conn: conn, reader: bufio.NewReader(conn)}, nil
}

// unused takes a connection that is not in use, nil where there is none.
func (f *Inference) unused() *connection {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.idle) > 0 {
		last := len(f.idle) - 1
		c := f.idle[last]
		f.idle = f.idle[:last]
		if time.Since(c.used) < mostIdle {
			return c
		}
		c.Close()
	}
	return nil
}

// exchange sends a request and reads its answer.
func (f *Inference) exchange(ctx context.Context, c *connection, request []byte) error {
	var deadline time.Time
	if f.timeout > 0 {
		deadline = time.Now().Add(f.timeout)
	}
	if err := c.SetDeadline(deadline); err != nil {
		c.Close()
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	reusable, err := f.answer(c, request)
	if !stop() || !reusable {
		c.Close()
		return err
	}
	c.used = time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = append(f.idle, c)
	return err
}

// answer sends a request and reads its answer. It reports whether the connection can take another one.
func (f *Inference) answer(c *connection, request []byte) (reusable bool, err error) {
	// A server may answer before it has read a request that it refuses.
	_, unsent := c.Write(request)
	answer, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return false, errors.Join(unsent, err)
	}
	body := answer.Body
	answer.Body = io.NopCloser(body)
	_, err = f.client.ReadInferAnswer(f.path, answer)
	_, unread := io.Copy(io.Discard, body)
	return unsent == nil && unread == nil && !answer.Close, err
}

// statusOf names what came of a request.
func statusOf(err error) string {
	if err == nil {
		return "200"
	}
	if answer, ok := errors.AsType[*oip.StatusError](err); ok {
		return strconv.Itoa(answer.Status)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return StatusTimeout
	}
	return StatusConnection
}

package grpcserve

import (
	"context"
	"net"
	"sync"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// unasked is what a client may send of a message before the server reads it. It does not count, so that no small message is refused.
const unasked = 64 << 10

// arrivals bounds the bytes of messages that are on their way. gRPC reads a message whole before a method sees any of it, as many as a
// connection has streams, and tells nobody how much of which has come. So bytes are counted where connections are read: a message has
// at most those that came since its headers.
type arrivals struct {
	most, message int64 // bytes in all, and of a message

	mu    sync.Mutex
	bytes int64 // of all connections
	calls int   // whose messages are on their way
}

// connection is that of a client, behind TLS.
type connection struct {
	net.Conn
	credentials.AuthInfo // carries the connection to where its requests are seen
	arrivals             *arrivals
	watches              int // requests that watch the health

	read    int64   // bytes
	arrived int64   // bytes of arrivals.bytes
	calls   []*call // in the order of their headers

	unread map[*call]bool // whose answers are on their way
	closed bool
}

// countedCredentials makes a connection of each that is accepted.
type countedCredentials struct {
	credentials.TransportCredentials
	arrivals *arrivals
}

// ServerHandshake is that of the credentials.
func (c countedCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return nil, nil, err
	}
	counted := &connection{Conn: conn, AuthInfo: info, arrivals: c.arrivals, unread: make(map[*call]bool)}
	return counted, counted, nil
}

// connectionOf returns the connection of a request.
func connectionOf(ctx context.Context) *connection {
	p, _ := peer.FromContext(ctx)
	return p.AuthInfo.(*connection)
}

// Read counts what it reads. Where that is too much, requests of the connection end whose messages began last.
func (c *connection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	a := c.arrivals
	a.mu.Lock()
	defer a.mu.Unlock()
	c.read += int64(n)
	for c.count(); a.bytes > a.most && a.calls > 1 && len(c.calls) > 0; c.count() {
		last := c.calls[len(c.calls)-1]
		c.calls = c.calls[:len(c.calls)-1]
		a.calls--
		last.late.Store(true)
		last.cancel()
	}
	return n, err
}

// count brings the bytes of the connection up to date.
func (c *connection) count() {
	var now int64
	if len(c.calls) > 0 {
		n := int64(len(c.calls))
		now = max(min(c.read-c.calls[0].read, n*c.arrivals.message)-n*unasked, 0)
	}
	c.arrivals.bytes += now - c.arrived
	c.arrived = now
}

// begin counts the message of a call, whose headers have come.
func (c *connection) begin(k *call) {
	a := c.arrivals
	a.mu.Lock()
	defer a.mu.Unlock()
	k.read = c.read
	c.calls = append(c.calls, k)
	a.calls++
	c.count()
}

// end counts the message of a call no more, of which so many bytes have come whole.
func (c *connection) end(k *call, bytes int64) {
	a := c.arrivals
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, other := range c.calls {
		if other != k {
			continue
		}
		for _, earlier := range c.calls[:i] {
			earlier.read += bytes // none of which is the other's
		}
		c.calls = append(c.calls[:i], c.calls[i+1:]...)
		a.calls--
		c.count()
		return
	}
}

// watch counts a request that watches the health, or with -1 its end. It reports whether the connection may have so many.
func (c *connection) watch(n int) bool {
	c.arrivals.mu.Lock()
	defer c.arrivals.mu.Unlock()
	if c.watches+n > maxWatches {
		return false
	}
	c.watches += n
	return true
}

// send counts an answer as on its way, until forget or Close. It reports whether the connection is open.
func (c *connection) send(k *call) bool {
	c.arrivals.mu.Lock()
	defer c.arrivals.mu.Unlock()
	if !c.closed {
		c.unread[k] = true
	}
	return !c.closed
}

// forget reports whether the answer of a call was on its way, as which it counts no more.
func (c *connection) forget(k *call) bool {
	c.arrivals.mu.Lock()
	defer c.arrivals.mu.Unlock()
	was := c.unread[k]
	delete(c.unread, k)
	return was
}

// Close ends what is on its way: gRPC does not say that it drops it.
func (c *connection) Close() error {
	err := c.Conn.Close()
	c.arrivals.mu.Lock()
	unread := c.unread
	c.unread, c.closed = nil, true
	c.arrivals.mu.Unlock()
	for k := range unread {
		k.lost.Store(true)
		k.end()
	}
	return err
}

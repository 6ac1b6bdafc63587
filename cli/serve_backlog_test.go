//go:build !noserve

package cli

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/octet-ml/octet/serve"
)

// TestBacklog closes a listener with connections that nobody has accepted: they are, and then none.
func TestBacklog(t *testing.T) {
	under, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &backlogListener{Listener: under, under: under, wait: time.Minute}
	l.accepting.Add(1) // somebody waits
	for range 3 {
		c, err := net.Dial("tcp", under.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the second Close: %v", err)
	}
}

// TestShutdownReads sends the first request of a connection while the server shuts down.
func TestShutdownReads(t *testing.T) {
	under, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{}, 1)
	f := &serveFlags{options: serve.Options{}}
	s := f.httpServer(t.Context(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "served") }), nil, bounded(tellsAccept{under, accepted}, 8))
	ended, shut := make(chan error, 1), make(chan error, 1)
	go func() { ended <- s.serve() }()
	c, err := net.Dial("tcp", under.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	<-accepted
	go func() { shut <- s.shutdown(t.Context()) }()
	<-ended // the listener is closed
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if body, err := io.ReadAll(r.Body); string(body) != "served" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
	if err := <-shut; err != nil {
		t.Error(err)
	}
}

// tellsAccept is a listener that tells when it has accepted a connection.
type tellsAccept struct {
	net.Listener
	accepted chan<- struct{}
}

func (l tellsAccept) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.accepted <- struct{}{}
	}
	return c, err
}

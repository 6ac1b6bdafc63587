package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"
)

// pair returns both ends of a connection over a network, the first of this package.
func pair(network, address string) (c, other net.Conn, err error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if other, err = net.Dial(network, l.Addr().String()); err != nil {
		return nil, nil, err
	}
	if c, err = NewListener(l).Accept(); err != nil {
		other.Close()
		return nil, nil, err
	}
	return c, other, nil
}

// networks returns the networks and addresses that connections are tested over.
func networks(t *testing.T) map[string]string {
	return map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "socket")}
}

func mustPair(t *testing.T, network, address string) (c, other net.Conn) {
	t.Helper()
	c, other, err := pair(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); other.Close() })
	return c, other
}

// Deadlines, closing, and use by several goroutines are those of any connection.
func TestConnIsNetConn(t *testing.T) {
	for network, address := range networks(t) {
		t.Run(network, func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				c1, c2, err = pair(network, address)
				if err != nil {
					return nil, nil, nil, err
				}
				c2 = NewConn(c2)
				return c1, c2, func() { c1.Close(); c2.Close() }, nil
			})
		})
	}
}

// Bytes arrive in order, whatever the sizes that they are read and written in.
func TestConnSizes(t *testing.T) {
	sent := make([]byte, 1<<20)
	for i := range sent {
		sent[i] = byte(uint32(i) * 2654435761 >> 13)
	}
	for network, address := range networks(t) {
		for _, size := range []int{1, 7, 4096, 16<<10 - 1, 16 << 10, 16<<10 + 1, 1 << 20} {
			c, other := mustPair(t, network, address)
			failed := make(chan error, 1)
			go func() {
				_, err := c.Write(sent)
				failed <- errors.Join(err, c.Close())
			}()
			whole, err := io.ReadAll(other)
			if err = errors.Join(err, <-failed); err != nil || !bytes.Equal(whole, sent) {
				t.Fatalf("%s: written in one: %v, %d bytes of %d", network, err, len(whole), len(sent))
			}

			c, other = mustPair(t, network, address)
			go func() {
				_, err := other.Write(sent)
				failed <- errors.Join(err, other.Close())
			}()
			var got bytes.Buffer
			_, err = io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{c}, make([]byte, size))
			if err = errors.Join(err, <-failed); err != nil || !bytes.Equal(got.Bytes(), sent) {
				t.Fatalf("%s: read %d at a time: %v, %d bytes of %d", network, size, err, got.Len(), len(sent))
			}
		}
	}
}

// Errors are those of package net: of the same kinds, with the same texts.
func TestConnErrors(t *testing.T) {
	for network, address := range networks(t) {
		c, other := mustPair(t, network, address)
		plain, otherPlain := mustPair(t, network, address)
		if o, ok := plain.(interface{ unwrap() net.Conn }); ok {
			plain = o.unwrap()
		}
		both := []net.Conn{c, plain}
		compare := func(what string, do func(net.Conn) error, is func(error) bool) {
			t.Helper()
			var texts [2]string
			for i, c := range both {
				err := do(c)
				if !is(err) {
					t.Errorf("%s, %s: %v (%d)", network, what, err, i)
					return
				}
				var op *net.OpError
				if errors.As(err, &op) {
					texts[i] = op.Op + ": " + op.Net + ": " + op.Err.Error()
				}
			}
			if texts[0] != texts[1] {
				t.Errorf("%s, %s: %q, package net says %q", network, what, texts[0], texts[1])
			}
		}
		read := func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err }
		write := func(c net.Conn) error {
			var err error
			for range 100 {
				if _, err = c.Write(make([]byte, 1<<20)); err != nil {
					break
				}
			}
			return err
		}
		timeout := func(err error) bool {
			var n net.Error
			return errors.As(err, &n) && n.Timeout()
		}
		deadline := func(d time.Duration, f func(net.Conn) error) func(net.Conn) error {
			return func(c net.Conn) error {
				if err := c.SetDeadline(time.Now().Add(d)); err != nil {
					return err
				}
				defer c.SetDeadline(time.Time{})
				return f(c)
			}
		}
		compare("a read past its deadline", deadline(-time.Second, read), timeout)
		compare("a read until its deadline", deadline(time.Millisecond, read), timeout)
		compare("a write until its deadline", deadline(50*time.Millisecond, write), timeout)
		other.Close()
		otherPlain.Close()
		compare("a write to who has gone", write, func(err error) bool {
			return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
		})
		c.Close()
		plain.Close()
		closed := func(err error) bool { return errors.Is(err, net.ErrClosed) }
		compare("a read after Close", read, closed)
		compare("a write after Close", write, closed)
	}
}

package socket

import (
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
)

// unwrap returns the connection that c is made of.
func (c *conn) unwrap() net.Conn { return c.Conn }

// countingRaw counts the calls that read.
type countingRaw struct {
	syscall.RawConn
	reads atomic.Int64
}

func (r *countingRaw) Read(f func(fd uintptr) bool) error {
	return r.RawConn.Read(func(fd uintptr) bool { r.reads.Add(1); return f(fd) })
}

// A request of 12 kB that is read as net/http does, its header through 4 kB first, takes one call, and no buffer stays with the connection.
func TestConnReadsAhead(t *testing.T) {
	server, client := mustPair(t, "tcp", "127.0.0.1:0")
	c := server.(*conn)
	raw := &countingRaw{RawConn: c.raw}
	c.raw = raw
	for range 10 {
		if _, err := client.Write(make([]byte, 12<<10)); err != nil {
			t.Fatal(err)
		}
		if err := c.raw.(*countingRaw).RawConn.Read(func(fd uintptr) bool { return readable(fd) == 12<<10 }); err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{4 << 10, 8 << 10} {
			if _, err := io.ReadFull(c, make([]byte, size)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := raw.reads.Load(); n != 10 {
		t.Errorf("10 requests took %d calls", n)
	}
	if c.in.buffer != nil || c.in.left != nil {
		t.Error("the connection keeps a buffer that is read")
	}
}

// readable returns how many bytes wait to be read.
func readable(fd uintptr) int {
	n, _, _ := syscall.Recvfrom(int(fd), make([]byte, 64<<10), syscall.MSG_PEEK) // -1 while there are none
	return n
}

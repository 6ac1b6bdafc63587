package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

const (
	// readAhead is how many bytes are read at a time where the reader asks for fewer.
	readAhead = 16 << 10
	// maxTransfer bounds the bytes of a system call. While they are copied, nothing else can run in the goroutine's place.
	maxTransfer = 64 << 10
)

// NewConn returns a connection that is c with cheaper Read and Write, or c itself if it is no socket. It takes c's place: what it has
// read ahead cannot be read from c.
func NewConn(c net.Conn) net.Conn {
	s, ok := c.(syscall.Conn)
	if !ok {
		return c
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return c
	}
	o := &conn{Conn: c, raw: raw}
	o.in.call, o.out.call = o.in.read, o.out.write
	return o
}

// conn is a socket. Reads and writes each take their turn.
type conn struct {
	net.Conn
	raw syscall.RawConn

	reading sync.Mutex
	in      reader
	writing sync.Mutex
	out     writer
}

// Read reads what is there, and waits while nothing is.
func (c *conn) Read(p []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	r := &c.in
	if len(r.left) > 0 || len(p) == 0 {
		return r.take(p), nil
	}
	r.to = p
	err := c.raw.Read(r.call)
	r.to = nil
	switch {
	case err != nil || r.errno != 0:
		return 0, c.failed("read", err, r.errno)
	case r.n == 0:
		return 0, io.EOF
	}
	return r.n, nil
}

// Write writes all of p, and waits where the other side is slow to read.
func (c *conn) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	w := &c.out
	w.from, w.errno = p, 0
	err := c.raw.Write(w.call)
	n := len(p) - len(w.from)
	w.from = nil
	if err != nil || w.errno != 0 {
		return n, c.failed("write", err, w.errno)
	}
	return n, nil
}

// failed returns the error that package net has in its place.
func (c *conn) failed(op string, err error, errno syscall.Errno) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		e.Op = op // instead of raw-read or raw-write
		return e
	}
	if err == nil {
		err = os.NewSyscallError(op, errno)
	}
	return &net.OpError{Op: op, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// reader is the state of Read.
type reader struct {
	to    []byte
	n     int // bytes of to that were read
	errno syscall.Errno
	call  func(fd uintptr) (done bool)

	// left is what was read ahead, in a buffer that the connection has only meanwhile.
	left   []byte
	buffer *[readAhead]byte
}

var buffers = sync.Pool{New: func() any { return new([readAhead]byte) }}

// read is the system call. It is not done while there is nothing to read.
func (r *reader) read(fd uintptr) (done bool) {
	if len(r.to) >= readAhead {
		r.n, r.errno = transfer(syscall.SYS_READ, fd, r.to)
		return r.errno != syscall.EAGAIN
	}
	r.buffer = buffers.Get().(*[readAhead]byte)
	n, errno := transfer(syscall.SYS_READ, fd, r.buffer[:])
	r.left, r.errno = r.buffer[:n], errno
	r.n = r.take(r.to)
	return errno != syscall.EAGAIN
}

// take moves bytes that were read ahead to p.
func (r *reader) take(p []byte) int {
	n := copy(p, r.left)
	if r.left = r.left[n:]; len(r.left) == 0 && r.buffer != nil {
		buffers.Put(r.buffer)
		r.left, r.buffer = nil, nil
	}
	return n
}

// writer is the state of Write.
type writer struct {
	from  []byte // what is left to write
	errno syscall.Errno
	call  func(fd uintptr) (done bool)
}

// write makes system calls until nothing is left. It is not done while the other side has to read first.
func (w *writer) write(fd uintptr) (done bool) {
	for len(w.from) > 0 {
		var n int
		n, w.errno = transfer(syscall.SYS_WRITE, fd, w.from)
		if w.errno != 0 {
			return w.errno != syscall.EAGAIN
		}
		w.from = w.from[n:]
	}
	return true
}

// transfer makes a system call that reads or writes, which is not announced to the runtime.
func transfer(call, fd uintptr, p []byte) (n int, errno syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(min(len(p), maxTransfer)))
		switch errno {
		case 0:
			return int(n), 0
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

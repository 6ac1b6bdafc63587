//go:build !linux

package socket

import "net"

// NewConn returns c.
func NewConn(c net.Conn) net.Conn { return c }

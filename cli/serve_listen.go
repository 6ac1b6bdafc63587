//go:build !noserve

package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"github.com/octet-ml/octet/internal/socket"
)

// listeners are those of a server; grpc and admin are nil unless they are asked for.
type listeners struct{ http, grpc, admin net.Listener }

// listen opens the listeners of the flags: for HTTP the one that systemd has opened (sd_listen_fds(3)), where there is one.
func (f *serveFlags) listen() (l listeners, err error) {
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.http, err = inherited(); err == nil && l.http != nil {
		l.http = bounded(l.http, f.conns)
	}
	for _, one := range []struct {
		flag string
		to   *net.Listener
		addr string
	}{{"--addr", &l.http, f.addr}, {"--grpc-addr", &l.grpc, f.grpc}, {"--admin-addr", &l.admin, f.admin}} {
		if err == nil && *one.to == nil && one.addr != "" {
			if *one.to, err = listenAt(one.addr, f.conns); err != nil {
				err = fmt.Errorf("%s %s: %w", one.flag, one.addr, err)
			}
		}
	}
	return l, err
}

// listenAt returns a listener at host:port or unix:PATH.
func listenAt(addr string, connections int) (net.Listener, error) {
	network := "tcp"
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
		if err := removeStale(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		return nil, err
	}
	return bounded(l, connections), nil
}

// bounded returns l with so many connections at a time, at least one; others wait.
func bounded(l net.Listener, connections int) net.Listener {
	return &backlogListener{Listener: netutil.LimitListener(socket.NewListener(l), max(connections, 1)), under: l, wait: backlogTime}
}

func (l *listeners) close() {
	for _, one := range []net.Listener{l.http, l.grpc, l.admin} {
		if one != nil {
			one.Close()
		}
	}
}

// inherited returns the socket that systemd passes to this process, nil without one.
func inherited() (net.Listener, error) {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	if n := os.Getenv("LISTEN_FDS"); n != "1" {
		return nil, fmt.Errorf("LISTEN_FDS is %s: one socket is served", n)
	}
	const first = 3 // file descriptor
	file := os.NewFile(first, "LISTEN_FDS")
	defer file.Close()
	return net.FileListener(file)
}

// removeStale removes a socket at which nobody listens any more.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s is there, and is no socket", path)
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return fmt.Errorf("%s: another process listens there", path)
	}
	return os.Remove(path)
}

// notify tells systemd about the state of this process, where that wants to know (sd_notify(3)).
func notify(state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	c, err := net.Dial("unixgram", path)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte(state))
	return err
}

func isLoopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

func address(scheme string, a net.Addr) string {
	if a.Network() == "unix" {
		return "unix:" + a.String()
	}
	return scheme + "://" + a.String()
}

// warnOpen says that others can reach the server as they like.
func (a *app) warnOpen(f *serveFlags, l net.Listener) {
	if l == nil {
		return
	}
	if l.Addr().Network() != "unix" && !isLoopback(l.Addr()) && (f.options.Token == "" || f.cert == "") {
		a.say(a.name+": %v can be reached from other computers, without a token or without TLS (--token-file, --tls-cert)", l.Addr())
	}
}

// certificate is the one that the server presents, read anew when it may have changed.
type certificate struct {
	cert, key string
	current   atomic.Pointer[tls.Certificate]
	wrong     string // what was said of it last
}

// certificate reads the certificate of the flags; nil without one.
func (f *serveFlags) certificate() (*certificate, error) {
	if f.cert == "" {
		return nil, nil
	}
	c := &certificate{cert: f.cert, key: f.key}
	if err := c.read(); err != nil {
		return nil, err
	}
	return c, nil
}

// config lets a server present the certificate; nil without one.
func (c *certificate) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil }}
}

// read reads the certificate. Where that fails the one before stays.
func (c *certificate) read() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("--tls-cert %s, --tls-key %s: %w", c.cert, c.key, err)
	}
	c.current.Store(&pair)
	return nil
}

// readCertificate reads the certificate anew, and says what is wrong with it where that is not what was said before.
func (a *app) readCertificate(c *certificate) {
	if c == nil {
		return
	}
	wrong := ""
	if err := c.read(); err != nil {
		wrong = fmt.Sprintf("%v: the one before stays", err)
	} else if end := c.current.Load().Leaf.NotAfter; time.Now().After(end) {
		wrong = fmt.Sprintf("--tls-cert %s: it has expired at %s", c.cert, end.Format(time.RFC3339))
	}
	if wrong != "" && wrong != c.wrong {
		a.say(a.name+": %s", wrong)
	}
	c.wrong = wrong
}

// readToken reads the token of a file, without blanks around it.
func readToken(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", usagef("--token-file %s: it is empty", path)
	}
	return token, nil
}

func discardIfNil(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

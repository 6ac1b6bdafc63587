//go:build unix && !noserve

package cli

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// served is a process that serves.
type served struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr *lockedBuffer
	ready  net.PacketConn // systemd's
	http   *http.Client
	exited chan error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *lockedBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// startServe starts octet serve at a Unix socket and waits until it tells systemd that it is ready.
func startServe(t *testing.T, args ...string) *served {
	t.Helper()
	dir, err := os.MkdirTemp("", "octet") // paths of sockets are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket, notify := filepath.Join(dir, "http"), filepath.Join(dir, "notify")
	s := &served{t: t, stderr: &lockedBuffer{}, exited: make(chan error, 1)}
	if s.ready, err = net.ListenPacket("unixgram", notify); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.ready.Close() })
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(exe, append([]string{"serve", "--addr", "unix:" + socket}, args...)...)
	s.cmd.Env = append(os.Environ(), asCommand+"=1", "NOTIFY_SOCKET="+notify)
	s.cmd.Stderr = s.stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.exited <- s.cmd.Wait() }()
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	s.http = &http.Client{Transport: &http.Transport{
		DialContext:     func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", socket) },
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	s.expect("READY=1")
	return s
}

// expect waits for what the process tells systemd.
func (s *served) expect(state string) {
	s.t.Helper()
	failed := make(chan struct{})
	defer close(failed)
	go func() {
		select {
		case err := <-s.exited:
			s.t.Errorf("the process ended: %v\n%s", err, s.stderr)
			s.ready.Close()
		case <-failed:
		}
	}()
	buf := make([]byte, 100)
	n, _, err := s.ready.ReadFrom(buf)
	if err != nil || string(buf[:n]) != state {
		s.t.Fatalf("got %q, error %v, want %s\n%s", buf[:n], err, state, s.stderr)
	}
}

// end sends a signal and returns the exit code.
func (s *served) end(signals ...os.Signal) int {
	s.t.Helper()
	for _, sig := range signals {
		if err := s.cmd.Process.Signal(sig); err != nil {
			s.t.Fatal(err)
		}
	}
	<-s.exited
	return s.cmd.ProcessState.ExitCode()
}

func (s *served) get(url string) (int, string) {
	s.t.Helper()
	r, err := s.http.Get(url)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.stderr)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// TestServe serves a model from a process, which drains at SIGTERM while requests come.
func TestServe(t *testing.T) {
	s := startServe(t, "d="+quantizeDigits(t), "--drain", "300ms", "--batch", "off")
	client := &oip.Client{URL: "http://localhost", HTTP: s.http}
	arrays, err := tensor.ReadNPZ(digitsTest, 0)
	if err != nil {
		t.Fatal(err)
	}
	x, err := arrays.Get("x").To(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	m, err := client.ModelMetadata(t.Context(), "d", "")
	if err != nil {
		t.Fatal(err)
	}
	infer := func() error {
		one, err := x.Slice(0, 0, 1, 1)
		if err != nil {
			return err
		}
		_, err = client.Infer(t.Context(), "d", "", &oip.InferRequest{Inputs: []*oip.Tensor{oip.NewTensor(m.Inputs[0].Name, one.Contiguous())}})
		return err
	}
	if err := infer(); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.expect("STOPPING=1")
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil { // it ends nothing
		t.Fatal(err)
	}
	if ready, err := client.Ready(t.Context()); ready || err != nil {
		t.Errorf("draining: ready %v, error %v", ready, err)
	}
	if err := infer(); err != nil {
		t.Errorf("draining: %v", err)
	}
	if code := s.end(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, s.stderr)
	}
}

// TestServeSecondSignal ends a server that drains.
func TestServeSecondSignal(t *testing.T) {
	s := startServe(t, "d="+quantizeDigits(t), "--drain", "1h", "--batch", "off")
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.expect("STOPPING=1")
	if code := s.end(os.Interrupt); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
}

// TestServeReload replaces model, folder of models and certificate, and sends SIGHUP.
func TestServeReload(t *testing.T) {
	dir := t.TempDir()
	models := filepath.Join(dir, "models")
	copyFile := func(from, to string) {
		t.Helper()
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+".part", data, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(to+".part", to); err != nil {
			t.Fatal(err)
		}
	}
	int8 := quantizeDigits(t)
	copyFile(int8, filepath.Join(models, "a.safetensors"))
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key, "first")
	s := startServe(t, "--models", models, "--drain", "0s", "--batch", "off", "--tls-cert", cert, "--tls-key", key, "--token-file", token, "--log", "json")
	if status, _ := s.get("https://localhost/v2/models/a"); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", status)
	}
	copyFile(int8, filepath.Join(models, "b", "3", "model.safetensors"))
	if err := os.Remove(filepath.Join(models, "a.safetensors")); err != nil {
		t.Fatal(err)
	}
	writeCertificate(t, cert, key, "second")
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	client := &oip.Client{URL: "https://localhost", HTTP: s.http, Token: "secret"}
	for {
		s.http.CloseIdleConnections()
		if ready, err := client.ModelReady(t.Context(), "b", "3"); err == nil && ready {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := client.ModelMetadata(t.Context(), "a", ""); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a model that is gone: error %v", err)
	}
	s.http.CloseIdleConnections()
	r, err := s.http.Get("https://localhost/v2/health/live")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if name := r.TLS.PeerCertificates[0].Subject.CommonName; name != "second" {
		t.Errorf("the certificate of %s", name)
	}
	if code := s.end(syscall.SIGTERM); code != exitOK {
		t.Errorf("exit code %d\n%s", code, s.stderr)
	}
}

func writeCertificate(t *testing.T, cert, key, name string) {
	t.Helper()
	writeCertificateUntil(t, cert, key, name, time.Now().Add(time.Hour))
}

func writeCertificateUntil(t *testing.T, cert, key, name string, end time.Time) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: end, DNSNames: []string{"localhost"}}
	template.Subject.CommonName = name
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	privateDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: privateDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

//go:build unix && !noserve

package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/octet-ml/octet/serve/grpcserve/pb"
)

// TestServeListeners serves gRPC with the certificate and the token of HTTP, and metrics at an address of their own without them.
func TestServeListeners(t *testing.T) {
	dir, err := os.MkdirTemp("", "octet") // paths of sockets are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	in := func(name string) string { return filepath.Join(dir, name) }
	writeCertificate(t, in("cert"), in("key"), "octet")
	if err := os.WriteFile(in("token"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServe(t, "d="+quantizeDigits(t), "--drain", "0s", "--batch", "off", "--grpc-addr", "unix:"+in("grpc"), "--admin-addr", "unix:"+in("admin"),
		"--tls-cert", in("cert"), "--tls-key", in("key"), "--token-file", in("token"))

	text, err := os.ReadFile(in("cert"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	secure := credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: "localhost"})
	call := func(c credentials.TransportCredentials, token string) codes.Code {
		t.Helper()
		connection, err := grpc.NewClient("unix:"+in("grpc"), grpc.WithTransportCredentials(c))
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token), time.Minute)
		defer cancel()
		m, err := pb.NewGRPCInferenceServiceClient(connection).ModelMetadata(ctx, &pb.ModelMetadataRequest{Name: "d"})
		if err == nil && m.Name != "d" {
			t.Errorf("got the metadata of %q", m.Name)
		}
		return status.Code(err)
	}
	for _, c := range []struct {
		credentials credentials.TransportCredentials
		token       string
		want        codes.Code
	}{{secure, "secret", codes.OK}, {secure, "other", codes.Unauthenticated}, {insecure.NewCredentials(), "secret", codes.Unavailable}} {
		if got := call(c.credentials, c.token); got != c.want {
			t.Errorf("%s with the token %s: %v, want %v", c.credentials.Info().SecurityProtocol, c.token, got, c.want)
		}
	}

	admin := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", in("admin")) }}}
	r, err := admin.Get("http://localhost/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if text, err = io.ReadAll(r.Body); err != nil || r.StatusCode != http.StatusOK || !strings.Contains(string(text), `octet_model_ready{model="d",version=""} 1`) {
		t.Errorf("metrics: status %d, error %v\n%s", r.StatusCode, err, text)
	}
	if code, _ := s.get("https://localhost/metrics"); code != http.StatusUnauthorized && code != http.StatusNotFound {
		t.Errorf("metrics at --addr beside --admin-addr: status %d", code)
	}
	if code := s.end(syscall.SIGTERM); code != exitOK {
		t.Errorf("exit code %d\n%s", code, s.stderr)
	}
}

// A client that sends its headers a byte at a time is sent away, though it never stops.
func TestServeSlowHeaders(t *testing.T) {
	t.Parallel()
	l, err := listenAt("127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	var f serveFlags
	s := f.httpServer(t.Context(), http.NotFoundHandler(), nil, l)
	go func() { _ = s.serve() }() // until close
	defer s.close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		_, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX: ")
		for err == nil {
			time.Sleep(10 * time.Millisecond)
			_, err = io.WriteString(c, "x")
		}
	}()
	answer, err := io.ReadAll(c) // until the server closes the connection
	if err != nil && !errors.Is(err, syscall.ECONNRESET) || strings.HasPrefix(string(answer), "HTTP/1.1 404") {
		t.Errorf("%q, %v", answer, err)
	}
}

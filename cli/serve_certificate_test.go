//go:build unix && !noserve

package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestReadCertificate replaces a certificate: half written, with another key, whole. The one before stays until the new one fits, and what
// is wrong is said once.
func TestReadCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key, "first")
	f := &serveFlags{cert: cert, key: key}
	c, err := f.certificate()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	a := &app{name: "octet", err: newPlainWriter(&said)}
	look := func(name, message string) {
		t.Helper()
		said.Reset()
		a.readCertificate(c)
		if got := c.current.Load().Leaf.Subject.CommonName; got != name {
			t.Errorf("the certificate of %s, want %s", got, name)
		}
		if got := said.String(); !strings.Contains(got, message) || message == "" && got != "" || strings.Count(got, "\n") > 1 {
			t.Errorf("said %q, want %q", got, message)
		}
	}
	look("first", "")
	second, secondKey := filepath.Join(dir, "cert2.pem"), filepath.Join(dir, "key2.pem")
	writeCertificate(t, second, secondKey, "second")
	data, err := os.ReadFile(second)
	if err != nil {
		t.Fatal(err)
	}
	write := func(data []byte) {
		t.Helper()
		if err := os.WriteFile(cert, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(data[:len(data)/2])
	look("first", "--tls-cert "+cert+", --tls-key "+key+": tls: failed to find any PEM data in certificate input: the one before stays")
	look("first", "")
	write(data)
	look("first", "private key does not match public key: the one before stays")
	if err := os.Rename(secondKey, key); err != nil {
		t.Fatal(err)
	}
	look("second", "")
	writeCertificateUntil(t, cert, key, "third", time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC))
	look("third", "it has expired at 2001-01-01T00:00:00Z")
	look("third", "")
}

package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// platform is an operating system and an architecture, by Go's names.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

// file returns the name of the program for the platform.
func (p platform) file() string {
	return "octet_" + p.os + "_" + p.arch + p.extension()
}

// extension returns how the names of programs end on the platform.
func (p platform) extension() string {
	switch {
	case p.os == "windows":
		return ".exe"
	case p.arch == "wasm":
		return ".wasm"
	}
	return ""
}

// platforms are those that are offered.
var platforms = []platform{
	{"linux", "amd64"}, {"linux", "arm64"}, {"linux", "arm"}, {"linux", "riscv64"},
	{"darwin", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"}, {"js", "wasm"},
}

// choose returns the platforms of the names, all of them without one, and none of them for "none".
func choose(names []string) ([]platform, error) {
	switch {
	case len(names) == 0:
		return platforms, nil
	case len(names) == 1 && names[0] == "none":
		return nil, nil
	}
	var chosen []platform
	for _, name := range names {
		i := slices.IndexFunc(platforms, func(p platform) bool { return p.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("no platform %q; there are %v", name, platforms)
		}
		chosen = append(chosen, platforms[i])
	}
	return chosen, nil
}

// tags leave out what the program does not need: tracing of gRPC, and HTTP/2, which gRPC has of its own.
const tags = "grpcnotrace,nethttpomithttp2"

// cold are packages in which hardly a loop over the elements of tensors lies, nor one over the bytes of many requests. They are compiled without
// inlining, which makes the program a thirtieth smaller; learned rounding takes 2 % longer. What nearly all import, as fmt, is none of them: a release would compile everything twice.
var cold = []string{
	"crypto/tls", "crypto/x509", "crypto/ecdsa", "crypto/elliptic", "crypto/hpke", "crypto/rsa", "crypto/internal/fips140/nistec/...", "math/big",
	"net", "net/http", "net/netip", "net/textproto", "net/url", "mime", "mime/multipart", "log/...", "golang.org/x/net/...",
	"vendor/golang.org/x/net/...", "vendor/golang.org/x/text/...", "vendor/golang.org/x/crypto/cryptobyte",
	"archive/zip", "encoding/asn1", "encoding/csv", "encoding/json", "regexp/...", "text/template/...",
	"google.golang.org/...", "github.com/spf13/...",
	"github.com/octet-ml/octet/bench", "github.com/octet-ml/octet/cli", "github.com/octet-ml/octet/data", "github.com/octet-ml/octet/digits",
	"github.com/octet-ml/octet/graph/...", "github.com/octet-ml/octet/internal/...", "github.com/octet-ml/octet/loader/...",
	"github.com/octet-ml/octet/metric", "github.com/octet-ml/octet/onnx", "github.com/octet-ml/octet/quantize", "github.com/octet-ml/octet/report",
	"github.com/octet-ml/octet/serve", "github.com/octet-ml/octet/serve/grpcserve/...", "github.com/octet-ml/octet/serve/loadtest",
	"github.com/octet-ml/octet/serve/prom", "github.com/octet-ml/octet/text", "github.com/octet-ml/octet/torchscript",
}

// builder builds the sources of a folder.
type builder struct {
	source string
	cache  string // of builds; empty for that of the user
	tags   string // beside those of every program
}

// command returns the go command in the folder of the sources, for a platform; whatever the environment says of the least CPU is not heard.
func (b builder) command(p platform, args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir = b.source
	cmd.Env = append(os.Environ(), "GOOS="+p.os, "GOARCH="+p.arch, "CGO_ENABLED=0", "GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off",
		"GOAMD64=v1", "GOARM64=v8.0", "GOARM=7", "GORISCV64=rva20u64", "GOWASM=")
	if b.cache != "" {
		cmd.Env = append(cmd.Env, "GOCACHE="+b.cache)
	}
	return cmd
}

// build writes the program for a platform.
func (b builder) build(p platform, path string) error {
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags", tags + "," + b.tags, "-ldflags=-s -w -funcalign=8", "-o", path}
	for _, packages := range cold {
		args = append(args, "-gcflags="+packages+"=-l")
	}
	cmd := b.command(p, append(args, "./cmd/octet")...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build in %s: %w\n%s", b.source, err, output)
	}
	return nil
}

// modules returns path and version of each module that the program for a platform has packages of, octet itself left out.
func (b builder) modules(p platform) ([]module, error) {
	const format = "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}"
	var stderr bytes.Buffer
	cmd := b.command(p, "list", "-deps", "-tags", tags, "-f", format, "./cmd/octet")
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &stderr)
	}
	var found []module
	for line := range strings.Lines(string(output)) {
		if path, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			found = append(found, module{path, version})
		}
	}
	slices.SortFunc(found, func(a, b module) int { return strings.Compare(a.path, b.path) })
	return slices.Compact(found), nil
}

// measured is what a file has.
type measured struct {
	sum            string // SHA-256, hexadecimal
	bytes, gzipped int64
}

// measure reads a file.
func measure(path string) (measured, error) {
	f, err := os.Open(path)
	if err != nil {
		return measured{}, err
	}
	defer f.Close()
	var packed counter
	hash, zip := sha256.New(), gzip.NewWriter(&packed)
	n, err := io.Copy(io.MultiWriter(hash, zip), f)
	if err != nil {
		return measured{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := zip.Close(); err != nil {
		return measured{}, err
	}
	return measured{hex.EncodeToString(hash.Sum(nil)), n, int64(packed)}, nil
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// sources is the module's folder without what no build reads: hidden folders, test data and files over 16 MiB.
type sources struct{ fs.FS }

func (s sources) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(s.FS, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		if e.IsDir() {
			return e.Name() == "testdata" || strings.HasPrefix(e.Name(), ".")
		}
		info, err := e.Info()
		return err != nil || !info.Mode().IsRegular() || info.Size() > 16<<20 || filepath.Ext(e.Name()) == ".test"
	}), err
}

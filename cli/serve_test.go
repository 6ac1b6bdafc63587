//go:build !noserve

package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/serve"
)

// TestServeCheck loads models, says what they are, and exits.
func TestServeCheck(t *testing.T) {
	r := octetJSON[struct{ Models []serve.ModelStatus }](t, "serve", "--check", "d="+quantizeDigits(t), "--batch", "off")
	if len(r.Models) != 1 || r.Models[0].Name != "d" || !r.Models[0].Ready || r.Models[0].Batching != "off" || len(r.Models[0].Inputs) != 1 {
		t.Errorf("reports %+v", r.Models)
	}
}

// TestServeUsage looks at command lines that are wrong.
func TestServeUsage(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config.json")
	if err := os.WriteFile(config, []byte(`{"models":{"int8":{"bach":1}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	model := quantizeDigits(t)
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{exitUsage, "name a model", nil},
		{exitUsage, "are both model int8", []string{model, model}},
		{exitUsage, "--batch", []string{model, "--batch", "many"}},
		{exitUsage, "--max-body", []string{model, "--max-body", "x"}},
		{exitUsage, "go together", []string{model, "--tls-cert", empty}},
		{exitFailed, "--tls-cert", []string{model, "--tls-cert", empty, "--tls-key", empty, "--check"}},
		{exitUsage, "it is empty", []string{model, "--token-file", empty}},
		{exitUsage, "needs --token-file", []string{model, "--model-control"}},
		{exitUsage, "--log", []string{model, "--log", "xml"}},
		{exitUsage, `no model "x"`, []string{model, "--shape", "x=1x2"}},
		{exitUsage, `unknown field "bach"`, []string{model, "--config", config}},
		{exitUsage, "must not be below 0", []string{model, "--timeout", "-5s"}},
		{exitUsage, "--drain, --grace and --watch must", []string{model, "--drain", "-1s"}},
		{exitUsage, "--max-queue, --max-seq", []string{model, "--max-queue", "-1"}},
		{exitUsage, "at least 10ms", []string{model, "--watch", "1ns"}},
		{exitUsage, "--mmap", []string{model, "--mmap"}},
		{exitUsage, "cannot be the name", []string{"a?b=" + model, "--check"}},
		{exitFile, "empty file", []string{empty, "--check"}},
		{exitFile, "empty file", []string{empty}},
		{exitFailed, "listen", []string{model, "--addr", "nowhere:x"}},
	} {
		_, stderr := octet(t, c.code, append([]string{"serve", "--addr", "127.0.0.1:0"}, c.args...)...)
		if !strings.Contains(stderr, c.says) {
			t.Errorf("%q does not say %q:\n%s", c.args, c.says, stderr)
		}
	}
}

// TestExamplesAreKept reads the example of a model once, until it or the model is another file: to do so loads the model.
func TestExamplesAreKept(t *testing.T) {
	a, f := newApp(io.Discard, io.Discard), &serveFlags{}
	source := serve.File(quantizeDigits(t))
	loads := 0
	source.Open = func(ctx context.Context) (*graph.Graph, error) {
		loads++
		return loader.Load(source.Path, loader.Context(ctx))
	}
	for i, touched := range []string{"", "", source.Path, ""} {
		if touched != "" {
			at := time.Now().Add(-time.Hour)
			if err := os.Chtimes(touched, at, at); err != nil {
				t.Fatal(err)
			}
		}
		e, err := a.warmInputs(t.Context(), f, source, digitsCalib)
		if err != nil || len(e.inputs) != 1 {
			t.Fatalf("%d inputs, error %v", len(e.inputs), err)
		}
		if want := []int{1, 1, 2, 2}[i]; loads != want {
			t.Errorf("look %d: the model was loaded %d times, want %d", i, loads, want)
		}
	}
}

package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestColor runs commands with each value of --color: what a file says is never taken for a color.
func TestColor(t *testing.T) {
	_, plain := octet(t, exitUsage, "bench", "--color", "auto")
	_, never := octet(t, exitUsage, "bench", "--color", "never")
	if plain != never || !strings.HasPrefix(plain, "octet: name a MODEL") {
		t.Errorf("without a terminal: %q, with never %q", plain, never)
	}
	if _, always := octet(t, exitFailed, "inspect", "no\x1b[31msuch", "--color", "always"); !strings.HasPrefix(always, "\x1b[31moctet:\x1b[0m open no\\x1b[31msuch: ") {
		t.Errorf("with always: %q", always)
	}
	if _, said := octet(t, exitUsage, "demo", "--color", "red"); !strings.Contains(said, "auto, always or never") {
		t.Errorf("a color: %q", said)
	}
	int8 := quantizeDigits(t)
	if out, _ := octet(t, exitOK, "verify", int8, "--color", "always"); !strings.Contains(out, " \x1b[32mequal\x1b[0m,") {
		t.Errorf("verify prints %q", out)
	}
}

// TestNoColor asks for no color in the ways that environments have.
func TestNoColor(t *testing.T) {
	for _, c := range []struct {
		noColor, term string
		want          bool
	}{{"", "xterm", true}, {"1", "xterm", false}, {"", "dumb", false}} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", c.term)
		if got := takesColor(); got != c.want {
			t.Errorf("NO_COLOR=%s TERM=%s: color %v", c.noColor, c.term, got)
		}
	}
}

// TestModelBeforeData runs a model and data of which neither can be read: the model is named.
func TestModelBeforeData(t *testing.T) {
	dir := t.TempDir()
	model, data := filepath.Join(dir, "model.pt"), filepath.Join(dir, "data.npz")
	for _, path := range []string{model, data} {
		if err := os.WriteFile(path, []byte("nothing"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, said := octet(t, exitFile, "run", model, data, "--output", filepath.Join(dir, "out.npz")); !strings.Contains(said, model) || strings.Contains(said, data) {
		t.Error(said)
	}
}

// TestQuiet runs a command that says something on stderr, and one that fails.
func TestQuiet(t *testing.T) {
	if _, said := octet(t, exitOK, "bench", "--arch", "digits", "--runs", "1", "--threads", "1"); !strings.Contains(said, "random weights") {
		t.Fatalf("bench says %q", said)
	}
	if out, said := octet(t, exitOK, "bench", "--arch", "digits", "--runs", "1", "--threads", "1", "-q"); said != "" || !strings.Contains(out, "digits") {
		t.Errorf("quiet, it says %q and prints %q", said, out)
	}
	if _, said := octet(t, exitFailed, "bench", "nosuch", "--quiet"); !strings.Contains(said, "nosuch") {
		t.Errorf("quiet, an error says %q", said)
	}
}

// TestWidth prints help and tables for terminals of several widths.
func TestWidth(t *testing.T) {
	for _, width := range []int{40, 60, 100} {
		for _, args := range [][]string{{"quantize", "--help"}, {"serve", "--help"}, {"help"}, {"bench", "--arch", "digits", "--runs", "1", "--threads", "1", "--precision", "float32,int8"}} {
			var out, err bytes.Buffer
			a := newApp(&out, &err)
			a.out.width = width
			if code := a.run(context.Background(), args); code != exitOK {
				t.Fatalf("%v: %d, %s", args, code, err.String())
			}
			for line := range strings.Lines(out.String()) {
				// What has columns fits; sentences are broken by the terminal.
				if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width && width > 40 && strings.Contains(strings.TrimSpace(line), "  ") {
					t.Errorf("%v: a line of %d characters for %d: %q", args, n, width, line)
				}
			}
		}
	}
}

// each calls do with every command that users see.
func each(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, c := range cmd.Commands() {
		if c.Name() != "help" && c.Name() != "completion" {
			each(c, do)
		}
	}
}

// TestExamples demands of every command an example, and that each names commands and flags that there are.
func TestExamples(t *testing.T) {
	root := newApp(&bytes.Buffer{}, &bytes.Buffer{}).command()
	each(root, func(cmd *cobra.Command) {
		if cmd.Example == "" && cmd.Parent() == root && cmd.Runnable() && !cmd.DisableFlagParsing {
			t.Errorf("%s has no example", cmd.Name())
		}
		for line := range strings.Lines(strings.ReplaceAll(cmd.Example, "\\\n", "")) {
			words := strings.Fields(line)
			if len(words) == 0 || words[0] != "octet" {
				t.Errorf("%s: %q is no command of octet", cmd.Name(), line)
				continue
			}
			named, _, err := root.Find(words[1:])
			if err != nil || named == root {
				t.Errorf("%s: %q: %v", cmd.Name(), line, err)
				continue
			}
			for _, w := range words {
				name := strings.SplitN(strings.TrimPrefix(w, "--"), "=", 2)[0]
				if strings.HasPrefix(w, "--") && named.Flag(name) == nil && named.InheritedFlags().Lookup(name) == nil && !named.DisableFlagParsing {
					t.Errorf("%s: %q: there is no %s", cmd.Name(), line, w)
				}
			}
		}
	})
}

// TestCompletion asks for the values that flags complete to, and that no list is for a flag that does not exist.
func TestCompletion(t *testing.T) {
	for want, args := range map[string][]string{
		"quantize\n":                    {"qu"},
		"--backend\n":                   {"quantize", "--back"},
		"native\n":                      {"quantize", "--backend", ""},
		"resnet20-cifar\n":              {"bench", "--arch", "resnet2"},
		"int8-dynamic\n":                {"bench", "--precision", ""},
		"generic\n":                     {"cpu", "--cpu", ""},
		"always\n":                      {"eval", "--color", ""},
		":4\n":                          {"run", "--top", ""}, // a number: no files
		":0\n":                          {"run", ""},          // files
		"entropy\n":                     {"tune", "--observer", ""},
		"top1\n":                        {"eval", "--metric", "t"},
		"merge\tJoin calibrations that": {"quantize", "mer"},
	} {
		if out, _ := octet(t, exitOK, append([]string{"__complete"}, args...)...); !strings.Contains(out, strings.TrimSuffix(want, "\n")) {
			t.Errorf("%v completes to %q, want %q", args, out, want)
		}
	}
	if out, _ := octet(t, exitOK, "completion", "bash"); !strings.Contains(out, "__start_octet") {
		t.Error("there is no script for bash")
	}
	flags := map[string]bool{}
	each(newApp(&bytes.Buffer{}, &bytes.Buffer{}).command(), func(cmd *cobra.Command) {
		add := func(f *pflag.Flag) { flags[f.Name], flags[cmd.Name()+" "+f.Name] = true, true }
		cmd.LocalFlags().VisitAll(add)
	})
	for name := range newApp(nil, nil).flagValues() {
		if !flags[name] && !strings.HasPrefix(name, "serve ") {
			t.Errorf("values for %s, which no command has", name)
		}
	}
}

// TestFlagHelp checks that the help of each flag says by itself what it is: the alphabet decides what stands above it.
func TestFlagHelp(t *testing.T) {
	each(newApp(&bytes.Buffer{}, &bytes.Buffer{}).command(), func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			for _, start := range []string{"of ", "the same,", "the same for"} {
				if strings.HasPrefix(f.Usage, start) {
					t.Errorf("%s --%s says %q", cmd.CommandPath(), f.Name, f.Usage)
				}
			}
			if f.DefValue == "[]" && f.Value.Type() == "float32Slice" {
				t.Errorf("%s --%s shows the default []", cmd.CommandPath(), f.Name)
			}
		})
	})
}

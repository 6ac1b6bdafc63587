//go:build !noserve

package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/loader"
)

// deployed returns the command lines of octet in the files of deploy/, by file.
func deployed(t *testing.T) map[string][][]string {
	t.Helper()
	files, err := filepath.Glob("../deploy/*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][][]string)
	lists := regexp.MustCompile(`args:\n((?: +- .*\n)+)`)
	for _, path := range files {
		for _, list := range lists.FindAllStringSubmatch(string(readFile(t, path)), -1) {
			var args []string
			for line := range strings.Lines(list[1]) {
				args = append(args, strings.Trim(strings.TrimPrefix(strings.TrimSpace(line), "- "), `"`))
			}
			all[path] = append(all[path], args)
		}
	}
	const unit = "../deploy/systemd/octet.service"
	for _, line := range regexp.MustCompile(`(?m)^ExecStart=\S+ (.*)$`).FindAllStringSubmatch(string(readFile(t, unit)), -1) {
		all[unit] = append(all[unit], strings.Fields(line[1]))
	}
	const image = "../deploy/Dockerfile.model"
	for _, entry := range regexp.MustCompile(`(?m)^ENTRYPOINT (\[.*\])$`).FindAllStringSubmatch(string(readFile(t, image)), -1) {
		var words []string
		if err := json.Unmarshal([]byte(entry[1]), &words); err != nil {
			t.Fatalf("%s: %v", image, err)
		}
		all[image] = append(all[image], words[1:])
	}
	return all
}

// TestDeployFlags parses all command lines of deploy/ with the commands as they are.
func TestDeployFlags(t *testing.T) {
	files := deployed(t)
	if len(files) != 6 {
		t.Errorf("command lines in %d files, not in 6", len(files))
	}
	for path, lines := range files {
		for _, args := range lines {
			cmd, rest, err := newApp(nil, nil).command().Find(args)
			if err != nil {
				t.Errorf("%s: %q: %v", path, args, err)
				continue
			}
			if err := cmd.ParseFlags(rest); err != nil {
				t.Errorf("%s: %q: %v", path, args, err)
			}
			if err := cmd.ValidateRequiredFlags(); err != nil {
				t.Errorf("%s: %q: %v", path, args, err)
			}
		}
	}
}

// TestDeployJobs runs the command lines of the Jobs on the digits model, each shard with its
// JOB_COMPLETION_INDEX, and compares the int8 model with that of one run.
func TestDeployJobs(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	copyFile(t, digitsTest, at("test.npz"))
	copyFile(t, digitsCalib, at("calib.npz"))
	writeFloatDigits(t, at("model.safetensors"))
	files := deployed(t)
	run := func(file string, step, index int) string {
		args := slices.Clone(files[filepath.Join("../deploy/kubernetes", file)][step])
		for i, a := range args {
			a = strings.ReplaceAll(a, "/work/", dir+"/")
			args[i] = strings.ReplaceAll(a, "$(JOB_COMPLETION_INDEX)", string(rune('0'+index)))
		}
		stdout, _ := octet(t, exitOK, args...)
		return stdout
	}
	for _, file := range []string{"calibrate.yaml", "evaluate.yaml"} {
		for index := range 4 {
			run(file, 0, 3-index)
		}
		for step := 1; step < len(files[filepath.Join("../deploy/kubernetes", file)]); step++ {
			if out := run(file, step, 0); file == "evaluate.yaml" && !strings.Contains(out, `"n":512`) {
				t.Errorf("%s prints %s", file, out)
			}
		}
	}
	octet(t, exitOK, "quantize", at("model.safetensors"), "--calib", digitsCalib, "-o", at("whole"))
	if !bytes.Equal(readFile(t, at("whole")), readFile(t, at("model.int8.safetensors"))) {
		t.Error("the Jobs give another model than one run")
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	if err := os.WriteFile(to, readFile(t, from), 0o644); err != nil {
		t.Fatal(err)
	}
}

// writeFloatDigits writes the float model of the digits with its graph.
func writeFloatDigits(t *testing.T, path string) {
	t.Helper()
	g, err := newApp(nil, nil).openModel(t.Context(), digitsModel, source{arch: "digits"})
	if err != nil {
		t.Fatal(err)
	}
	if err := loader.Save(path, g); err != nil {
		t.Fatal(err)
	}
}

// TestServeFolder names models by the folder that they are in, as KServe gives it.
func TestServeFolder(t *testing.T) {
	int8 := quantizeDigits(t)
	one, versions, several := t.TempDir(), t.TempDir(), t.TempDir()
	copyFile(t, int8, filepath.Join(one, "any.int8.safetensors"))
	for _, v := range []string{"1", "3"} {
		if err := os.Mkdir(filepath.Join(versions, v), 0o755); err != nil {
			t.Fatal(err)
		}
		copyFile(t, int8, filepath.Join(versions, v, "model.safetensors"))
	}
	copyFile(t, int8, filepath.Join(several, "a.safetensors"))
	copyFile(t, int8, filepath.Join(several, "b.safetensors"))
	a := newApp(nil, nil)
	for dir, want := range map[string][]string{one: {""}, versions: {"1", "3"}} {
		list, err := a.listModels(&serveFlags{models: []string{"digits=" + dir}})
		if err != nil {
			t.Fatal(err)
		}
		var have []string
		for _, c := range list {
			if c.Name != "digits" {
				t.Errorf("the model is %q", c.Name)
			}
			have = append(have, c.Version)
		}
		if !slices.Equal(have, want) {
			t.Errorf("versions %q, not %q", have, want)
		}
	}
	octet(t, exitOK, "serve", "--check", "digits="+one)
	octet(t, exitUsage, "serve", "--check", "digits="+several)
	octet(t, exitUsage, "serve", "--check", "digits="+t.TempDir())
}

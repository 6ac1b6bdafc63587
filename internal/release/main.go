// Command release builds octet for all platforms that are offered, stripped and without paths or revision of the sources, each from two
// folders, and fails where the two files differ. Beside each it writes what it is made of (CycloneDX), and SHA256SUMS of all:
//
//	go run ./internal/release -o dist                          all platforms
//	go run ./internal/release -o dist linux/arm64 js/wasm      these
//	go run ./internal/release -o dist -version v0.1.0          all, and this version of the module in dist/proxy
//	go run ./internal/release -o dist -version v0.1.0 none     the module alone
//	go run ./internal/release -local                           ./octet for this machine, built once and nothing beside it
//
// The folder dist/proxy is what GOPROXY takes: GOPROXY=file:///PATH/dist/proxy go install github.com/octet-ml/octet/cmd/octet@v0.1.0.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

func main() {
	out := flag.String("o", "", "the `folder` to write to, by default dist, and this one with -local")
	local := flag.Bool("local", false, "build the program of this machine alone, once, as octet in this folder or in that of -o")
	more := flag.String("tags", "", "further build `tags` for -local, such as noserve")
	cold := flag.Bool("cold", false, "build the second time with an empty build cache")
	version := flag.String("version", "", "also write the module as this `version`, such as v0.1.0, for a module proxy")
	flag.Parse()
	work := func() error { return release(*out, flag.Args(), *version, *cold) }
	if *local {
		work = func() error { return buildLocal(*out, *more) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// buildLocal builds the program of this machine, with further tags.
func buildLocal(out, more string) error {
	source, err := moduleRoot()
	if err != nil {
		return err
	}
	if out, err = filepath.Abs(out); err != nil {
		return err
	}
	p := platform{runtime.GOOS, runtime.GOARCH}
	return builder{source: source, tags: more}.build(p, filepath.Join(out, "octet"+p.extension()))
}

// release builds the platforms of the names, all of them without one, and with a version writes the module; SHA256SUMS has all files.
func release(out string, names []string, version string, cold bool) error {
	out = cmp.Or(out, "dist")
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if out, err = filepath.Abs(out); err != nil {
		return err
	}
	source, err := moduleRoot()
	if err != nil {
		return err
	}
	var sums []string
	if version != "" {
		if sums, err = releaseModule(source, out, version); err != nil {
			return err
		}
	}
	if len(chosen) > 0 {
		lines, err := releasePrograms(chosen, source, out, cold)
		if err != nil {
			return err
		}
		sums = append(sums, lines...)
	}
	slices.SortFunc(sums, func(a, b string) int { return cmp.Compare(a[65:], b[65:]) })
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(strings.Join(sums, "")), 0o644)
}

// releasePrograms builds the platforms, prints a table of sizes and returns the lines of SHA256SUMS.
func releasePrograms(chosen []platform, source, out string, cold bool) (sums []string, err error) {
	temporary, err := os.MkdirTemp("", "octet-release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temporary)
	first, second := builder{source: source}, builder{source: filepath.Join(temporary, "elsewhere", "octet")}
	if err := os.CopyFS(second.source, sources{os.DirFS(source)}); err != nil {
		return nil, err
	}
	if cold {
		second.cache = filepath.Join(temporary, "cache")
	}
	fmt.Println("| platform | MB | gzipped |\n|---|---|---|")
	for _, p := range chosen {
		row, lines, err := releaseOne(p, first, second, out, temporary)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		fmt.Println(row)
		sums = append(sums, lines...)
	}
	return sums, nil
}

// releaseModule writes the module below out/proxy and returns its lines of SHA256SUMS.
func releaseModule(source, out, version string) ([]string, error) {
	written, err := writeModule(source, filepath.Join(out, "proxy"), version)
	if err != nil {
		return nil, err
	}
	var sums []string
	for _, path := range written {
		path = filepath.Join("proxy", path)
		m, err := measure(filepath.Join(out, path))
		if err != nil {
			return nil, err
		}
		sums = append(sums, m.sum+"  "+filepath.ToSlash(path)+"\n")
	}
	return sums, nil
}

// releaseOne builds one platform twice and returns its row of the table and its lines of SHA256SUMS.
func releaseOne(p platform, first, second builder, out, temporary string) (row string, sums []string, err error) {
	path := filepath.Join(out, p.file())
	if err := first.build(p, path); err != nil {
		return "", nil, err
	}
	again := filepath.Join(temporary, p.file())
	if err := second.build(p, again); err != nil {
		return "", nil, err
	}
	defer os.Remove(again)
	a, err := measure(path)
	if err != nil {
		return "", nil, err
	}
	b, err := measure(again)
	if err != nil {
		return "", nil, err
	}
	if a.sum != b.sum {
		return "", nil, fmt.Errorf("built from %s and from %s it differs: %s and %s", first.source, second.source, a.sum, b.sum)
	}
	modules, err := first.modules(p)
	if err != nil {
		return "", nil, err
	}
	bill, err := encodeBill(p, a.sum, modules)
	if err != nil {
		return "", nil, err
	}
	billPath := strings.TrimSuffix(path, filepath.Ext(path)) + ".cdx.json"
	if err := os.WriteFile(billPath, bill, 0o644); err != nil {
		return "", nil, err
	}
	c, err := measure(billPath)
	if err != nil {
		return "", nil, err
	}
	row = fmt.Sprintf("| %s | %.1f | %.1f |", p, float64(a.bytes)/1e6, float64(a.gzipped)/1e6)
	return row, []string{a.sum + "  " + filepath.Base(path) + "\n", c.sum + "  " + filepath.Base(billPath) + "\n"}, nil
}

// moduleRoot returns the folder of go.mod.
func moduleRoot() (string, error) {
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	path := strings.TrimSpace(string(mod))
	if filepath.Base(path) != "go.mod" {
		return "", fmt.Errorf("this is no folder of a module: run it in octet's")
	}
	return filepath.Dir(path), nil
}

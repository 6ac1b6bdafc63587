package octet_test

import (
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// uncontracted are the packages whose results reach parameters of quantized models. Where a CPU has fused multiply-add, the compiler
// contracts a product and a sum into it, and the result is another; an explicit conversion of the product, float64(a*b) + c, prevents it.
var uncontracted = []string{"quantize", "ops/int8", "loader", "ops/asm", "ops", "graph"}

// contracted are the functions that may: what they compute reaches no parameter.
var contracted = map[string]string{
	"ops/int8.(*winograd).time": "an estimate of time: all forms give the same bits",
	"ops.convWinograd":          "an estimate of time",
	"quantize.minMax":           "a product with 0, which tells whether a value is finite",
}

var (
	listedFunction = regexp.MustCompile(`^(\S+) STEXT`)
	fusedMultiply  = regexp.MustCompile(`\(([^()]*)\)\t(FN?M(?:ADD|SUB)[SD])\t`)
)

// TestNoContraction lists the fused multiply-adds of plain Go on the architectures that have them.
func TestNoContraction(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds for two other architectures")
	}
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go tool is not here: ", err)
	}
	for _, arch := range []string{"arm64", "riscv64"} {
		t.Run(arch, func(t *testing.T) {
			args := []string{"build", "-gcflags=-S", "-o", os.DevNull}
			for _, name := range uncontracted {
				args = append(args, "./"+name)
			}
			cmd := exec.Command(tool, args...)
			cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=-trimpath")
			listing, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("go build: %v\n%s", err, listing)
			}
			checkContraction(t, string(listing))
		})
	}
}

// checkContraction fails for each fused multiply-add in a function that may have none, and for each that may and has none.
func checkContraction(t *testing.T, listing string) {
	t.Helper()
	function, functions, found := "", 0, map[string]bool{}
	for line := range strings.Lines(listing) {
		if m := listedFunction.FindStringSubmatch(line); m != nil {
			function, functions = strings.TrimPrefix(m[1], modulePath+"/"), functions+1
			continue
		}
		m := fusedMultiply.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		found[function] = true
		if _, ok := contracted[function]; !ok {
			t.Errorf("%s: %s contracts a product and a sum: convert the product, float64(a*b) + c", path.Base(m[1]), m[2])
		}
	}
	if functions < 1000 {
		t.Fatalf("the listing has only %d functions", functions)
	}
	for _, name := range slices.Sorted(maps.Keys(contracted)) {
		if !found[name] {
			t.Errorf("%s has no fused multiply-add: take it off the list", name)
		}
	}
}

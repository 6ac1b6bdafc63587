package octet_test

import (
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// uncontracted are the packages whose results reach parameters of quantized models. Where a CPU has fused multiply-add, the compiler
// contracts a product and a sum into it, and the result is another; an explicit conversion of the product, float64(a*b) + c, prevents it.
var uncontracted = []string{"quantize", "ops/int8", "loader", "ops/asm", "ops", "graph"}

// contracted are the functions and files that may have fused multiply-adds, and why.
var contracted = map[string]string{
	"ops/int8.winograd.time":      "an estimate of time: all forms of a layer give the same bits",
	"ops.Conv.winogradCost":       "an estimate of time",
	"quantize.minMax":             "products with 0, which tell whether values are finite",
	"ops.Random.sample":           "math.FMA, which is the same everywhere",
	"ops.Random.each":             "math.FMA, which is the same everywhere",
	"ops/fft_plan.go":             "float32 results only",
	"ops/unary_grad.go":           "gradients",
	"ops/fold_batch_norm_grad.go": "gradients",
	"ops/unary_functions.go":      "beside functions of package math, which differ from architecture to architecture",
}

var (
	listedFunction = regexp.MustCompile(`^(\S+) STEXT`)
	fusedMultiply  = regexp.MustCompile(`\(([^()]*):(\d+)\)\t(FN?M(?:ADD|SUB)[SD])\t`)
	receiver       = strings.NewReplacer("(*", "", ")", "")
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

// checkContraction fails for each fused multiply-add where there may be none, and for each place that may have some and has none.
func checkContraction(t *testing.T, listing string) {
	t.Helper()
	function, functions, found := "", 0, map[string]bool{}
	for line := range strings.Lines(listing) {
		if m := listedFunction.FindStringSubmatch(line); m != nil {
			function, functions = receiver.Replace(strings.TrimPrefix(m[1], modulePath+"/")), functions+1
			continue
		}
		m := fusedMultiply.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		file := strings.TrimPrefix(m[1], modulePath+"/")
		found[function], found[file] = true, true
		if contracted[function] == "" && contracted[file] == "" {
			t.Errorf("%s:%s: %s in %s contracts a product and a sum: convert the product, float64(a*b) + c", file, m[2], m[3], function)
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

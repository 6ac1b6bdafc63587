package asm

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// instructionSets lists the architectures with assembly: the tiers that names of functions end with, longer names first, how to
// cut a function's code into instructions and which tier an instruction needs.
var instructionSets = []struct {
	arch  string
	tiers []Tier
	cut   func(t *testing.T, f *listedFunction) []listedInstruction
	need  func(code []byte) (Tier, error)
}{
	{"amd64", []Tier{AVX512VNNI, AVX512, AVXVNNI, AVX2}, cutInstructions, tierOfInstruction},
	{"arm64", []Tier{NEON, DotProd, I8MM}, cutWords, tierOfWord},
}

// listFunctions assembles the kernels of an architecture.
func listFunctions(t *testing.T, arch string) []listedFunction {
	t.Helper()
	return buildListing(t, arch, "-asmflags=-S")
}

// buildListing builds the package for an architecture with arguments that make the tools list what they emit.
func buildListing(t *testing.T, arch string, args ...string) []listedFunction {
	t.Helper()
	if quick() {
		t.Skip("no CPU that kernels run on changes what they are assembled to")
	}
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go tool is not here: ", err)
	}
	cmd := exec.Command(tool, append(append([]string{"build"}, args...), "-o", os.DevNull, ".")...)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=")
	listing, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, listing)
	}
	functions := parseListing(t, listing)
	if len(functions) == 0 {
		t.Fatal("go build lists no functions")
	}
	return functions
}

// TestInstructionTiers assembles the kernels and checks that none has an instruction which the tier in its name does not promise.
func TestInstructionTiers(t *testing.T) {
	for _, set := range instructionSets {
		t.Run(set.arch, func(t *testing.T) {
			found := map[Tier]int{}
			for _, f := range listFunctions(t, set.arch) {
				tier, err := tierOfFunction(f.name, set.tiers)
				if err != nil {
					t.Error(err)
					continue
				}
				for _, in := range set.cut(t, &f) {
					need, err := set.need(in.code)
					switch {
					case err != nil:
						t.Errorf("%s at %#x: %s (% x): %v", f.name, in.offset, in.text, in.code, err)
					case !tier.Includes(need) && tier != Generic:
						t.Errorf("%s at %#x: %s (% x) needs the tier %s", f.name, in.offset, in.text, in.code, need)
					}
					if tier != Generic {
						found[need]++
					}
				}
			}
			for _, tier := range set.tiers {
				if found[tier] == 0 {
					t.Errorf("no instruction of tier %s was found", tier)
				}
			}
		})
	}
}

// tierOfFunction returns the tier that the end of a kernel's name states. Pause and cpuid are no
// kernels and run on any CPU.
func tierOfFunction(name string, tiers []Tier) (Tier, error) {
	if strings.HasSuffix(name, ".Pause") || strings.HasSuffix(name, ".cpuid") {
		return Generic, nil
	}
	for _, tier := range tiers {
		if strings.HasSuffix(strings.ToUpper(name), strings.ToUpper(tier.String())) {
			return tier, nil
		}
	}
	return Generic, fmt.Errorf("%s: the name does not end with a tier", name)
}

type listedFunction struct {
	name         string
	code         []byte
	instructions []listedInstruction
}

type listedInstruction struct {
	offset int
	text   string
	code   []byte
}

var (
	listedName  = regexp.MustCompile(`^(\S+) STEXT .*size=(\d+)`)
	listedLine  = regexp.MustCompile(`^\t0x([0-9a-f]+) \d+ \(.*\)\t(\S+)(?:\t(.*))?$`)
	listedBytes = regexp.MustCompile(`^\t0x[0-9a-f]+((?: [0-9a-f]{2}){1,16})  `)
)

// parseListing reads what the assembler prints with -S: per function its
// instructions with offsets, then its bytes.
func parseListing(t *testing.T, listing []byte) []listedFunction {
	t.Helper()
	var functions []listedFunction
	var size int
	finish := func() {
		if len(functions) == 0 {
			return
		}
		f := &functions[len(functions)-1]
		if len(f.code) != size {
			t.Fatalf("%s: %d bytes are listed, want %d", f.name, len(f.code), size)
		}
	}
	for line := range bytes.Lines(listing) {
		text := strings.TrimRight(string(line), "\n")
		if m := listedName.FindStringSubmatch(text); m != nil {
			finish()
			functions = append(functions, listedFunction{name: m[1]})
			size, _ = strconv.Atoi(m[2])
		} else if len(functions) == 0 {
			continue
		} else if m := listedLine.FindStringSubmatch(text); m != nil {
			offset, _ := strconv.ParseInt(m[1], 16, 64)
			f := &functions[len(functions)-1]
			f.instructions = append(f.instructions, listedInstruction{int(offset), m[2] + " " + m[3], nil})
		} else if m := listedBytes.FindStringSubmatch(text); m != nil && len(functions[len(functions)-1].code) < size {
			code, err := hex.DecodeString(strings.ReplaceAll(m[1], " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			f := &functions[len(functions)-1]
			f.code = append(f.code, code...)
		}
	}
	finish()
	return functions
}

package asm

import (
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the lists of inner loops in docs/kernels.md")

// TestInnerLoops compares the list of inner loops in docs/kernels.md with the code of the kernels.
func TestInnerLoops(t *testing.T) {
	comparePage(t, "loops", innerLoops(t, listFunctions(t, "amd64")))
}

// comparePage compares a list in docs/kernels.md, between marks with its name, with what it should be, or writes it with -update.
func comparePage(t *testing.T, name, want string) {
	t.Helper()
	const path = "../../docs/kernels.md"
	begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks for the list", path)
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if have != want {
		t.Errorf("the list in %s is out of date, run go test ./ops/asm -run Loops -update; it should be:\n%s", path, want)
	}
}

// innerLoops lists the loops in which matrix kernels of amd64 spend their time.
func innerLoops(t *testing.T, functions []listedFunction) string {
	var b strings.Builder
	b.WriteString("| operation | tier | multiplications and other vector instructions | products | products per instruction |\n|---|---|---|---|---|\n")
	for _, op := range []struct{ name, function string }{
		{"igemm_f32", "igemmF32"}, {"igemm_u8s8", "igemmU8S8"}, {"igemm_u8s8_pairs", "igemmU8S8Pairs"},
		{"winograd2_u8s8, winograd4_u8s8, winograd4_1d_u8s8", "winogradMultiplyS16"},
	} {
		for _, tier := range []Tier{AVX2, AVXVNNI, AVX512, AVX512VNNI} {
			for i := range functions {
				if f := &functions[i]; strings.HasSuffix(f.name, "."+op.function+strings.ToUpper(tier.String())) {
					l := f.widestLoop(t)
					fmt.Fprintf(&b, "| `%s` | %s | %d + %d | %d | %.1f |\n", strings.ReplaceAll(op.name, ", ", "`, `"), tier,
						l.multiplies, l.vectors-l.multiplies, l.products, float64(l.products)/float64(l.vectors))
				}
			}
		}
	}
	return b.String()
}

// countedLoop is what a loop does in one round.
type countedLoop struct{ vectors, multiplies, products int }

// widestLoop returns the innermost loop with the most products.
func (f *listedFunction) widestLoop(t *testing.T) (best countedLoop) {
	t.Helper()
	instructions := cutInstructions(t, f)
	for last, jump := range instructions {
		target, ok := jumpTarget(jump)
		if !ok || target > jump.offset {
			continue
		}
		first := last
		for first > 0 && instructions[first].offset > target {
			first--
		}
		if l, inner := countLoop(instructions[first:last]); inner && l.products > best.products {
			best = l
		}
	}
	if best.products == 0 {
		t.Fatalf("%s has no loop that multiplies", f.name)
	}
	return best
}

// countLoop counts the instructions of a loop, and reports whether there is no other within it.
func countLoop(body []listedInstruction) (l countedLoop, inner bool) {
	pairs := false
	for _, in := range body {
		if target, ok := jumpTarget(in); ok && target <= in.offset && target >= body[0].offset {
			return l, false
		}
		pairs = pairs || strings.HasPrefix(in.text, "VPMADDUBSW")
	}
	for _, in := range body {
		bits, op, ok := vectorOf(in.code)
		if !ok {
			continue
		}
		l.vectors++
		if productBits[op] == 0 || op == "VPMADDWD" && pairs { // which then adds up
			continue
		}
		l.multiplies++
		l.products += bits / productBits[op]
	}
	return l, true
}

// productBits are the bits of a vector for each product of an instruction.
var productBits = map[string]int{"VPDPBUSD": 8, "VPMADDUBSW": 8, "VPDPWSSD": 16, "VPMADDWD": 16, "VFMADD231PS": 32}

// jumpTarget returns where a jump goes.
func jumpTarget(in listedInstruction) (offset int, ok bool) {
	end := in.offset + len(in.code)
	switch c := in.code; {
	case len(c) == 2 && (c[0]&0xF0 == 0x70 || c[0] == 0xEB):
		return end + int(int8(c[1])), true
	case len(c) == 6 && c[0] == 0x0F && c[1]&0xF0 == 0x80:
		return end + int(int32(binary.LittleEndian.Uint32(c[2:]))), true
	case len(c) == 5 && c[0] == 0xE9:
		return end + int(int32(binary.LittleEndian.Uint32(c[1:]))), true
	}
	return 0, false
}

// vectorOf returns the bits of the vectors of an instruction with VEX or EVEX encoding and, of those that multiply, its name.
func vectorOf(code []byte) (bits int, op string, ok bool) {
	multiplications := map[[2]byte]string{{2, 0x50}: "VPDPBUSD", {2, 0x52}: "VPDPWSSD", {2, 0x04}: "VPMADDUBSW", {1, 0xF5}: "VPMADDWD", {2, 0xB8}: "VFMADD231PS"}
	switch {
	case code[0] == 0x62 && len(code) >= 6:
		return 128 << (code[3] >> 5 & 3), multiplications[[2]byte{code[1] & 7, code[4]}], true
	case code[0] == 0xC5 && len(code) >= 3:
		return 128 << (code[1] >> 2 & 1), multiplications[[2]byte{1, code[2]}], true
	case code[0] == 0xC4 && len(code) >= 4:
		return 128 << (code[2] >> 2 & 1), multiplications[[2]byte{code[1] & 31, code[3]}], true
	}
	return 0, "", false
}

// TestVectorOf checks the reading of instructions as the assembler encodes them.
func TestVectorOf(t *testing.T) {
	for _, tc := range []struct {
		name string
		code []byte
		bits int
		op   string
	}{
		{"VPMADDWD Y12, Y14, Y15", []byte{0xC4, 0x41, 0x0D, 0xF5, 0xFC}, 256, "VPMADDWD"},
		{"{vex} VPDPBUSD Y12, Y14, Y0", []byte{0xC4, 0xC2, 0x0D, 0x50, 0xC4}, 256, "VPDPBUSD"},
		{"VPDPBUSD Z24, Z28, Z0", []byte{0x62, 0x92, 0x1D, 0x40, 0x50, 0xC0}, 512, "VPDPBUSD"},
		{"VFMADD231PS Y1, Y2, Y3", []byte{0xC4, 0xE2, 0x6D, 0xB8, 0xD9}, 256, "VFMADD231PS"},
		{"VADDPS Y1, Y0, Y0", []byte{0xC5, 0xFC, 0x58, 0xC1}, 256, ""},
	} {
		if bits, op, ok := vectorOf(tc.code); bits != tc.bits || op != tc.op || !ok {
			t.Errorf("%s is %q of %d bits", tc.name, op, bits)
		}
	}
}

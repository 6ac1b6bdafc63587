package asm

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// plainArchitectures are those of which the loops of plain Go are counted. amd64 and arm64 have kernels in assembly, but with purego.
var plainArchitectures = []string{"arm64", "riscv64", "arm", "386", "amd64"}

// plainLoops are the loops of plain Go in which matrix kernels spend their time: the products of one round, and how many instructions
// each product may take on each architecture.
var plainLoops = []struct {
	kernel, function string
	products         int
	most             [5]float64
}{
	{"`igemm_u8s8`", "addProductsU8S8", 32, [...]float64{2.1, 3.2, 3.6, 7.2, 6.1}},
	{"`igemm_f32`", "addProductsF32", 8, [...]float64{3.1, 3.8, 3.9, 7.4, 4.7}},
	{"`winograd2_u8s8`, `winograd4_u8s8`", "addProductsS16", 16, [...]float64{2.5, 3.6, 4.1, 8.2, 7}},
}

// TestPlainLoops counts the instructions of the inner loops of plain Go as the compiler emits them, holds them to what they may be at
// most and compares them with docs/kernels.md.
func TestPlainLoops(t *testing.T) {
	var b strings.Builder
	b.WriteString("| kernel | " + strings.Join(plainArchitectures, " | ") + " |\n|---" + strings.Repeat("|---", len(plainArchitectures)) + "|\n")
	listings := map[string]map[string][]listedInstruction{}
	for _, arch := range plainArchitectures {
		listings[arch] = map[string][]listedInstruction{}
		for _, f := range buildListing(t, arch, "-tags=purego", "-gcflags=-S") {
			listings[arch][f.name[strings.LastIndex(f.name, ".")+1:]] = f.instructions
		}
	}
	for _, loop := range plainLoops {
		b.WriteString("| " + loop.kernel)
		for i, arch := range plainArchitectures {
			count := longestLoop(listings[arch][loop.function])
			if count == 0 {
				t.Fatalf("%s: the listing has no loop in %s", arch, loop.function)
			}
			each := float64(count) / float64(loop.products)
			if each > loop.most[i] {
				t.Errorf("%s: %d instructions of %s for %d products are %.2f, at most %.2f were wanted", arch, count, loop.function, loop.products, each, loop.most[i])
			}
			fmt.Fprintf(&b, " | %.2f", each)
		}
		b.WriteString(" |\n")
	}
	comparePage(t, "plain loops", b.String())
}

// longestLoop counts the instructions of the longest loop of a function, leaving out the one back to its beginning, by which it grows its stack.
func longestLoop(instructions []listedInstruction) (longest int) {
	number := map[int]int{} // of the instruction at an offset
	var code []listedInstruction
	for _, in := range instructions {
		switch op, _, _ := strings.Cut(in.text, " "); op {
		case "TEXT", "PCDATA", "FUNCDATA", "NOP":
			continue
		}
		if _, ok := number[in.offset]; !ok {
			number[in.offset] = len(code)
		}
		code = append(code, in)
	}
	for last, in := range code {
		if first, ok := number[listedTarget(in)]; ok && first > 0 && first <= last {
			longest = max(longest, last-first+1)
		}
	}
	return longest
}

// listedTarget returns the offset that an instruction may jump to, -1 for none: its last operand, which riscv64 counts from the instruction.
func listedTarget(in listedInstruction) int {
	op, operands, _ := strings.Cut(in.text, " ")
	if !strings.HasPrefix(op, "B") && !strings.HasPrefix(op, "J") {
		return -1
	}
	operand := operands[strings.LastIndex(operands, " ")+1:]
	distance, relative := strings.CutPrefix(operand, "$")
	to, err := strconv.Atoi(distance)
	switch {
	case err != nil:
		return -1
	case relative:
		return in.offset + to
	}
	return to
}

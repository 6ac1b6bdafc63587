package asm

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// neonLoop is an inner loop of an arm64 kernel whose instructions are counted: of those in the function that have the instruction
// with and not the one without, the one that multiplies most.
type neonLoop struct {
	name, function string
	with, without  string
	macs           map[string]int // of the instructions that multiply
	epilogue       bool           // the loop makes outputs too, which are counted apart
	most           float64        // instructions per multiply-accumulate, without the epilogue
}

var (
	macsByPairs = map[string]int{"SMULL": 8, "SMULL2": 8, "SMLAL2": 8}
	macsByDots  = map[string]int{"SDOT": 16}
)

var neonLoops = []neonLoop{
	{name: "`igemm_f32` neon", function: "igemmF32NEON", with: "FMLA", macs: map[string]int{"FMLA": 4}, most: 0.295},
	{name: "`igemm_u8s8` neon", function: "igemmU8S8NEON", with: "SMLAL2", macs: macsByPairs, most: 0.215},
	{name: "`igemm_u8s8` neon, where weights of -128 meet", function: "igemmU8S8NEON", with: "SMULL2", macs: macsByPairs, most: 0.275},
	{name: "`winograd*_u8s8` neon", function: "winogradMultiplyS16NEON", with: "SMLAL2", macs: map[string]int{"SMLAL": 4, "SMLAL2": 4}, most: 0.285},
	{name: "`igemm_u8s8` dotprod", function: "igemmU8S8DotProd", with: "SDOT", macs: macsByDots, most: 0.078},
	{name: "`igemm_u8s8` i8mm", function: "igemmU8S8I8MM", with: "USMMLA", macs: map[string]int{"USMMLA": 32}, most: 0.041},
	{name: "`dwconv_u8s8` 3x3 neon", function: "dwconv3x3U8S8NEON", with: "SMULL2", macs: macsByPairs, epilogue: true, most: 0.40},
	// A fourth of a dot product is wasted on a window of three, so that the dot products alone take 0.083.
	{name: "`dwconv_u8s8` 3x3 dotprod", function: "dwconv3x3U8S8DotProd", with: "SDOT", macs: map[string]int{"SDOT": 12}, epilogue: true, most: 0.225},
}

// TestNEONLoops counts the instructions of inner loops as the assembler emits them, holds them to what they may be at most and
// compares them with docs/kernels.md.
func TestNEONLoops(t *testing.T) {
	functions := map[string]listedFunction{}
	for _, f := range listFunctions(t, "arm64") {
		functions[f.name[strings.LastIndex(f.name, ".")+1:]] = f
	}
	var b strings.Builder
	b.WriteString("| inner loop | instructions | multiply-accumulates | instructions each | with the epilogue |\n|---|---|---|---|---|\n")
	for _, k := range neonLoops {
		f, ok := functions[k.function]
		if !ok {
			t.Fatalf("%s is not in the listing", k.function)
		}
		count, epilogue, macs := k.count(f.code)
		if macs == 0 {
			t.Errorf("%s: no loop with %s", k.name, k.with)
			continue
		}
		each, whole := float64(count-epilogue)/float64(macs), ""
		if each > k.most {
			t.Errorf("%s: %d instructions for %d multiply-accumulates are %.4f, at most %.4f were wanted", k.name, count-epilogue, macs, each, k.most)
		}
		if k.epilogue {
			whole = fmt.Sprintf("%.3f", float64(count)/float64(macs))
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %.4f | %s |\n", k.name, count-epilogue, macs, each, whole)
	}
	comparePage(t, "neon loops", b.String())
}

// count returns the instructions of the loop, those of its epilogue among them, and its multiply-accumulates.
func (k *neonLoop) count(code []byte) (count, epilogue, macs int) {
	names, targets := decodeAll(code)
	for end, target := range targets {
		if target < 0 || target > end || k.hasLoop(targets, target, end) {
			continue
		}
		n, with, without, finish := 0, false, false, 0
		finishing := false
		for i := target; i <= end; i++ {
			n += k.macs[names[i]]
			with, without = with || names[i] == k.with, without || names[i] == k.without
			switch {
			case k.epilogue && names[i] == "SCVTF" && !finishing:
				finishing, finish = true, finish+1 // with the multipliers that are loaded before it
			case names[i] == "SUBS":
				finishing = false
			}
			if finishing {
				finish++
			}
		}
		if with && !without && n > macs {
			count, epilogue, macs = end-target+1, finish, n
		}
	}
	return count, epilogue, macs
}

// hasLoop reports whether a loop lies within the one from target to end.
func (*neonLoop) hasLoop(targets []int, target, end int) bool {
	for i := target; i < end; i++ {
		if targets[i] >= target && targets[i] <= i {
			return true
		}
	}
	return false
}

// decodeAll returns the name of each instruction and which one it may jump to, -1 for none.
func decodeAll(code []byte) (names []string, targets []int) {
	for i := 0; i+4 <= len(code); i += 4 {
		word := binary.LittleEndian.Uint32(code[i:])
		name, _, _ := strings.Cut(decodeARM64(word), " ")
		target := -1
		if in, err := arm64asm.Decode(code[i : i+4]); err == nil {
			for _, arg := range in.Args {
				if to, ok := arg.(arm64asm.PCRel); ok && in.Op != arm64asm.ADRP && in.Op != arm64asm.ADR {
					target = (i + int(to)) / 4
				}
			}
		}
		names, targets = append(names, name), append(targets, target)
	}
	return names, targets
}

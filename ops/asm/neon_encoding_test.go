package asm

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

//go:embed neon_arm64.h
var neonSource string

var (
	neonMacro    = regexp.MustCompile(`^#define (\w+)\(([^)]+)\)\s+WORD \$(\S+)\s+// (.+)$`)
	neonHex      = regexp.MustCompile(`#0x[0-9a-f]+`)
	neonOperand  = regexp.MustCompile(`\b[a-z]\b`)
	neonArgument = regexp.MustCompile(`([VSQX])([dnm])\b|\[i\]|#s\b|#16\*i\b`)
)

// TestNEONEncoding decodes what each macro emits for random operands and compares it with the comment beside it.
func TestNEONEncoding(t *testing.T) {
	if quick() {
		t.Skip("no CPU that kernels run on changes what macros emit")
	}
	r := newRand(1)
	tested := 0
	for line := range strings.Lines(neonSource) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "#define") {
			continue
		}
		m := neonMacro.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("not a macro of one word with its syntax beside it: %s", line)
			continue
		}
		tested++
		limits := neonLimits(m[4])
		for range 64 {
			operands := map[string]int{}
			for name := range strings.SplitSeq(m[2], ", ") {
				limit, ok := limits[name]
				if !ok {
					t.Fatalf("%s: operand %q does not occur in %q", m[1], name, m[4])
				}
				operands[name] = limit[0] + r.IntN(limit[1]-limit[0]+1)
			}
			got := decodeARM64(evalMacro(t, m[3], operands))
			if want := strings.Replace(neonSyntax(m[4], operands), "#0.0", "#0", 1); got != want { // as the decoder has it
				t.Errorf("%s(%v) is %q, want %q", m[1], operands, got, want)
				break
			}
		}
	}
	if tested < 100 {
		t.Errorf("%d macros were found", tested)
	}
}

// neonLimits returns the least and the greatest value of each operand in an instruction's syntax.
func neonLimits(syntax string) map[string][2]int {
	limits := map[string][2]int{}
	for _, m := range neonArgument.FindAllStringSubmatch(syntax, -1) {
		switch {
		case m[1] == "X": // 31 is no register of these
			limits[m[2]] = [2]int{0, 30}
		case m[2] != "":
			limits[m[2]] = [2]int{0, 31}
		case m[0] == "#16*i": // an offset, of which the decoder leaves out 0
			limits["i"] = [2]int{1, 4095}
		case m[0] == "[i]":
			limits["i"] = [2]int{0, 3}
			if strings.Contains(syntax, ".H[i]") {
				limits["i"], limits["m"] = [2]int{0, 7}, [2]int{0, 15}
			}
		default: // a shift by up to the width of the result's lanes
			limits["s"] = [2]int{1, 32}
			if strings.Contains(syntax, "Vd.8H, Vn.8H") || strings.Contains(syntax, "SHRN") {
				limits["s"] = [2]int{1, 16}
			}
			if strings.HasPrefix(syntax, "SHL ") { // to the left, by less than that
				limits["s"] = [2]int{0, limits["s"][1] - 1}
			}
		}
	}
	return limits
}

// evalMacro returns the value of a macro's expression with values in place of its operands.
func evalMacro(t *testing.T, expr string, operands map[string]int) uint32 {
	t.Helper()
	expr = neonOperand.ReplaceAllStringFunc(expr, func(name string) string { return strconv.Itoa(operands[name]) })
	v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, expr)
	if err != nil {
		t.Fatal(err)
	}
	n, ok := constant.Uint64Val(constant.ToInt(v.Value))
	if !ok || n > 1<<32-1 {
		t.Fatalf("%s is %v", expr, v.Value)
	}
	return uint32(n)
}

// neonSyntax puts values in place of the operands of an instruction's syntax.
func neonSyntax(syntax string, operands map[string]int) string {
	return neonArgument.ReplaceAllStringFunc(syntax, func(arg string) string {
		switch arg {
		case "[i]":
			return fmt.Sprintf("[%d]", operands["i"])
		case "#s":
			return fmt.Sprintf("#%d", operands["s"])
		case "#16*i":
			return fmt.Sprintf("#%d", 16*operands["i"])
		}
		return fmt.Sprintf("%c%d", arg[0], operands[arg[1:]])
	})
}

// decodeARM64 decodes one instruction in Arm's syntax, "" what it does not know.
func decodeARM64(word uint32) string {
	if s := decodeByteProducts(word); s != "" {
		return s
	}
	in, err := arm64asm.Decode(binary.LittleEndian.AppendUint32(nil, word))
	if err != nil {
		return ""
	}
	// The decoder writes constants in hexadecimal.
	return neonHex.ReplaceAllStringFunc(in.String(), func(s string) string {
		n, _ := strconv.ParseUint(s[3:], 16, 64)
		return fmt.Sprintf("#%d", n)
	})
}

// byteProducts lists the dot products and matrix products of bytes, which the decoder does not know: bits that tell the
// instruction, its name and whether its last operand is an element.
var byteProducts = []struct {
	mask, bits uint32
	name       string
	element    bool
	tier       Tier
}{
	{0xFFE0FC00, 0x4E809400, "SDOT", false, DotProd},
	{0xFFE0FC00, 0x6E809400, "UDOT", false, DotProd},
	{0xFFC0F400, 0x4F80E000, "SDOT", true, DotProd},
	{0xFFC0F400, 0x6F80E000, "UDOT", true, DotProd},
	{0xFFE0FC00, 0x4E809C00, "USDOT", false, I8MM},
	{0xFFC0F400, 0x4F80F000, "USDOT", true, I8MM},
	{0xFFC0F400, 0x4F00F000, "SUDOT", true, I8MM},
	{0xFFE0FC00, 0x4E80A400, "SMMLA", false, I8MM},
	{0xFFE0FC00, 0x6E80A400, "UMMLA", false, I8MM},
	{0xFFE0FC00, 0x4E80AC00, "USMMLA", false, I8MM},
}

func decodeByteProducts(word uint32) string {
	for _, p := range byteProducts {
		if word&p.mask != p.bits {
			continue
		}
		last := "16B"
		if p.element {
			last = fmt.Sprintf("4B[%d]", word>>21&1|word>>11&1<<1)
		}
		return fmt.Sprintf("%s V%d.4S, V%d.16B, V%d.%s", p.name, word&31, word>>5&31, word>>16&31, last)
	}
	return ""
}

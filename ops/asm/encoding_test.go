package asm

import (
	_ "embed"
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

//go:embed vex_amd64.h
var vexSource string

// TestVEXEncoding decodes what the macros for VPDPBUSD and VPDPWSSD emit, for all registers.
func TestVEXEncoding(t *testing.T) {
	if quick() {
		t.Skip("no CPU that kernels run on changes what macros emit")
	}
	for name, op := range map[string]string{"VPDPBUSD": "0x50", "VPDPWSSD": "0x52"} {
		if !strings.Contains(vexSource, fmt.Sprintf("#define %s_VEX(b, a, c) VEX_DOT(%s, b, a, c)\n", name, op)) {
			t.Fatalf("the macro for %s is not found", name)
		}
		testVEXEncoding(t, name, op)
	}
}

func testVEXEncoding(t *testing.T, name, op string) {
	_, body, found := strings.Cut(vexSource, "#define VEX_DOT(op, b, a, c)")
	if !found {
		t.Fatal("macro not found")
	}
	body, _, _ = strings.Cut(body, "\n\n")
	exprs := regexp.MustCompile(`BYTE \$([^;\n]+)`).FindAllStringSubmatch(body, -1)
	if len(exprs) != 5 {
		t.Fatalf("macro has %d bytes, want 5", len(exprs))
	}
	for a := range 16 {
		for b := range 16 {
			for c := range 16 {
				names := strings.NewReplacer("(1-(c", "(1-("+strconv.Itoa(c), "(1-(b", "(1-("+strconv.Itoa(b),
					"15-a", "15-"+strconv.Itoa(a), "op", op, "(c&7)", "("+strconv.Itoa(c)+"&7)", "(b&7)", "("+strconv.Itoa(b)+"&7)")
				var code [5]byte
				for i, e := range exprs {
					v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, names.Replace(e[1]))
					if err != nil {
						t.Fatal(err)
					}
					n, ok := constant.Uint64Val(constant.ToInt(v.Value))
					if !ok || n > 255 {
						t.Fatalf("byte %d is %v", i, v.Value)
					}
					code[i] = byte(n)
				}
				want := fmt.Sprintf("%s Y%d, Y%d, Y%d", name, b, a, c)
				if got := decodeVEX(code); got != want {
					t.Fatalf("% x is %s, want %s", code, got, want)
				}
			}
		}
	}
}

// decodeVEX decodes VEX.256.66.0F38.W0 50 /r and 52 /r with register operands, in the order
// of Go's assembler.
func decodeVEX(code [5]byte) string {
	high := func(bit byte) int { return int(code[1]>>bit&1^1) << 3 } // stored inverted
	names := map[byte]string{0x50: "VPDPBUSD", 0x52: "VPDPWSSD"}
	switch {
	case code[0] != 0xC4 || code[1]&0x1F != 2 || code[1]>>6&1 != 1:
		return "not VEX.0F38 without index"
	case code[2]&0x87 != 0x05:
		return "not VEX.256.66.W0"
	case names[code[3]] == "" || code[4]>>6 != 3:
		return "neither VPDPBUSD nor VPDPWSSD of registers"
	}
	reg := int(code[4]>>3&7) + high(7)
	rm := int(code[4]&7) + high(5)
	vvvv := int(code[2]>>3&15) ^ 15
	return fmt.Sprintf("%s Y%d, Y%d, Y%d", names[code[3]], rm, vvvv, reg)
}

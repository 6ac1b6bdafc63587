package asm

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
)

// cutInstructions gives each instruction its bytes. Instructions made of BYTE
// directives have 5, as TestVEXEncoding checks.
func cutInstructions(t *testing.T, f *listedFunction) []listedInstruction {
	t.Helper()
	var out []listedInstruction
	rawEnd := 0
	for i, in := range f.instructions {
		end := len(f.code)
		if i+1 < len(f.instructions) {
			end = f.instructions[i+1].offset
		}
		name, _, _ := strings.Cut(in.text, " ")
		switch {
		case end == in.offset || slices.Contains([]string{"PCALIGN", "NOP"}, name):
			continue
		case name == "BYTE":
			if in.offset < rawEnd {
				continue
			}
			rawEnd = in.offset + 5
			end = rawEnd
		}
		if end > len(f.code) {
			t.Fatalf("%s at %#x: %s ends behind the function", f.name, in.offset, in.text)
		}
		in.code = f.code[in.offset:end]
		out = append(out, in)
	}
	return out
}

var errNotPromised = errors.New("no tier promises it")

// tierOfInstruction returns the weakest tier that promises an instruction, by its encoding: VEX is AVX2 but for
// what is listed, EVEX is AVX-512 F, BW, DQ and VL but for what is listed.
func tierOfInstruction(code []byte) (Tier, error) {
	switch {
	case code[0] == 0x62 && len(code) >= 6:
		return tierOfEVEX(code[1]&7, code[4], code[2]&3, code[2]>>7)
	case code[0] == 0xC5 && len(code) >= 3:
		return tierOfVEX(1, code[2])
	case code[0] == 0xC4 && len(code) >= 4:
		return tierOfVEX(code[1]&31, code[3])
	}
	// Neither: x86-64 as Go requires it. What came later has the prefixes F3 and 66 or the maps 0F38 and 0F3A.
	var repeat bool
	for len(code) > 0 && (slices.Contains([]byte{0x66, 0xF2, 0xF3}, code[0]) || code[0]&0xF0 == 0x40) {
		repeat = repeat || code[0] == 0xF3
		code = code[1:]
	}
	if len(code) >= 2 && code[0] == 0x0F {
		late := code[1] == 0x38 || code[1] == 0x3A || repeat && slices.Contains([]byte{0xB8, 0xBC, 0xBD}, code[1])
		if late {
			return Generic, errNotPromised
		}
	}
	return Generic, nil
}

// tierOfVEX takes the opcode map and the opcode.
func tierOfVEX(opcodeMap, op byte) (Tier, error) {
	in := func(ranges ...byte) bool {
		for i := 0; i < len(ranges); i += 2 {
			if ranges[i] <= op && op <= ranges[i+1] {
				return true
			}
		}
		return false
	}
	switch opcodeMap {
	case 1:
		if in(0x41, 0x4B, 0x90, 0x93, 0x98, 0x99) { // masks
			return AVX512, nil
		}
		return AVX2, nil
	case 2:
		switch {
		case in(0x50, 0x53):
			return AVXVNNI, nil
		case in(0xF2, 0xF3, 0xF5, 0xF7): // BMI1, BMI2
			return AVX512, nil
		case in(0x00, 0x0F, 0x16, 0x1A, 0x1C, 0x1E, 0x20, 0x25, 0x28, 0x41, 0x45, 0x47, 0x58, 0x5A, 0x78, 0x79, 0x8C, 0x8C, 0x8E, 0x8E),
			in(0x90, 0x93, 0x96, 0x9F, 0xA6, 0xAF, 0xB6, 0xBF):
			return AVX2, nil
		}
	case 3:
		switch {
		case in(0x30, 0x33): // masks
			return AVX512, nil
		case in(0x00, 0x02, 0x04, 0x06, 0x08, 0x0F, 0x14, 0x19, 0x20, 0x22, 0x38, 0x39, 0x40, 0x42, 0x46, 0x46, 0x4A, 0x4C, 0x60, 0x63):
			return AVX2, nil
		}
	}
	return Generic, errNotPromised
}

// tierOfEVEX takes the opcode map, the opcode, the implied prefix (1: 66, 2: F3, 3: F2) and W.
func tierOfEVEX(opcodeMap, op, prefix, w byte) (Tier, error) {
	switch opcodeMap {
	case 1:
		return AVX512, nil
	case 2:
		switch {
		case 0x50 <= op && op <= 0x53 && prefix == 1: // VPDPBUSD and its kind
			return AVX512VNNI, nil
		case bytes.IndexByte([]byte{0x52, 0x53, 0x72}, op) >= 0, // BF16, 4FMAPS
			bytes.IndexByte([]byte{0x54, 0x55, 0x8F}, op) >= 0,                       // VPOPCNTDQ, BITALG
			bytes.IndexByte([]byte{0x62, 0x63, 0x70, 0x71, 0x73}, op) >= 0,           // VBMI2
			bytes.IndexByte([]byte{0x75, 0x7D, 0x8D}, op) >= 0 && w == 0, op == 0x83, // VBMI
			bytes.IndexByte([]byte{0xB4, 0xB5}, op) >= 0,                             // IFMA
			bytes.IndexByte([]byte{0x44, 0xC4}, op) >= 0,                             // CD
			op == 0x2A && prefix == 2 && w == 1, op == 0x3A && prefix == 2 && w == 0, // CD
			bytes.IndexByte([]byte{0xC6, 0xC7, 0xC8, 0xCA, 0xCB, 0xCC, 0xCD}, op) >= 0, // PF, ER
			bytes.IndexByte([]byte{0x68, 0xCF, 0xDC, 0xDD, 0xDE, 0xDF}, op) >= 0:       // VP2INTERSECT, GFNI, VAES
			return Generic, errNotPromised
		}
		return AVX512, nil
	case 3:
		if bytes.IndexByte([]byte{0x44, 0x70, 0x71, 0x72, 0x73, 0xC2, 0xCE, 0xCF}, op) >= 0 || prefix == 0 { // VPCLMULQDQ, VBMI2, GFNI, FP16
			return Generic, errNotPromised
		}
		return AVX512, nil
	}
	return Generic, errNotPromised // FP16
}

// TestTierOfInstruction checks the classification with instructions as the assembler encodes them.
func TestTierOfInstruction(t *testing.T) {
	for _, tc := range []struct {
		name, code string
		tier       Tier
		err        error
	}{
		{"MOVQ (DI), SI", "488b37", Generic, nil},
		{"POPCNTQ AX, AX", "f3480fb8c0", Generic, errNotPromised},
		{"PSHUFB X1, X0", "660f3800c1", Generic, errNotPromised},
		{"VADDPS Y1, Y0, Y0", "c5fc58c1", AVX2, nil},
		{"VPBROADCASTD (AX), Y8", "c4627d5800", AVX2, nil},
		{"VFMADD231PS Y1, Y2, Y3", "c4e26db8d9", AVX2, nil},
		{"VCVTPH2PS X1, Y0", "c4e27d13c1", Generic, errNotPromised},
		{"BZHIQ CX, AX, AX", "c4e2f0f5c0", AVX512, nil},
		{"KMOVQ AX, K1", "c4e1fb92c8", AVX512, nil},
		{"{vex} VPDPBUSD Y12, Y14, Y0", "c4c20d50c4", AVXVNNI, nil},
		{"VPDPBUSD Z24, Z28, Z0", "6292 1d40 50c0", AVX512VNNI, nil},
		{"VPADDD Z30, Z0, Z0", "6291 7d48 fec6", AVX512, nil},
		{"VPADDD Y16, Y0, Y0", "62b1 7d28 fec0", AVX512, nil},
		{"VPERMI2W Z5, Z4, Z1", "62f2 dd48 75cd", AVX512, nil},
		{"VPERMI2B Z5, Z4, Z1", "62f2 5d48 75cd", Generic, errNotPromised},
		{"VPMADD52LUQ Z5, Z4, Z1", "62f2 dd48 b4cd", Generic, errNotPromised},
		{"VADDPH Z1, Z0, Z0", "62f5 7c48 58c1", Generic, errNotPromised},
	} {
		code, err := hex.DecodeString(strings.ReplaceAll(tc.code, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if tier, err := tierOfInstruction(code); tier != tc.tier || !errors.Is(err, tc.err) {
			t.Errorf("%s: tier %s, error %v; want %s, %v", tc.name, tier, err, tc.tier, tc.err)
		}
	}
}

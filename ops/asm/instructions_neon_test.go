package asm

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// cutWords gives each word of a function's code the text of its instruction. The function ends with words of 0.
func cutWords(t *testing.T, f *listedFunction) []listedInstruction {
	t.Helper()
	texts := map[int]string{}
	end := 0
	for _, in := range f.instructions {
		if texts[in.offset] = in.text; !strings.HasPrefix(in.text, "PCDATA") {
			end = max(end, in.offset+4)
		}
	}
	var out []listedInstruction
	for offset := 0; offset+4 <= len(f.code); offset += 4 {
		code := f.code[offset : offset+4]
		if offset >= end && binary.LittleEndian.Uint32(code) == 0 {
			continue
		}
		out = append(out, listedInstruction{offset, texts[offset], code})
	}
	return out
}

var errUnknown = errors.New("the decoder does not know it")

// tierOfWord returns the weakest tier that promises an instruction: what the decoder knows is ARMv8.0, but for the extensions
// that it knows too, and products of bytes are dotprod or i8mm.
func tierOfWord(code []byte) (Tier, error) {
	word := binary.LittleEndian.Uint32(code)
	for _, p := range byteProducts {
		if word&p.mask == p.bits {
			return p.tier, nil
		}
	}
	in, err := arm64asm.Decode(code)
	if err != nil {
		return Generic, errUnknown
	}
	name := in.Op.String()
	for _, prefix := range []string{"AES", "SHA1", "SHA256", "SHA512", "PMULL", "CRC32"} {
		if strings.HasPrefix(name, prefix) {
			return Generic, errNotPromised
		}
	}
	return NEON, nil
}

// TestTierOfWord checks the classification with instructions as Arm's tools encode them.
func TestTierOfWord(t *testing.T) {
	for _, tc := range []struct {
		name string
		word uint32
		tier Tier
		err  error
	}{
		{"add x0, x1, x2", 0x8B020020, NEON, nil},
		{"fmla v0.4s, v1.4s, v2.s[3]", 0x4FA21820, NEON, nil},
		{"smull v0.8h, v1.8b, v2.8b", 0x0E22C020, NEON, nil},
		{"sdot v0.4s, v1.16b, v2.4b[3]", 0x4FA2E820, DotProd, nil},
		{"udot v0.4s, v1.16b, v2.16b", 0x6E829420, DotProd, nil},
		{"usmmla v0.4s, v1.16b, v2.16b", 0x4E82AC20, I8MM, nil},
		{"sudot v0.4s, v1.16b, v2.4b[0]", 0x0F02F020 | 1<<30, I8MM, nil},
		{"aese v0.16b, v1.16b", 0x4E284820, Generic, errNotPromised},
		{"pmull v0.1q, v1.1d, v2.1d", 0x0EE2E020, Generic, errNotPromised},
		{"crc32b w0, w1, w2", 0x1AC24020, Generic, errNotPromised},
		{"ldadd w0, w1, [x2]", 0xB8200041, Generic, errUnknown},
		{"cas w0, w1, [x2]", 0x88A07C41, Generic, errUnknown},
		{"fmla v0.8h, v1.8h, v2.8h", 0x4E420C20, Generic, errUnknown},
		{"bfdot v0.4s, v1.8h, v2.8h", 0x6E42FC20, Generic, errUnknown},
		{"ptrue p0.b", 0x2518E3E0, Generic, errUnknown},
	} {
		tier, err := tierOfWord(binary.LittleEndian.AppendUint32(nil, tc.word))
		if tier != tc.tier || !errors.Is(err, tc.err) {
			t.Errorf("%s: tier %s, error %v; want %s, %v", tc.name, tier, err, tc.tier, tc.err)
		}
	}
}

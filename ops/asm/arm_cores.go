package asm

import (
	"fmt"
	"strconv"
	"strings"
)

// armPart identifies a kind of core: the implementer and the part number of its main ID register, MIDR_EL1.
type armPart struct{ implementer, part int }

// armParts names cores as Arm's, Apple's and NVIDIA's manuals and Linux (arch/arm64/include/asm/cputype.h) do.
var armParts = map[armPart]string{
	{0x41, 0xD02}: "Cortex-A34",
	{0x41, 0xD03}: "Cortex-A53",
	{0x41, 0xD04}: "Cortex-A35",
	{0x41, 0xD05}: "Cortex-A55",
	{0x41, 0xD07}: "Cortex-A57",
	{0x41, 0xD08}: "Cortex-A72",
	{0x41, 0xD09}: "Cortex-A73",
	{0x41, 0xD0A}: "Cortex-A75",
	{0x41, 0xD0B}: "Cortex-A76",
	{0x41, 0xD0C}: "Neoverse-N1",
	{0x41, 0xD0D}: "Cortex-A77",
	{0x41, 0xD0E}: "Cortex-A76AE",
	{0x41, 0xD40}: "Neoverse-V1",
	{0x41, 0xD41}: "Cortex-A78",
	{0x41, 0xD42}: "Cortex-A78AE",
	{0x41, 0xD44}: "Cortex-X1",
	{0x41, 0xD46}: "Cortex-A510",
	{0x41, 0xD47}: "Cortex-A710",
	{0x41, 0xD48}: "Cortex-X2",
	{0x41, 0xD49}: "Neoverse-N2",
	{0x41, 0xD4B}: "Cortex-A78C",
	{0x41, 0xD4C}: "Cortex-X1C",
	{0x41, 0xD4D}: "Cortex-A715",
	{0x41, 0xD4E}: "Cortex-X3",
	{0x41, 0xD4F}: "Neoverse-V2",
	{0x41, 0xD80}: "Cortex-A520",
	{0x41, 0xD81}: "Cortex-A720",
	{0x41, 0xD82}: "Cortex-X4",
	{0x41, 0xD84}: "Neoverse-V3",
	{0x41, 0xD85}: "Cortex-X925",
	{0x41, 0xD87}: "Cortex-A725",
	{0x41, 0xD8E}: "Neoverse-N3",
	{0x4E, 0x003}: "Denver 2",
	{0x4E, 0x004}: "Carmel",
	{0x61, 0x022}: "Apple M1 Icestorm",
	{0x61, 0x023}: "Apple M1 Firestorm",
	{0x61, 0x032}: "Apple M2 Blizzard",
	{0x61, 0x033}: "Apple M2 Avalanche",
}

// armCore names one kind of core.
func armCore(implementer, part int) string {
	if name := armParts[armPart{implementer, part}]; name != "" {
		return name
	}
	return fmt.Sprintf("implementer %#x part %#x", implementer, part)
}

// armCores names the cores in the text of Linux's /proc/cpuinfo, how many there are of each kind where there are several kinds.
func armCores(cpuinfo string) string {
	var kinds []string
	count := map[string]int{}
	implementer := -1
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		n, err := strconv.ParseInt(strings.TrimSpace(value), 0, 32)
		if err != nil {
			continue
		}
		switch strings.TrimSpace(key) {
		case "CPU implementer":
			implementer = int(n)
		case "CPU part":
			name := armCore(implementer, int(n))
			if count[name] == 0 {
				kinds = append(kinds, name)
			}
			count[name]++
		}
	}
	if len(kinds) > 1 {
		for i, name := range kinds {
			kinds[i] = fmt.Sprintf("%d %s", count[name], name)
		}
	}
	return strings.Join(kinds, ", ")
}

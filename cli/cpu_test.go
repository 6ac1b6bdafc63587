package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops/asm"
)

// TestCPUCheck checks this CPU's kernels, in a document and for people, and those of a tier.
func TestCPUCheck(t *testing.T) {
	var doc cpuResult
	out, _ := octet(t, exitOK, "cpu", "--check", "--json")
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, k := range doc.Checks {
		seen[k.Tier] = true
	}
	for _, k := range asm.Kernels() {
		has := false
		for _, tier := range asm.Supported() {
			has = has || tier == k.Tier
		}
		if want := has && k.Tier != asm.Generic; seen[k.Tier.String()] != want && k.Op == "igemm_u8s8" {
			t.Errorf("tier %v was checked: %v", k.Tier, !want)
		}
	}
	text, _ := octet(t, exitOK, "cpu", "--check", "--cpu", "generic")
	if !strings.Contains(text, "no kernels but those of plain Go") || !strings.Contains(text, doc.CPU.OS+"/"+doc.CPU.Arch) {
		t.Errorf("plain Go only: %s", text)
	}
}

func TestNumbers(t *testing.T) {
	for want, list := range map[string][]int{"": nil, "3": {3}, "4-7": {4, 5, 6, 7}, "0,2-3,9": {0, 2, 3, 9}} {
		if got := numbers(list); got != want {
			t.Errorf("%v: %q, not %q", list, got, want)
		}
	}
}

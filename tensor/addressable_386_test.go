package tensor

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestAddressable refuses tensors of 16 bytes an element that fewer elements than Shape.Numel allows make larger than what 32 bits address.
func TestAddressable(t *testing.T) {
	for _, n := range []int{1 << 27, 1<<27 + 5, maxNumel} {
		if x, err := New(Complex128, n); err == nil || !strings.Contains(err.Error(), "can be addressed") {
			t.Errorf("%d elements: %v, %v", n, x, err)
		}
	}
	header := append([]byte("\x93NUMPY\x01\x00\x76\x00"), []byte("{'descr': '<c16', 'fortran_order': False, 'shape': (134217733,), }")...)
	header = append(header, bytes.Repeat([]byte(" "), 128-len(header)-1)...)
	_, err := ReadNPY(bytes.NewReader(append(header, '\n')), 1<<40)
	if be, ok := errors.AsType[*BudgetError](err); !ok || be.Need != 134217733*16 {
		t.Errorf("an array of 2 GB and 80 bytes: %v", err)
	}
}

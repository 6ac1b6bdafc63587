package tensor

import (
	"errors"
	"slices"
	"testing"
)

// TestStorage gives the memory of a tensor back and reads it again, by way of views too.
func TestStorage(t *testing.T) {
	filled := 0
	s := NewStorage(24, func(dst []byte) error {
		filled++
		for i := range dst {
			dst[i] = byte(i)
		}
		return nil
	})
	x, err := s.View(Uint8, 0, []int{4, 6}, []int{6, 1})
	if err != nil {
		t.Fatal(err)
	}
	turned, err := x.Permute(1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if filled != 0 || !x.IsBound() || x.Evict() != 0 {
		t.Fatalf("filled %d times before it was read", filled)
	}
	for want := 1; want <= 2; want++ {
		if got := x.Uint8s()[23]; got != 23 || turned.Contiguous().Uint8s()[1] != 6 || filled != want {
			t.Errorf("reads %d and %d, filled %d times", got, turned.Contiguous().Uint8s()[1], filled)
		}
		kept := x.Uint8s()
		if n := turned.Evict(); n != 24 || kept[23] != 23 {
			t.Errorf("gave %d bytes back", n)
		}
	}
	if err := x.Pin(); err != nil || x.Evict() != 0 || filled != 3 {
		t.Errorf("pinned: %v, filled %d times", err, filled)
	}
	if x.ViewID() != x.WithQParams(nil).ViewID() || x.ViewID() == must(NewStorage(24, nil).View(Uint8, 0, []int{4, 6}, []int{6, 1})).ViewID() {
		t.Error("ViewID does not tell storages apart")
	}
	if _, err := s.View(Uint8, 1, []int{4, 6}, []int{6, 1}); err == nil {
		t.Error("a view reaches outside its storage")
	}
}

// TestStorageError reads zeros where filling fails, and says so from then on.
func TestStorageError(t *testing.T) {
	broken := errors.New("broken")
	x := must(NewStorage(1<<17, func(dst []byte) error { dst[0] = 1; return broken }).View(Float16, 0, []int{1 << 16}, []int{1}))
	if err := x.Err(); err != nil {
		t.Error("an error before it was read:", err)
	}
	wide := must(x.To(Float32))
	if err := wide.Load(); err != broken || wide.Float32s()[0] != 0 {
		t.Errorf("converted: %v, %v", err, wide.Float32s()[0])
	}
	if x.Evict(); x.Load() != broken || x.Pin() != broken || x.Bytes()[0] != 0 {
		t.Errorf("%v, %v", x.Load(), x.Bytes()[0])
	}
}

// TestStorageConverted converts again what was given back.
func TestStorageConverted(t *testing.T) {
	filled := 0
	x := must(NewStorage(1<<17, func(dst []byte) error { filled++; dst[3] = 0x3c; return nil }).View(Float16, 0, []int{1 << 16}, []int{1}))
	wide := must(x.To(Float32))
	want := make([]float32, 1<<16)
	want[1] = 1
	for range 2 {
		if !slices.Equal(wide.Float32s(), want) {
			t.Error("wrong values")
		}
		if wide.Evict() != 1<<18 || x.Evict() != 0 {
			t.Error("both are in memory")
		}
	}
	if filled != 2 {
		t.Errorf("read %d times", filled)
	}
}

// TestPrivate reads a tensor anew into memory of the caller's own, which may be written to.
func TestPrivate(t *testing.T) {
	reads := 0
	s := NewStorage(8, func(dst []byte) error {
		reads++
		copy(dst, "12345678")
		return nil
	})
	all, err := s.View(Uint8, 0, []int{2, 4}, []int{4, 1})
	if err != nil {
		t.Fatal(err)
	}
	own, err := all.Private()
	if err != nil || own == nil || !own.Shape().Equal(Shape{2, 4}) || string(own.Bytes()) != "12345678" {
		t.Fatalf("%v, %v", own, err)
	}
	own.Bytes()[0] = 'x'
	if string(all.Bytes()) != "12345678" || reads != 2 {
		t.Errorf("%s after %d reads", all.Bytes(), reads)
	}
	half, err := all.Slice(0, 0, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	turned, err := all.Permute(1, 0)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := New(Uint8, 2, 4)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []*Tensor{half, turned, plain} {
		if own, err := other.Private(); own != nil || err != nil {
			t.Errorf("%v: %v, %v", other, own, err)
		}
	}
	cut := errors.New("cut")
	failing, err := NewStorage(8, func([]byte) error { return cut }).View(Uint8, 0, []int{8}, []int{1})
	if err != nil {
		t.Fatal(err)
	}
	if own, err := failing.Private(); own != nil || !errors.Is(err, cut) {
		t.Errorf("%v, %v", own, err)
	}
}

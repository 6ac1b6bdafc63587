package ops_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
)

// TestWinogradTiles checks that tiles write every output pixel once, and read the pixels that lie under its window.
func TestWinogradTiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	for range 200 {
		w := randomWinogradWindow(rng)
		for _, size := range []int{2, 4} {
			t.Run(fmt.Sprintf("%+v/F%d", w, size), func(t *testing.T) { checkWinogradTiles(t, w, size) })
		}
	}
}

// randomWinogradWindow returns a window with three taps along one dimension or two.
func randomWinogradWindow(rng *rand.Rand) *ops.Window {
	for {
		p := ops.WindowParams{Stride: []int{1, 1, 1}}
		spatial := []int{}
		for range 3 {
			p.Kernel = append(p.Kernel, 1+2*rng.IntN(2))
			p.Dilation = append(p.Dilation, 1+rng.IntN(5))
			p.Padding = append(p.Padding, rng.IntN(7))
			spatial = append(spatial, 1+rng.IntN(12))
		}
		if w, _ := ops.NewWindow(1+rng.IntN(2), spatial, p); w != nil && ops.WinogradDims(w) > 0 && ops.WinogradDims(w) < 3 {
			return w
		}
	}
}

func checkWinogradTiles(t *testing.T, w *ops.Window, size int) {
	tiles := ops.NewWinogradTiles(w, size)
	along := func(taps int) (in, out int) { return taps + size - 1, size }
	reads, writes, at := 1, 1, [3]int{}
	var in, out [3]int
	for d, taps := range w.Kernel {
		in[d], out[d] = 1, 1
		if taps == 3 {
			in[d], out[d] = along(taps)
		}
		reads, writes = reads*in[d], writes*out[d]
	}
	images := [2][]byte{make([]byte, w.Batch*w.In[0]*w.In[1]*w.In[2]), make([]byte, w.Pixels())}
	var pad, outside byte
	inputs, outputs := make([]unsafe.Pointer, reads*tiles.Count), make([]unsafe.Pointer, writes*tiles.Count)
	tiles.Inputs(inputs, 0, unsafe.Pointer(&images[0][0]), unsafe.Pointer(&pad), 1)
	tiles.Outputs(outputs, 0, unsafe.Pointer(&images[1][0]), unsafe.Pointer(&outside), 1)
	index := func(p unsafe.Pointer, image []byte) int { return int(uintptr(p) - uintptr(unsafe.Pointer(&image[0]))) }
	seen := make([]int, len(images[1]))
	for i, p := range outputs {
		if p == unsafe.Pointer(&outside) {
			continue
		}
		pixel := index(p, images[1])
		seen[pixel]++
		at = [3]int{i % writes / (out[1] * out[2]), i % writes / out[2] % out[1], i % out[2]}
		for tap := range w.Taps() {
			k := [3]int{tap / (w.Kernel[1] * w.Kernel[2]), tap / w.Kernel[2] % w.Kernel[1], tap % w.Kernel[2]}
			read := inputs[i/writes*reads+((at[0]+k[0])*in[1]+at[1]+k[1])*in[2]+at[2]+k[2]]
			want := w.Source(pixel, tap)
			got := -1
			if read != unsafe.Pointer(&pad) {
				got = index(read, images[0]) % (w.In[0] * w.In[1] * w.In[2])
			}
			if got != want {
				t.Fatalf("tap %d of output %d is input %d, want %d", tap, pixel, got, want)
			}
		}
	}
	if slices.ContainsFunc(seen, func(n int) bool { return n != 1 }) {
		t.Errorf("outputs are written %v times", seen)
	}
}

// TestDilatedWinograd checks that dilated convolutions take Winograd's algorithm where the images of every d-th pixel are large
// enough, and not where most taps lie in the padding.
func TestDilatedWinograd(t *testing.T) {
	for _, tc := range []struct {
		size, dilation int
		want           bool
	}{{28, 1, true}, {28, 2, true}, {56, 4, true}, {14, 12, false}, {14, 36, false}} {
		c := convCase{n: 1, h: tc.size, w: tc.size, c: 64, outs: 64, kh: 3, kw: 3, stride: 1, pad: tc.dilation, dilation: tc.dilation, groups: 1}
		rng := rand.New(rand.NewPCG(3, 4))
		_, choice := runOp(t, c.op(), asm.Generic, 1, true, random(t, rng, 1, c.h, c.w, c.c), random(t, rng, c.outs, c.c, 3, 3))
		if got := strings.HasPrefix(choice, "winograd"); got != tc.want {
			t.Errorf("%d x %d with dilation %d: %s", tc.size, tc.size, tc.dilation, choice)
		}
	}
}

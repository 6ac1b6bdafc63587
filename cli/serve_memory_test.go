//go:build !noserve

package cli

import (
	"runtime"
	"sync"
	"testing"
)

// TestTrim lets goroutines take memory for their stacks and end: it is given back once nothing happens any more.
func TestTrim(t *testing.T) {
	var trimmer trimmer
	trimmer.trim()
	runtime.GC()
	before, _, _ := readMemory()
	var all, there sync.WaitGroup
	end := make(chan struct{})
	const n, size = 500, 64 << 10
	there.Add(n)
	for range n {
		all.Go(func() {
			var buffer [size]byte
			there.Done()
			<-end
			runtime.KeepAlive(buffer)
		})
	}
	there.Wait()
	during, _, _ := readMemory()
	close(end)
	all.Wait()
	if during < before+n*size/2 {
		t.Fatalf("%d bytes before, %d during: the test proves nothing", before, during)
	}
	trims := 0
	for range 4 {
		if trimmer.trim() {
			trims++
		}
	}
	if trims == 0 || trims == 4 {
		t.Errorf("%d trims at 4 looks", trims)
	}
	if after, _, _ := readMemory(); after > before+n*size/4 {
		t.Errorf("%d bytes are held, %d were before", after, before)
	}
}

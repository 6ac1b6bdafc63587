//go:build !noserve

package cli

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How memory that a burst of requests took is given back to the system.
const (
	trimEvery = 10 * time.Second
	trimAbove = 16 << 20 // bytes that are too much under load, too
)

// trimLoop gives memory back to the system, until ctx ends. The Go runtime keeps the stacks and buffers of connections that are gone
// until its next collection, which a server without requests does not need for minutes.
func trimLoop(ctx context.Context) {
	ticker := time.NewTicker(trimEvery)
	defer ticker.Stop()
	var t trimmer
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			t.trim()
		}
	}
}

// trimmer knows the number of collections at its last look, and whether memory was given back while nobody was in need of it.
type trimmer struct {
	seen   uint64
	rested bool
}

// trim gives memory back where nothing was collected since the last look, so that nobody is in need of it, once, or where much is not
// in use by objects. It reports whether it did.
func (t *trimmer) trim() bool {
	held, live, collections := readMemory()
	idle := collections == t.seen
	t.seen = collections
	switch {
	case idle && t.rested:
		return false
	case !idle && held <= live+trimAbove:
		t.rested = false
		return false
	}
	if idle {
		runtime.GC() // what sync.Pool keeps, such as the buffers of connections, is free after the second
	}
	debug.FreeOSMemory()
	_, _, t.seen = readMemory()
	t.rested = idle
	return true
}

// readMemory returns the bytes that the process has from the system, those of objects that were in use at the last collection, and the
// number of collections.
func readMemory() (held, live, collections uint64) {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64(), samples[2].Value.Uint64(), samples[3].Value.Uint64()
}

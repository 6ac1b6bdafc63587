//go:build !linux

package cli

import "runtime/metrics"

// systemMemory returns 0: it is not known here.
func systemMemory() int64 { return 0 }

// memoryGauge tells how much memory the process has.
type memoryGauge struct{ samples []metrics.Sample }

func openMemory() *memoryGauge {
	return &memoryGauge{[]metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}}
}

// inUse returns the bytes that Go's runtime has.
func (m *memoryGauge) inUse() int64 {
	metrics.Read(m.samples)
	return int64(m.samples[0].Value.Uint64() - m.samples[1].Value.Uint64())
}

func (m *memoryGauge) close() {}

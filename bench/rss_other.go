//go:build !linux

package bench

// peakRSS returns 0: the peak is not known on this system.
func peakRSS() int64 { return 0 }

func resetPeakRSS() {}

package cli

import (
	"os"
	"testing"
)

// Variables in the environment of processes of the test's binary.
const (
	asCommand = "OCTET_TEST_AS_COMMAND" // they are to be octet itself
	tellReady = "OCTET_TEST_TELL_READY" // they close their file 3 as soon as they handle signals
	tellPeak  = "OCTET_TEST_TELL_PEAK"  // the file to which they write what they had in memory, as /proc has it
)

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "" {
		os.Exit(m.Run())
	}
	ctx := untilInterrupted()
	if os.Getenv(tellReady) != "" {
		if err := os.NewFile(3, "ready").Close(); err != nil {
			panic(err)
		}
	}
	code := Program{}.process(ctx)
	if path := os.Getenv(tellPeak); path != "" {
		status, err := os.ReadFile("/proc/self/status") // the parent's rusage counts what the parent itself had when it started this process
		if err == nil {
			err = os.WriteFile(path, status, 0o600)
		}
		if err != nil {
			panic(err)
		}
	}
	os.Exit(code)
}

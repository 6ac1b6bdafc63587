package cli

import (
	"os"
	"testing"
)

// Variables in the environment of processes of the test's binary.
const (
	asCommand = "OCTET_TEST_AS_COMMAND" // they are to be octet itself
	tellReady = "OCTET_TEST_TELL_READY" // they close their file 3 as soon as they handle signals
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
	os.Exit(Program{}.process(ctx))
}

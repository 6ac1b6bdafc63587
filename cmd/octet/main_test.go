package main

import (
	"os"
	"testing"
)

// asCommand is set in the environment of processes of the test's binary that are to be octet itself.
const asCommand = "OCTET_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

package cli

import (
	"strings"
	"testing"

	"github.com/octet-ml/octet/loader"
)

// TestNearMatches misspells a flag, an architecture and a value, and asks for the version.
func TestNearMatches(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"quantize", digitsModel, "--calibb", digitsCalib}, exitUsage, "did you mean --calib?"},
		{[]string{"eval", digitsModel, "--theads", "2"}, exitUsage, "did you mean --threads?"},
		{[]string{"eval", digitsModel, "--zebra"}, exitUsage, "unknown flag: --zebra"},
		{[]string{"inspect", digitsModel, "--arch", "resnet19"}, exitUsage, "did you mean resnet18?"},
		{[]string{"eval", digitsModel, "--arch", "digits", "--data", digitsTest, "--metric", "tpo1"}, exitUsage, "did you mean top1?"},
		{[]string{"convert", digitsModel, "--arch", "digits", "-o", "x", "--weights", "flaot16"}, exitUsage, "did you mean float16?"},
	} {
		if _, said := octet(t, c.code, c.args...); !strings.Contains(said, c.says) {
			t.Errorf("%v: %s", c.args, said)
		}
	}
	if out, _ := octet(t, exitOK, "--version"); out != "octet version "+loader.Version()+"\n" {
		t.Errorf("--version prints %q", out)
	}
}

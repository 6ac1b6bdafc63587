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
		{[]string{"inspect", digitsModel, "--arch", "resnet20"}, exitUsage, "did you mean resnet20-cifar?"},
		{[]string{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", "x", "--observer", "hist"}, exitUsage, "did you mean histogram?"},
		{[]string{"quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "-o", "x", "--backend", "natve"}, exitUsage, "did you mean native?"},
		{[]string{"eval", digitsModel, "--cpu", "avx22"}, exitUsage, "did you mean avx2?"},
		{[]string{"compare", digitsModel}, exitUsage, "octet compare A B"},
		{[]string{"help", "quantise"}, exitUsage, "quantize"},
		{[]string{"eval", digitsModel, "--arch", "digits", "--data", digitsTest, "--target", "97"}, exitUsage, "--target 97: it must be 0 to 1"},
		{[]string{"completion", "fisch"}, exitUsage, `"fisch"`},
		{[]string{"export", digitsModel, "--arch", "digits", "--torchscript"}, exitUsage, "file of -o"},
		{[]string{"export", digitsModel, "--arch", "digits"}, exitUsage, "one of the two"},
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

package cli

import (
	"fmt"
	"io/fs"
	"os"

	"github.com/octet-ml/octet/internal/atomicfile"
	"github.com/octet-ml/octet/loader"
)

// fileArg is a file that the command line names.
type fileArg struct {
	what string // the flag or argument: "--calib", "MODEL"
	path string // "": not given
}

// checkFiles returns an error where a file that a command is to write cannot be, or is one that it reads or
// writes besides: before the work whose result it would lose. What is replaced under one of several names is told.
// Where the command writes a file to stdout, what it prints goes to stderr.
func (a *app) checkFiles(reads []fileArg, writes ...fileArg) error {
	for _, r := range reads {
		if r.path == "-" {
			return usagef("%s -: /dev/stdin reads what is piped in, ./- a file of this name", r.what)
		}
	}
	for i, w := range writes {
		if w.path == "-" {
			return usagef("%s -: /dev/stdout writes to stdout, ./- a file of this name", w.what)
		}
		if w.path == "" {
			continue
		}
		if err := atomicfile.Check(w.path); err != nil {
			return fmt.Errorf("%s: %w", w.what, err)
		}
		for _, r := range reads {
			if sameFile(w.path, r.path) {
				return usagef("%s %s is the file of %s, which it would replace: name another", w.what, w.path, r.what)
			}
		}
		for _, other := range writes[:i] {
			if sameFile(w.path, other.path) {
				return usagef("%s %s is the file of %s too: name another", w.what, w.path, other.what)
			}
		}
		if n := atomicfile.Links(w.path); n > 1 {
			a.say("%s has %d names (hard links): the new file gets this one, the others keep the old", w.path, n)
		}
		if a.isStdout(w.path) {
			a.out, a.stdout = a.err, a.stderr
		}
	}
	return nil
}

// sameFile reports whether two paths are of one file, or of one that does not exist yet. Devices and pipes,
// which are not replaced, do not count.
func sameFile(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return infoA.Mode().IsRegular() && os.SameFile(infoA, infoB)
	}
	if errA == nil || errB == nil {
		return false
	}
	targetA, errA := atomicfile.Target(a)
	targetB, errB := atomicfile.Target(b)
	return errA == nil && errB == nil && targetA == targetB
}

// isStdout reports whether what is written to path comes out where the command prints, other than on a device.
func (a *app) isStdout(path string) bool {
	f, ok := a.stdout.(*os.File)
	if !ok {
		return false
	}
	out, err := f.Stat()
	if err != nil || out.Mode()&fs.ModeDevice != 0 {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && os.SameFile(out, info)
}

// fileSize returns the bytes of the file at path, of a folder of Hugging Face those of its files of weights, 0 where that is nothing that has a size.
func fileSize(path string) (sum int64, err error) {
	for _, file := range loader.WeightsFiles(path) {
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() {
			return 0, err
		}
		sum += info.Size()
	}
	return sum, nil
}

// sizes says how large the file of a result is, beside the one it was made from where both are known.
func sizes(path string, output, input int64) string {
	switch {
	case output == 0:
		return path
	case input == 0:
		return fmt.Sprintf("%s: %d bytes", path, output)
	}
	return fmt.Sprintf("%s: %d bytes, %.2f of %d", path, output, float64(output)/float64(input), input)
}

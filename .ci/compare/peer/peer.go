// Package peer is what the programs that are compared have in common: they load a model, answer once, and then as often as the line on
// their standard input says, so that the one that measures can give them turns.
package peer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// Picture is the input of the picture model, float32 [1, 3, 224, 224].
func Picture() []float32 {
	x := make([]float32, 3*224*224)
	for i := range x {
		x[i] = float32(i*7919%2003)/1001 - 1
	}
	return x
}

// Tokens is the length of the text.
const Tokens = 128

// Text returns the inputs of the text in a folder, int64 [1, Tokens] each: ids, mask and types of tokens.
func Text(dir string) [3][]int64 {
	ids, mask := make([]int64, 0, Tokens), make([]int64, Tokens)
	Check(json.Unmarshal(Must(os.ReadFile(filepath.Join(dir, "ids.json"))), &ids))
	for i := range mask {
		mask[i] = 1
	}
	return [3][]int64{ids, mask, make([]int64, Tokens)}
}

// Serve gives the first answer, prints some of its numbers, and then for each byte on standard input runs once and prints the
// nanoseconds that took. At the end of the input it prints the peak of the process's resident memory in kB.
func Serve(run func() ([]float32, error)) {
	out, err := run()
	Check(err)
	fmt.Println(len(out))
	for _, v := range out {
		fmt.Println(v)
	}
	in := bufio.NewReader(os.Stdin)
	for {
		if _, err := in.ReadByte(); err == io.EOF {
			break
		}
		start := time.Now()
		_, err := run()
		Check(err)
		fmt.Println(time.Since(start).Nanoseconds())
	}
	status, err := os.ReadFile("/proc/self/status")
	Check(err)
	fmt.Println(string(regexp.MustCompile(`VmHWM:\s*(\d+)`).FindSubmatch(status)[1]))
}

// Check ends the program where there is an error.
func Check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, os.Args[0]+":", err)
		os.Exit(1)
	}
}

// Must is Check for what returns a value too.
func Must[T any](v T, err error) T {
	Check(err)
	return v
}

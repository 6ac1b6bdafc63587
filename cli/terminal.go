package cli

import (
	"bytes"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// The values of --color.
const (
	colorAuto   = "auto"
	colorAlways = "always"
	colorNever  = "never"
)

// The colors of terminals (ECMA-48, SGR).
const (
	red   = "31"
	green = "32"
)

// terminalWidth returns how many characters a line of w has: 0 where w is no terminal. COLUMNS says another number.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

// takesColor reports whether what is written to a terminal may be colored where nobody has said it: see https://no-color.org.
func takesColor() bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	// A console of Windows shows the codes of colors, unless it is one of the newer terminals.
	return runtime.GOOS != "windows" || os.Getenv("WT_SESSION") != "" || os.Getenv("TERM") != ""
}

// newPlainWriter returns a writer for people, which knows its terminal.
func newPlainWriter(w io.Writer) *plainWriter {
	p := &plainWriter{w: w, width: terminalWidth(w)}
	p.color = p.width > 0 && takesColor()
	return p
}

// setColor does what --color says.
func (a *app) setColor() error {
	switch a.color {
	case colorAuto:
	case colorAlways, colorNever:
		a.out.color, a.err.color = a.color == colorAlways, a.color == colorAlways
	default:
		return usagef("--color %q: use %s, %s or %s", a.color, colorAuto, colorAlways, colorNever)
	}
	return nil
}

// wrapHelp breaks the lines of help where the terminal ends.
func (a *app) wrapHelp(root *cobra.Command) {
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		var text bytes.Buffer
		root.SetOut(&text)
		help(cmd, args)
		root.SetOut(a.out)
		for line := range strings.Lines(text.String()) {
			_, _ = io.WriteString(a.out, wrap(line, a.out.width)) // help has no error to return
		}
	})
}

// wrap breaks a line at spaces into some of at most width characters, if words allow it; 0 is no bound. Those behind the first begin
// where its last column does: below the description of a flag, not below its name.
func wrap(line string, width int) string {
	if width <= 0 || utf8.RuneCountInString(line) <= width {
		return line
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	if i := strings.LastIndex(line[:min(len(line), width)], "   "); i >= indent {
		indent = i + len("   ")
	}
	if indent > width/2 {
		indent = 4
	}
	var out strings.Builder
	for utf8.RuneCountInString(line) > width {
		at := strings.LastIndex(line[:width], " ")
		if at <= indent {
			break
		}
		out.WriteString(line[:at] + "\n")
		line = strings.Repeat(" ", indent) + line[at+1:]
	}
	return out.String() + line
}

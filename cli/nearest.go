package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// nearest returns the name that a misspelt one is probably meant for: at most two letters, and half of them, are others. "" is none.
func nearest(given string, names []string) string {
	best, near := min(2, len(given)/2), ""
	for _, n := range names {
		if d := edits(given, n); d <= best && d > 0 && (near == "" || d < best) {
			best, near = d, n
		}
	}
	return near
}

// edits returns how many letters have to be put in, taken out or changed to make one word of the other.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// didYouMean is what is added to a message about a name that does not exist.
func didYouMean(given string, names []string) string {
	n := nearest(given, names)
	for _, other := range names {
		if n == "" && len(other) > 2 && len(given) > 4 && (strings.Contains(other, given) || strings.Contains(given, other)) {
			n = other
		}
	}
	if n != "" {
		return fmt.Sprintf(" (did you mean %s?)", n)
	}
	return ""
}

// adviseFlag names the flag of a command that an unknown one is near to.
func adviseFlag(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok || unknown.GetSpecifiedShortnames() != "" {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return fmt.Errorf("%w%s", err, didYouMean("--"+unknown.GetSpecifiedName(), names))
}

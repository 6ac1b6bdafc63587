package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// nearest returns the name that a misspelt one is probably meant for: it is the only one that begins so, or at most two letters, and half of them,
// are others. "" is none.
func nearest(given string, names []string) string {
	best, near := min(2, len(given)/2), ""
	longer := 0
	for _, n := range names {
		if strings.HasPrefix(n, given) && len(given) > 2 {
			near = n
			longer++
		}
	}
	if longer == 1 {
		return near
	}
	near = ""
	for _, n := range names {
		if d := levenshtein.ComputeDistance(given, n); d <= best && d > 0 && (near == "" || d < best) {
			best, near = d, n
		}
	}
	return near
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

// adviseValue adds to a message about the value of a flag which of those that the flag takes it is near to.
func (a *app) adviseValue(cmd *cobra.Command, err error) error {
	said, values := err.Error(), a.flagValues()
	cmd.Flags().Visit(func(f *pflag.Flag) {
		v := f.Value.String()
		if strings.Contains(said, strconv.Quote(v)) && !strings.Contains(said, "did you mean") {
			err = fmt.Errorf("%w%s", err, didYouMean(v, values[f.Name]))
		}
	})
	return err
}

// nameArguments makes a wrong number of arguments an error that says which ones the command takes.
func nameArguments(root *cobra.Command) {
	for _, c := range root.Commands() {
		if check := c.Args; check != nil {
			c.Args = func(cmd *cobra.Command, args []string) error {
				if err := check(cmd, args); err != nil {
					return fmt.Errorf("%w: %s", err, cmd.UseLine())
				}
				return nil
			}
		}
		nameArguments(c)
	}
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

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
)

// dataHelp says what files of samples hold.
const dataHelp = `Data sets are .npz files: an array for each input of the model, by its name or
else in order, samples first (x for a single input); y, what the outputs should
be (labels where the model has an input y); mean and std, one for all channels
or one per channel, with which a uint8 x becomes (x/255 - mean)/std. Other bytes
stay bytes: --scale-bytes makes x/255 of them.`

// scaleBytesFlag adds --scale-bytes to a command.
func scaleBytesFlag(cmd *cobra.Command, scale *bool) {
	cmd.Flags().BoolVar(scale, "scale-bytes", false, "make x/255 of uint8 samples that come without mean and std")
}

// adviseBytes names the flag that helps where a model does not take bytes.
func adviseBytes(err error) error {
	if is[*data.BytesError](err) {
		return fmt.Errorf("%w (--scale-bytes)", err)
	}
	return err
}

// sayUnused names the arrays of a file that are of no use for the model.
func (a *app) sayUnused(path string, d *data.Dataset, g *graph.Graph, whole bool) {
	if names := d.Unused(g, whole); len(names) > 0 {
		a.say("%s: not used, for the model has no such input: %s", path, strings.Join(names, ", "))
	}
	if why := d.Unnormalized(g, whole); why != "" {
		a.say("%s: %s", path, why)
	}
}

// unknownName says that a flag has none of the values it may have, and which is nearest.
func unknownName(flag, value string, names []string) error {
	near := ""
	for _, n := range names {
		if len(n) > 2 && len(value) > 2 && (strings.HasPrefix(n, value[:3]) || strings.Contains(n, value) || strings.Contains(value, n)) {
			near = fmt.Sprintf(" (did you mean %s?)", n)
			break
		}
	}
	return usagef("--%s %q: it must be one of %s%s", flag, value, strings.Join(names, ", "), near)
}

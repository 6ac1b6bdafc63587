package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/octet-ml/octet/internal/table"
	"github.com/octet-ml/octet/loader"
)

// printProgram prints what is known of an exported program: who wrote it, what it takes, and
// what of it is not supported.
func printProgram(w io.Writer, d *loader.ExportedDescription) error {
	t := table.NewWriter(w, 0)
	name := d.Name
	if len(d.Models) > 1 {
		name += " (of " + strings.Join(d.Models, ", ") + ")"
	}
	fmt.Fprintf(t, "model\t%s\nPyTorch\t%s, schema %s\nprogram\t%d nodes, %s\n", name, d.Torch, d.Schema, d.Nodes, d.Dialect())
	if len(d.Devices) > 0 {
		fmt.Fprintf(t, "devices\t%s: computed on the CPU here\n", strings.Join(d.Devices, ", "))
	}
	fmt.Fprintln(t, "\ntakes")
	for _, in := range d.Inputs {
		fmt.Fprintf(t, "  %s\t%s\n", in.Name, in.Type)
	}
	for _, r := range d.Ranges {
		fmt.Fprintf(t, "  where\t%s\n", r)
	}
	for _, g := range d.Guards {
		fmt.Fprintf(t, "  where\t%s\n", g)
	}
	if len(d.Int8) > 0 {
		fmt.Fprintln(t, "\nint8 operators\tfor the nodes")
	}
	for _, p := range d.Int8 {
		fmt.Fprintf(t, "  %s %s\t%s\n", p.Module, p.Op, p.Nodes)
	}
	if len(d.Unknown) == 0 {
		fmt.Fprintln(t)
	}
	return t.Flush()
}

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/internal/atomicfile"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/report"
)

// mostReport bounds the bytes of a report that is read.
const mostReport = 256 << 20

// reports makes pages of what quantize --json and tune --json printed.
func (a *app) reports() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "report A.json [B.json] -o PAGE.html",
		Short: "Make a page of a report, or of two side by side",
		Long: `report makes one HTML page of a document that quantize --json or tune --json
printed, as --report does, or of two: their figures, and each operator in both.`,
		Example: `  octet quantize model.pt --calib calib.npz -o a.safetensors --json >a.json
  octet quantize model.pt --calib calib.npz -o b.safetensors --rounding learned --json >b.json
  octet report a.json b.json -o both.html`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			var reads []fileArg
			for _, path := range args {
				reads = append(reads, fileArg{"the report", path})
			}
			if err := a.checkFiles(reads, fileArg{"-o", output}); err != nil {
				return err
			}
			var all [2]*report.Report
			for i, path := range args {
				var err error
				if all[i], err = readReport(path); err != nil {
					return err
				}
			}
			return atomicfile.Write(output, func(w io.Writer) error {
				if all[1] == nil {
					return all[0].WriteHTML(w)
				}
				return report.WriteComparison(w, all[0], all[1])
			})
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "the page to write")
	require(cmd, "output")
	return cmd
}

// readReport reads a document of quantize --json.
func readReport(path string) (*report.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostReport+1))
	if err != nil {
		return nil, err
	}
	if len(text) > mostReport {
		return nil, &loader.FileError{File: path, Reason: fmt.Sprintf("a report of more than %d bytes", mostReport)}
	}
	var r report.Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, &loader.FileError{File: path, Reason: "not a report that quantize --json or tune --json printed", Err: err}
	}
	if r.Backend == "" || r.Layers == nil {
		return nil, &loader.FileError{File: path, Reason: "JSON, but not a report that quantize --json or tune --json printed"}
	}
	return &r, nil
}

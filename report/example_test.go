package report_test

import (
	"log"
	"os"
	"strings"

	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/report"
)

func small() *report.Report {
	return &report.Report{
		Model: "model.pt", Backend: "native", Observer: "minmax",
		Float: report.Figures{Bytes: 4000, Ms: 2}, Quantized: report.Figures{Bytes: 1000, Ms: 1},
		Report: quantize.Report{Layers: []quantize.Layer{
			{Name: "conv", Op: "conv2d", Precision: "int8", Bytes: 1000, FloatBytes: 4000},
		}},
	}
}

// The report on a terminal.
func ExampleReport_WriteTable() {
	if err := small().WriteTable(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// module  operator  type  bytes  of
	// conv    conv2d    int8  1000   4000
	//
	// float32           4000 bytes  2.000 ms
	// quantized         1000 bytes  1.000 ms
}

// The report as one page that loads nothing.
func ExampleReport_WriteHTML() {
	var page strings.Builder
	if err := small().WriteHTML(&page); err != nil {
		log.Fatal(err)
	}
	os.Stdout.WriteString(page.String()[:15])
	// Output: <!DOCTYPE html>
}

//go:build nopytorch

package loader

import (
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/container"
)

// With the build tag nopytorch the programs of TorchScript and torch.export are left out, two megabytes of a small program that has its
// model in octet's own format. Weights that torch.save wrote are still read.

// UnsupportedFileError says that a file is sound but holds something that octet does not run.
type UnsupportedFileError struct{ What, Advice string }

func (e *UnsupportedFileError) Error() string { return e.What + ": " + e.Advice }

const convertAdvice = "this program was built with -tags nopytorch: save the model in octet's own format (octet quantize, loader.Save), or build without the tag"

func loadTorchScript(f *modelFile) (*graph.Graph, error) {
	return refuseModel("a TorchScript program", convertAdvice)(f)
}

func loadExported(f *modelFile) (*graph.Graph, error) {
	return refuseModel("a program of torch.export", convertAdvice)(f)
}

// isExported reports whether a zip archive has the record of an exported program.
func isExported(f *modelFile) bool {
	if !container.IsZip(f.head) {
		return false
	}
	for _, open := range []func() (*container.Archive, error){
		func() (*container.Archive, error) { return container.Open(f.r, f.size) },
		func() (*container.Archive, error) { return container.OpenFlat(f.r, f.size, f.budget()) },
	} {
		a, err := open()
		if err == nil && slices.ContainsFunc(a.Names(), func(name string) bool {
			return strings.HasPrefix(name, "models/") || name == "serialized_exported_program.json"
		}) {
			return true
		}
	}
	return false
}

// Command hugot gives the embedding of a text with hugot's backend in Go: hugot text MODEL.onnx.
package main

import (
	"os"
	"path/filepath"

	"github.com/knights-analytics/hugot"
	"github.com/octet-ml/octet/ci/compare/peer"
)

func main() {
	dir, file := filepath.Split(os.Args[2])
	session := peer.Must(hugot.NewGoSession())
	pipeline := peer.Must(hugot.NewPipeline(session, hugot.FeatureExtractionConfig{ModelPath: dir, OnnxFilename: file, Name: "embedding"}))
	text := string(peer.Must(os.ReadFile(filepath.Join(dir, "text.txt"))))
	peer.Serve(func() ([]float32, error) {
		out, err := pipeline.RunPipeline([]string{text})
		if err != nil {
			return nil, err
		}
		return out.Embeddings[0], nil
	})
}

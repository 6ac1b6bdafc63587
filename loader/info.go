package loader

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
)

// infoMetadata is the key of what a model says of itself, a graph.Info as JSON: what a newer octet adds is skipped.
const infoMetadata = "octet.info"

const (
	modulePath = "github.com/octet-ml/octet"
	// maxSignatureNodes bounds the graphs whose free extents are found when they are saved: that takes many looks at each node.
	maxSignatureNodes = 10000
)

// Version returns the version of octet in this program, as Go recorded it: "(devel)" for one that was built without.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	modules := append([]*debug.Module{&info.Main}, info.Deps...)
	for _, m := range modules {
		if strings.TrimSuffix(m.Path, "/") == modulePath && m.Version != "" {
			return m.Version
		}
	}
	return "(devel)"
}

// encodeInfo returns the metadata on a graph that text describes.
func encodeInfo(g *graph.Graph, given *graph.Info, text string) (string, error) {
	var info graph.Info
	if given != nil {
		info = *given
	}
	digest := sha256.Sum256([]byte(text))
	info.Octet, info.GraphDigest, info.Inputs = Version(), hex.EncodeToString(digest[:]), nil
	if len(g.Nodes) <= maxSignatureNodes {
		if s, err := g.Signature(); err == nil { // else a run says what is wrong
			for _, p := range s.Inputs {
				info.Inputs = append(info.Inputs, graph.InputInfo{Name: p.Name, DType: p.Type.DType.String(), Shape: p.Extents()})
			}
		}
	}
	b, err := json.Marshal(info)
	return string(b), err
}

// decodeInfo reads the metadata on the graph that text describes.
func decodeInfo(metadata map[string]string, text string) (*graph.Info, error) {
	for k := range metadata {
		if strings.HasPrefix(k, modelMetadata) && !strings.HasPrefix(k, textMetadata) && !slices.Contains([]string{modelMetadata, infoMetadata, checksumMetadata}, k) {
			return nil, &FileError{Record: k, Reason: "no such record is known: the file is damaged, or from a newer octet"}
		}
	}
	encoded, ok := metadata[infoMetadata]
	if !ok {
		return nil, nil
	}
	if _, ok := metadata[checksumMetadata]; !ok { // the two are written together
		return nil, &FileError{Record: checksumMetadata, Reason: "the file has no checksums: it is damaged, take another copy"}
	}
	if len(encoded) > maxModelText {
		return nil, &FileError{Record: infoMetadata, Reason: fmt.Sprintf("%d bytes, at most %d are read", len(encoded), maxModelText)}
	}
	info := new(graph.Info)
	if err := json.Unmarshal([]byte(encoded), info); err != nil {
		return nil, &FileError{Record: infoMetadata, Reason: err.Error()}
	}
	digest := sha256.Sum256([]byte(text))
	if have := hex.EncodeToString(digest[:]); info.GraphDigest != "" && info.GraphDigest != have {
		return nil, &FileError{Record: infoMetadata, Reason: fmt.Sprintf("it is of a graph with the SHA-256 %s, the file has %s", info.GraphDigest, have)}
	}
	if t := textFilesOf(metadata); t != nil {
		info.Texts = t
	}
	return info, nil
}

package quantize

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// ModelError says that a calibration is of another model. It wraps ErrMismatch.
type ModelError struct {
	File        string // the state that Load read, "" for a calibration of this process
	Have, Given string // digests of the model that was calibrated, and of the one at hand
}

func (e *ModelError) Error() string {
	s := "quantize: "
	if e.File != "" {
		s = e.File + ": "
	}
	return s + fmt.Sprintf("the calibration is of another model (digest %.12s, this one's is %.12s): calibrate this model", e.Have, e.Given)
}

// Unwrap returns ErrMismatch.
func (e *ModelError) Unwrap() error { return ErrMismatch }

// digest identifies a float model by its inputs, its operators with their modules, and its parameters. Extents of
// inputs do not count, nor how often a module is called, nor views, which may follow from extents.
func digest(g *graph.Graph) string {
	entries := make(map[string]bool)
	for _, v := range g.Inputs {
		entries[fmt.Sprintf("input %q %v", v.Name, v.Type.DType)] = true
	}
	hashed := make(map[*graph.Value]bool)
	for _, n := range g.Nodes {
		if _, view := n.Op.(ops.Viewer); !view && len(n.Outputs) > 0 && isFloat(n.Outputs[0].Type.DType) {
			entries[fmt.Sprintf("node %q %q %s", n.Scope.Path, n.Scope.Class, n.Op.Name())] = true
		}
		for i, v := range n.Inputs {
			if v.Const == nil || hashed[v] || v.Name == "" && (i == 0 || !isLayer(n.Op)) {
				continue
			}
			hashed[v] = true
			sum := sha256.Sum256(v.Const.Contiguous().Bytes())
			entries[fmt.Sprintf("constant %q %v %x", v.Name, v.Type, sum)] = true
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(maps.Keys(entries)), "\n")))
	return hex.EncodeToString(sum[:])
}

func isFloat(d tensor.DType) bool {
	switch d {
	case tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16:
		return true
	}
	return false
}

// digestOf is digest, remembered for the model that was asked for last.
func (q *Quantizer) digestOf(m *graph.Graph) string {
	if q.digested.of != m {
		q.digested.of, q.digested.sum = m, digest(m)
	}
	return q.digested.sum
}

// belongs returns an error when what was observed is of another model than m.
func (q *Quantizer) belongs(m *graph.Graph) error {
	if q.model == "" {
		return nil
	}
	if d := q.digestOf(m); d != q.model {
		return &ModelError{File: q.file, Have: q.model, Given: d}
	}
	return nil
}

// Warnings returns what there is to say about the state that was loaded, though it can be used.
func (q *Quantizer) Warnings() []string {
	if q.model != "" || len(q.values)+len(q.moments) == 0 {
		return nil
	}
	return []string{"the state does not say which model was calibrated, as older versions wrote it: nothing checks that it is this one"}
}

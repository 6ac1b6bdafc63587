package graph

import (
	"testing"

	"github.com/octet-ml/octet/ops"
)

// TestNodeErrorNamesOnce checks that an operator which names itself in its error is not named again by its node.
func TestNodeErrorNamesOnce(t *testing.T) {
	n := &Node{Op: ops.Solve{}}
	err := &NodeError{Node: n, Err: &ops.ValueError{Op: "solve", Reason: "matrix 0 is singular"}}
	if got := err.Error(); got != "solve: matrix 0 is singular" {
		t.Errorf("without a module: %q", got)
	}
	n.Scope.Path = "head"
	if got := err.Error(); got != "head (solve): matrix 0 is singular" {
		t.Errorf("in a module: %q", got)
	}
}

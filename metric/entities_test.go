package metric

import (
	"strings"
	"testing"
)

// TestEntities compares with what seqeval 1.2.2 counts by default, worked out by hand from its rules.
func TestEntities(t *testing.T) {
	for _, c := range []struct {
		predicted, labels     string
		found, there, correct int
		right                 int
	}{
		{"O B-PER I-PER O B-LOC", "O B-PER I-PER O B-LOC", 2, 2, 2, 5},
		{"O B-PER O O B-LOC", "O B-PER I-PER O B-LOC", 2, 2, 1, 4},
		{"B-PER B-PER", "B-PER I-PER", 2, 1, 0, 1},
		{"I-PER I-PER O", "B-PER I-PER O", 1, 1, 1, 2}, // begins with an I-
		{"I-PER I-LOC", "B-PER B-LOC", 2, 2, 2, 0},
		{"B-PER I-LOC", "B-PER I-PER", 2, 1, 0, 1},
		{"O O", "B-PER I-PER", 0, 1, 0, 0},
		{"S-PER B-LOC E-LOC", "S-PER B-LOC E-LOC", 2, 2, 2, 3},
		{"U-PER B-LOC I-LOC L-LOC", "U-PER B-LOC I-LOC L-LOC", 2, 2, 2, 4},
		{"B-X-Y I-X-Y", "B-X-Y I-X-Y", 1, 1, 1, 2},
		{"O O", "O O", 0, 0, 0, 2},
		{"O B-A O B-B", "B-A O B-B B-B", 2, 3, 1, 1},
	} {
		var e Entities
		e.Add(strings.Fields(c.predicted), strings.Fields(c.labels))
		if e.Found != c.found || e.True != c.there || e.Correct != c.correct || e.Right != c.right {
			t.Errorf("%s for %s: %+v", c.predicted, c.labels, e)
		}
	}
	e := Entities{Correct: 1, Found: 2, True: 4, Right: 3, Words: 4}
	if e.Precision() != 0.5 || e.Recall() != 0.25 || e.F1() != 1./3 || e.Accuracy() != 0.75 || (&Entities{}).F1() != 0 {
		t.Errorf("%v %v %v %v", e.Precision(), e.Recall(), e.F1(), e.Accuracy())
	}
}

package metric

import "strings"

// Entities adds up how well labels of words name entities: a label is a kind with B- at the first word of an entity and I- at the others (IOB2), also with
// E- and S- or L- and U- for the last and a single one. As seqeval has it by default, an entity also begins with an I- behind another kind or none.
type Entities struct {
	Right int // words with the right label
	Words int

	Found   int // entities that a model named
	True    int // that there are
	Correct int // named with the same words and kind
}

// entity is words [From, To) of a kind.
type entity struct {
	kind     string
	from, to int
}

// Add counts a sentence.
func (e *Entities) Add(predicted, labels []string) {
	for i, l := range labels {
		if e.Words++; predicted[i] == l {
			e.Right++
		}
	}
	found, there := entitiesOf(predicted), entitiesOf(labels)
	e.Found += len(found)
	e.True += len(there)
	for i, k := 0, 0; i < len(found) && k < len(there); {
		switch {
		case found[i] == there[k]:
			e.Correct++
			i, k = i+1, k+1
		case found[i].from <= there[k].from:
			i++
		default:
			k++
		}
	}
}

// entitiesOf lists the entities of a sentence.
func entitiesOf(labels []string) []entity {
	var list []entity
	tag, open := "O", false
	kind := ""
	for i, l := range labels {
		next, what, split := strings.Cut(l, "-")
		if !split {
			what = next // a label without a prefix
			if next != "O" {
				next = "I"
			}
		}
		begins := strings.Contains("BSU", next) || strings.Contains("ESLUO", tag) || what != kind
		if open && (begins || next == "O") {
			list[len(list)-1].to, open = i, false
		}
		if next != "O" && begins {
			list, open = append(list, entity{what, i, 0}), true
		}
		tag, kind = next, what
	}
	if open {
		list[len(list)-1].to = len(labels)
	}
	return list
}

// Precision is the share of the named entities that are right, 0 where none is named.
func (e *Entities) Precision() float64 { return share(e.Correct, e.Found) }

// Recall is the share of the entities that are named, 0 where there is none.
func (e *Entities) Recall() float64 { return share(e.Correct, e.True) }

// F1 is the harmonic mean of precision and recall.
func (e *Entities) F1() float64 { return share(2*e.Correct, e.Found+e.True) }

// Accuracy is the share of words whose label is right.
func (e *Entities) Accuracy() float64 { return share(e.Right, e.Words) }

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

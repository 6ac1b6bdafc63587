// Package sorting sorts slices of structs with less code in the program.
package sorting

import (
	"iter"
	"slices"
	"sort"
)

// Func sorts s by compare and leaves equal elements in their order, as slices.SortStableFunc does. That and slices.SortFunc are
// compiled for every type of struct again, 8 to 17 kB in a program each. This one exchanges elements by reflection, which is slower: it is
// for slices that no run of a model sorts.
func Func[E any](s []E, compare func(a, b E) int) {
	sort.SliceStable(s, func(i, j int) bool { return compare(s[i], s[j]) < 0 })
}

// Collected returns the elements of seq sorted by compare, as slices.SortedStableFunc does.
func Collected[E any](seq iter.Seq[E], compare func(a, b E) int) []E {
	s := slices.Collect(seq)
	Func(s, compare)
	return s
}

// Package nametable finds names in lists of very many: in 8 to 16 bytes for each, without pointers, and without reading a
// name that is not the one.
package nametable

import "hash/maphash"

// Table has the places of names in a list that its caller keeps. The zero Table is empty.
type Table struct {
	seed  maphash.Seed
	slots []slot // a power of two of them
	n     int
}

// slot is a part of the hash of a name, and its place plus one; 0: there is none.
type slot struct{ hash, place uint32 }

// New returns a table with room for n names.
func New(n int) *Table {
	t := &Table{}
	t.grow(n)
	return t
}

// grow makes room for n names.
func (t *Table) grow(n int) {
	size := 16
	for size*3/4 < n {
		size *= 2
	}
	old := t.slots
	if old == nil {
		t.seed = maphash.MakeSeed()
	}
	t.slots = make([]slot, size)
	for _, s := range old {
		if s.place != 0 {
			t.slots[t.free(s.hash)] = s
		}
	}
}

// free returns the slot where a hash that is new is put.
func (t *Table) free(hash uint32) int {
	i := int(hash) & (len(t.slots) - 1)
	for t.slots[i].place != 0 {
		i = (i + 1) & (len(t.slots) - 1)
	}
	return i
}

// Find returns the place of a name in the list, -1 where it has none; at returns the name at a place.
func (t *Table) Find(name string, at func(place int) string) int {
	if t.n == 0 {
		return -1
	}
	return t.find(name, uint32(maphash.String(t.seed, name)), at)
}

func (t *Table) find(name string, hash uint32, at func(place int) string) int {
	for i := int(hash) & (len(t.slots) - 1); t.slots[i].place != 0; i = (i + 1) & (len(t.slots) - 1) {
		if s := t.slots[i]; s.hash == hash && at(int(s.place-1)) == name {
			return int(s.place - 1)
		}
	}
	return -1
}

// Add adds a name at a place below 1<<31, unless it has one, and returns the place that it has.
func (t *Table) Add(name string, place int, at func(place int) string) int {
	if (t.n+1)*4 > len(t.slots)*3 {
		t.grow(2 * (t.n + 1))
	}
	hash := uint32(maphash.String(t.seed, name))
	if found := t.find(name, hash, at); found >= 0 {
		return found
	}
	t.slots[t.free(hash)] = slot{hash, uint32(place) + 1}
	t.n++
	return place
}

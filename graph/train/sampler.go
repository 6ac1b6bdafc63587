package train

import (
	"fmt"
	"math/rand/v2"
)

// Sampler divides n samples into batches, in an order that is shuffled anew for each
// epoch and follows from the seed and the epoch alone.
type Sampler struct {
	seed     uint64
	n, batch int
	epoch    int
	next     int // of the epoch's batches
	order    []int
}

// NewSampler returns a sampler at its first batch. Batches all have the same size; what an epoch
// leaves over, fewer samples than a batch, is left out.
func NewSampler(seed uint64, n, batch int) (*Sampler, error) {
	if batch < 1 || n < batch {
		return nil, fmt.Errorf("train: %d samples do not make a batch of %d: choose a smaller batch", n, batch)
	}
	s := &Sampler{seed: seed, n: n, batch: batch}
	s.shuffle()
	return s, nil
}

func (s *Sampler) shuffle() { s.order = rand.New(rand.NewPCG(s.seed, uint64(s.epoch))).Perm(s.n) }

// PerEpoch returns the number of batches in an epoch.
func (s *Sampler) PerEpoch() int { return s.n / s.batch }

// Epoch returns the epoch that the next batch belongs to, counted from 0.
func (s *Sampler) Epoch() int { return s.epoch }

// Next returns the samples of the next batch. They are valid until an epoch ends.
func (s *Sampler) Next() []int {
	b := s.order[s.next*s.batch : (s.next+1)*s.batch]
	if s.next++; s.next == s.PerEpoch() {
		s.epoch++
		s.next = 0
		s.shuffle()
	}
	return b
}

// Unread takes back the last batch that Next returned, so that Next returns it again: for a step that was not made.
// At the first batch of the first epoch there is nothing to take back.
func (s *Sampler) Unread() {
	switch {
	case s.next > 0:
		s.next--
	case s.epoch > 0:
		s.epoch--
		s.next = s.PerEpoch() - 1
		s.shuffle()
	}
}

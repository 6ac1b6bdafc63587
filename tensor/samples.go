package tensor

// WithSamples returns a view of the same elements, a batch along dimension 0, that says that only its first n rows are
// samples: the others repeat some to fill up the batch of a model that takes no smaller one, and whoever counts samples
// leaves them out. n is from 0 to the extent of dimension 0, else, and of a tensor without dimensions, the result is t.
// No other view and no copy says so.
func (t *Tensor) WithSamples(n int) *Tensor {
	if len(t.shape) == 0 || n < 0 || n > t.shape[0] {
		return t
	}
	v := *t
	v.filler = t.shape[0] - n
	return &v
}

// Samples returns how many rows along dimension 0 are samples: all but what WithSamples says, and 1 without dimensions.
func (t *Tensor) Samples() int {
	if len(t.shape) == 0 {
		return 1
	}
	return t.shape[0] - t.filler
}

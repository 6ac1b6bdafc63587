package tensor

// Evictable returns a view of t, whose memory must be that of a mapped file and not be
// written to, that Evict works on.
func (t *Tensor) Evictable() *Tensor {
	v := *t
	v.evictable = true
	return &v
}

// Evict gives the memory of a tensor that was made Evictable back to the system, which
// reads it from the file again when it is next used. It does nothing to other tensors.
func (t *Tensor) Evict() {
	if t.evictable {
		evict(t.data)
	}
}

package train

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// Augment changes images at random before a step, as torchvision's RandomCrop with padding and
// RandomHorizontalFlip do, so that a model does not see the same pixels in each epoch. What happens to a sample
// follows from the seed, the epoch and the number of the sample alone: training that resumes sees the same images.
type Augment struct {
	Seed uint64
	// Padding is the largest distance, in pixels, that an image is moved along each of its two sides. Pixels that come
	// in from outside are 0, in a normalized image the mean color.
	Padding int
	// Flip mirrors half of the images, left to right.
	Flip bool
}

// Enabled says whether Apply changes anything.
func (a Augment) Enabled() bool { return a.Padding > 0 || a.Flip }

// Apply changes x, float32 [N, C, H, W], in place. Its images are those of the given samples in an epoch.
func (a Augment) Apply(x *tensor.Tensor, epoch int, samples []int) error {
	if !a.Enabled() {
		return nil
	}
	if x.DType() != tensor.Float32 || x.Rank() != 4 || x.Dim(0) != len(samples) || !x.IsContiguous() {
		return fmt.Errorf("train: %v cannot be augmented: %d float32 images [N, C, H, W] are needed", x, len(samples))
	}
	h, w := x.Dim(2), x.Dim(3)
	if a.Padding < 0 || a.Padding >= min(h, w) {
		return fmt.Errorf("train: images of %d x %d cannot be moved by %d", h, w, a.Padding)
	}
	pixels, size := x.Float32s(), x.Dim(1)*h*w
	for i, sample := range samples {
		rng := rand.New(rand.NewPCG(a.Seed, uint64(epoch)<<32|uint64(uint32(sample))))
		down, right := rng.IntN(2*a.Padding+1)-a.Padding, rng.IntN(2*a.Padding+1)-a.Padding
		flip := a.Flip && rng.Uint32()&1 == 1
		image := pixels[i*size:][:size]
		for plane := range slices.Chunk(image, h*w) {
			if flip {
				for row := range slices.Chunk(plane, w) {
					slices.Reverse(row)
				}
			}
			shift(plane, down*w)
			for row := range slices.Chunk(plane, w) {
				shift(row, right)
			}
		}
	}
	return nil
}

// shift moves the values of x by so many places and fills in zeros.
func shift(x []float32, by int) {
	if by >= 0 {
		copy(x[by:], x)
		clear(x[:by])
		return
	}
	copy(x, x[-by:])
	clear(x[len(x)+by:])
}

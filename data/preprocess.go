package data

import (
	"errors"
	"fmt"

	"github.com/octet-ml/octet/data/internal/picture"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// Preprocessing says how pictures become inputs.
type Preprocessing graph.Preprocessing

// maxEdge bounds what pictures are resized to.
const maxEdge = 1 << 14

// Validate returns an error unless all values make sense.
func (p *Preprocessing) Validate() error {
	for _, v := range []struct {
		what string
		list []int
	}{{"size", p.Size}, {"crop", p.Crop}} {
		if len(v.list) > 2 {
			return fmt.Errorf("%s %v: an edge, or height and width", v.what, v.list)
		}
		for _, e := range v.list {
			if e < 1 || e > maxEdge {
				return fmt.Errorf("%s %v: each must be 1 to %d", v.what, v.list, maxEdge)
			}
		}
	}
	if p.Channels != 0 && p.Channels != picture.Gray && p.Channels != picture.RGB {
		return fmt.Errorf("channels %d: 1 (grey) or 3 (colours)", p.Channels)
	}
	for _, v := range []struct {
		what string
		list []float32
	}{{"mean", p.Mean}, {"std", p.Std}} {
		if n := len(v.list); n > 1 && n != p.channels() {
			return fmt.Errorf("%s has %d numbers where pictures have %d channels", v.what, n, p.channels())
		}
	}
	_, err := p.scale()
	return err
}

func (p *Preprocessing) channels() int {
	if p.Channels == 0 {
		return picture.RGB
	}
	return p.Channels
}

// scale returns mean and std as a file of arrays has them.
func (p *Preprocessing) scale() (tensor.Arrays, error) {
	var arrays tensor.Arrays
	for _, v := range []tensor.Named{{Name: "mean", Tensor: vector(p.Mean)}, {Name: "std", Tensor: vector(p.Std)}} {
		if v.Tensor != nil {
			arrays = append(arrays, v)
		}
	}
	var s byteScale
	if record, err := s.read(arrays.Get("mean"), arrays.Get("std")); err != nil {
		return nil, fmt.Errorf("%s: %w", record, err)
	}
	return arrays, nil
}

func vector(v []float32) *tensor.Tensor {
	if len(v) == 0 {
		return nil
	}
	t, err := tensor.FromSlice(v, len(v))
	if err != nil {
		return nil // a slice has as many elements as it has
	}
	return t
}

// window returns what becomes of a picture of a size.
func (p *Preprocessing) window(width, height int) (picture.Window, error) {
	w, h := width, height
	switch len(p.Size) {
	case 1:
		w, h = picture.ShorterEdge(width, height, p.Size[0])
	case 2:
		h, w = p.Size[0], p.Size[1]
	}
	if w < 1 || h < 1 || w > 8*maxEdge || h > 8*maxEdge {
		return picture.Window{}, fmt.Errorf("a picture of %d x %d pixels becomes %d x %d", width, height, w, h)
	}
	switch len(p.Crop) {
	case 1:
		return picture.Centre(w, h, p.Crop[0], p.Crop[0]), nil
	case 2:
		return picture.Centre(w, h, p.Crop[1], p.Crop[0]), nil
	}
	return picture.Window{Width: w, Height: h, Right: w, Bottom: h}, nil
}

// Decode decodes a JPEG, PNG or WebP file, of which the decoded picture takes at most about budget bytes (0: no bound but 200
// million pixels), to bytes [channels, height, width], which Mean and Std are not applied to yet.
func (p *Preprocessing) Decode(encoded []byte, budget int64) (*tensor.Tensor, error) {
	decoded, err := picture.Decode(encoded, budget, p.Rotate)
	if err != nil {
		return nil, err
	}
	w, err := p.window(decoded.Width, decoded.Height)
	if err != nil {
		return nil, err
	}
	t, err := tensor.New(tensor.Uint8, p.channels(), w.Bottom-w.Top, w.Right-w.Left)
	if err != nil {
		return nil, err
	}
	decoded.Resize(w, p.channels(), t.Uint8s())
	return t, nil
}

// Input is Batch of one file: [1, channels, height, width].
func (p *Preprocessing) Input(encoded []byte) (*tensor.Tensor, error) {
	return p.Batch([][]byte{encoded}, 0)
}

// Batch is Decode of files, whose pictures take at most about budget bytes each, as a batch of floats [N, channels, height,
// width], normalized. Pictures of other sizes than the first give an *UnevenError.
func (p *Preprocessing) Batch(encoded [][]byte, budget int64) (*tensor.Tensor, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	var first, all *tensor.Tensor
	for i, e := range encoded {
		x, err := p.Decode(e, budget)
		if err != nil {
			return nil, fmt.Errorf("picture %d: %w", i, err)
		}
		if i == 0 {
			first = x
			if all, err = tensor.New(tensor.Uint8, append([]int{len(encoded)}, x.Shape()...)...); err != nil {
				return nil, err
			}
		}
		if !x.Shape().Equal(first.Shape()) {
			return nil, fmt.Errorf("picture %d: %w", i, &UnevenError{x, first, "picture 0"})
		}
		copy(all.Uint8s()[i*x.Numel():], x.Uint8s())
	}
	if all == nil {
		return nil, errors.New("no pictures")
	}
	var s byteScale
	if _, err := s.read(vector(p.Mean), vector(p.Std)); err != nil {
		return nil, err
	}
	return s.normalize(all)
}

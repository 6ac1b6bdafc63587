package data

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/tensor"
)

// BytesError says that a model does not take bytes, where data has bytes and does not say how they become floats.
type BytesError struct {
	Array string
	Err   error // what the model said
}

func (e *BytesError) Error() string {
	return fmt.Sprintf("%v; array %s is uint8, and stays so without mean and std: give them, or scale the bytes by 1/255", e.Err, e.Array)
}

func (e *BytesError) Unwrap() error { return e.Err }

// byteScale makes floats of bytes.
type byteScale struct {
	mean, std []float32 // per channel, or one for all
	scale     bool      // without mean and std too
	byDefault bool      // mean and std are not of the data
}

func (s *byteScale) given() bool { return s.mean != nil }

// greatestMean and greatestStd are beyond what values in 0 to 1 are normalized by, and below what bytes in 0 to 255 have.
const (
	greatestMean = 2
	greatestStd  = 4
)

// read takes the arrays mean and std, nil where there are none.
func (s *byteScale) read(mean, std *tensor.Tensor) (record string, err error) {
	if mean == nil && std == nil {
		return "", nil
	}
	if mean == nil {
		return "std", fmt.Errorf("it is given without mean: give both, a mean of 0 where none is to be subtracted")
	}
	if s.mean, err = perChannel(mean, greatestMean); err != nil {
		return "mean", err
	}
	if std == nil {
		s.std = []float32{1}
		return "", nil
	}
	if s.std, err = perChannel(std, greatestStd); err != nil {
		return "std", err
	}
	for i, v := range s.std {
		if !(v > 0) {
			return "std", fmt.Errorf("channel %d has %v where a positive number is needed", i, v)
		}
	}
	return "", nil
}

func perChannel(t *tensor.Tensor, greatest float64) ([]float32, error) {
	if !t.DType().IsFloat() || t.Numel() == 0 {
		return nil, fmt.Errorf("%v where floats are needed, one for all channels or one per channel", t)
	}
	f, err := t.To(tensor.Float32)
	if err != nil {
		return nil, err
	}
	values := f.Contiguous().Float32s()
	for i, v := range values {
		switch v := float64(v); {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return nil, fmt.Errorf("channel %d has %v where a finite number is needed", i, v)
		case math.Abs(v) > greatest:
			return nil, fmt.Errorf("channel %d has %v, as of values in 0 to 255: mean and std are of x/255, so divide both by 255", i, v)
		}
	}
	return values, nil
}

// normalize returns (x/255 - mean)/std for bytes [N, C, ...].
func (s *byteScale) normalize(x *tensor.Tensor) (*tensor.Tensor, error) {
	channels := max(len(s.mean), len(s.std), 1)
	if channels > 1 && (x.Rank() < 2 || x.Dim(1) != channels) {
		return nil, fmt.Errorf("%v where mean and std are given for %d channels", x, channels)
	}
	tables := make([][256]float32, channels)
	for c := range tables {
		mean, err := channelOf(s.mean, c, channels, 0)
		if err != nil {
			return nil, err
		}
		std, err := channelOf(s.std, c, channels, 1)
		if err != nil {
			return nil, err
		}
		for v := range tables[c] {
			tables[c][v] = (float32(v)/255 - mean) / std
		}
	}
	out, err := tensor.New(tensor.Float32, x.Shape()...)
	if err != nil {
		return nil, err
	}
	src, dst := x.Contiguous().Uint8s(), out.Float32s()
	plane := len(src)
	if channels > 1 {
		plane = 1
		for _, e := range x.Shape()[2:] {
			plane *= e
		}
	}
	for i := 0; len(src) > 0 && plane > 0; i++ {
		table := &tables[i%channels]
		for j, v := range src[:plane] {
			dst[j] = table[v]
		}
		src, dst = src[plane:], dst[plane:]
	}
	return out, nil
}

// channelOf returns the value of a channel, where one value holds for all and none means missing.
func channelOf(v []float32, c, channels int, missing float32) (float32, error) {
	switch len(v) {
	case 0:
		return missing, nil
	case 1:
		return v[0], nil
	case channels:
		return v[c], nil
	}
	return 0, fmt.Errorf("mean and std are given for %d and %d channels", len(v), channels)
}

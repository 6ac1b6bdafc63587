package tensor

import (
	"cmp"
	"fmt"
	"math"

	"github.com/octet-ml/octet/internal/sorting"
)

// TopK returns the k greatest elements of each row along the last dimension, the greatest first, and their places, as torch.topk does:
// values [..., k] float32 and indices [..., k] int64. Of equal elements the first comes first, and a NaN is the greatest. k is at most the extent of that dimension.
// Elements of other types are converted to float32, those of quantized tensors to what they stand for.
func TopK(t *Tensor, k int) (values, indices *Tensor, err error) {
	src, shape, err := floatRows(t)
	if err != nil {
		return nil, nil, err
	}
	n := shape[len(shape)-1]
	if k < 0 || k > n {
		return nil, nil, fmt.Errorf("tensor: the %d greatest of %v: there are %d in a row", k, t, n)
	}
	shape[len(shape)-1] = k
	if values, err = New(Float32, shape...); err != nil {
		return nil, nil, err
	}
	if indices, err = New(Int64, shape...); err != nil {
		return nil, nil, err
	}
	if k == 0 {
		return values, indices, nil
	}
	order := make([]int, n)
	for at := 0; at < len(src); at += n {
		row := src[at:][:n]
		for i := range order {
			order[i] = i
		}
		sorting.Func(order, func(a, b int) int { return cmp.Compare(rank(row[b]), rank(row[a])) })
		for i, from := range order[:k] {
			values.Float32s()[at/n*k+i] = row[from]
			indices.Int64s()[at/n*k+i] = int64(from)
		}
	}
	return values, indices, nil
}

// rank orders as torch.topk does.
func rank(v float32) float64 {
	if v != v {
		return math.Inf(1)
	}
	return float64(v)
}

// Softmax returns exp(x) / sum(exp(x)) of each row along the last dimension, as torch.softmax(x, -1) does, in float32. Elements of
// other types are converted as those of TopK.
func Softmax(t *Tensor) (*Tensor, error) {
	src, shape, err := floatRows(t)
	if err != nil {
		return nil, err
	}
	out, err := New(Float32, shape...)
	if err != nil {
		return nil, err
	}
	n := shape[len(shape)-1]
	for at := 0; at < len(src); at += n {
		row, dst := src[at:][:n], out.Float32s()[at:][:n]
		highest, sum := math.Inf(-1), 0.0
		for _, v := range row {
			highest = math.Max(highest, float64(v))
		}
		for _, v := range row {
			sum += math.Exp(float64(v) - highest)
		}
		for i, v := range row {
			dst[i] = float32(math.Exp(float64(v)-highest) / sum)
		}
	}
	return out, nil
}

// floatRows returns the elements as float32 and a copy of the shape.
func floatRows(t *Tensor) ([]float32, Shape, error) {
	if t.Rank() == 0 {
		return nil, nil, fmt.Errorf("tensor: %v has no rows", t)
	}
	var err error
	if t.q != nil {
		t, err = t.Dequantize()
	} else {
		t, err = t.To(Float32)
	}
	if err != nil {
		return nil, nil, err
	}
	return t.Contiguous().Float32s(), t.shape.Clone(), nil
}

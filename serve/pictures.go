package serve

import (
	"bytes"
	"context"
	"image"
	_ "image/jpeg" // the formats that Pictures reads
	_ "image/png"
	"strconv"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// Pictures is the Decoder of models that have pictures as their only input: it takes a PNG or JPEG of exactly the input's size in
// each element. Values are red, green and blue, or grey, from 0 to 255 where the input is uint8 and from 0 to 1 where it is a float:
// nothing is scaled, cut or normalized.
type Pictures struct{}

// layout is where a model has the axes of a picture.
type layout struct {
	channels, height, width int // axes
}

// pictureLayout finds the axes of a picture in an input of 4 dimensions.
func pictureLayout(model *graph.Signature) (layout, bool) {
	if len(model.Inputs) != 1 || len(model.Inputs[0].Type.Shape) != 4 || !model.Batch {
		return layout{}, false
	}
	port := model.Inputs[0]
	if t := port.Type.DType; t != tensor.Uint8 && t != tensor.Float32 || port.Type.Q != nil {
		return layout{}, false
	}
	for _, l := range []layout{{1, 2, 3}, {3, 1, 2}} {
		if n := port.Type.Shape[l.channels]; (n == 1 || n == 3) && !port.Free[l.channels] {
			return l, true
		}
	}
	return layout{}, false
}

// Inputs offers the picture under the name of the input.
func (Pictures) Inputs(model *graph.Signature) []oip.TensorMetadata {
	if _, ok := pictureLayout(model); !ok {
		return nil
	}
	return []oip.TensorMetadata{{Name: model.Inputs[0].Name, Datatype: oip.Bytes, Shape: []int64{-1}}}
}

// Decode reads the pictures.
func (Pictures) Decode(_ context.Context, model *graph.Signature, given []*oip.Tensor) ([]*tensor.Tensor, error) {
	l, ok := pictureLayout(model)
	if !ok {
		return nil, invalid("input %s: it is BYTES, which this model does not take", quote(given[0].Name))
	}
	port := model.Inputs[0]
	if len(given) != 1 || given[0].Name != port.Name || len(given[0].Elements) == 0 {
		return nil, invalid("the model takes one input, %s, with at least one picture", quote(port.Name))
	}
	var all *tensor.Tensor
	for k, element := range given[0].Elements {
		config, format, err := image.DecodeConfig(bytes.NewReader(element))
		if err != nil {
			return nil, invalid("input %s: element %d is no PNG or JPEG: %v", quote(port.Name), k, err)
		}
		shape := port.Type.Shape.Clone()
		shape[0] = len(given[0].Elements)
		for axis, have := range map[int]int{l.height: config.Height, l.width: config.Width} {
			if all != nil && all.Dim(axis) != have || !port.Free[axis] && shape[axis] != have {
				return nil, invalid("input %s: element %d is a %s of %d x %d pixels where %s is needed", quote(port.Name), k, format, config.Width, config.Height, sizeText(port, l, all))
			}
			shape[axis] = have
		}
		if all == nil {
			if n, err := shape.Numel(); err != nil || n > maxPixels {
				return nil, &Error{Code: TooLarge, Reason: "a picture of more pixels than are decoded"}
			}
			if all, err = tensor.New(port.Type.DType, shape...); err != nil {
				return nil, err
			}
		}
		picture, _, err := image.Decode(bytes.NewReader(element))
		if err != nil {
			return nil, invalid("input %s: element %d: %v", quote(port.Name), k, err)
		}
		writePixels(all, l, k, picture)
	}
	return []*tensor.Tensor{all}, nil
}

// maxPixels bounds the values of the pictures of a request.
const maxPixels = 64 << 20

func sizeText(port graph.Port, l layout, first *tensor.Tensor) string {
	p := port
	if first != nil {
		p.Free, p.Type.Shape = make([]bool, 4), first.Shape()
	}
	extents := p.Extents()
	text := ""
	for i, axis := range []int{l.width, l.height} {
		if i > 0 {
			text += " x "
		}
		if extents[axis] < 0 {
			text += "any"
		} else {
			text += strconv.FormatInt(extents[axis], 10)
		}
	}
	return text
}

// writePixels writes a picture as sample k.
func writePixels(to *tensor.Tensor, l layout, k int, picture image.Image) {
	strides := to.Strides()
	bounds := picture.Bounds()
	channels := to.Dim(l.channels)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			r, g, b, _ := picture.At(bounds.Min.X+x, bounds.Min.Y+y).RGBA()
			values := [3]uint32{r >> 8, g >> 8, b >> 8}
			if channels == 1 {
				values[0] = (19595*r + 38470*g + 7471*b + 1<<15) >> 24 // as image/color converts to grey
			}
			at := k*strides[0] + y*strides[l.height] + x*strides[l.width]
			for c := range channels {
				if i := at + c*strides[l.channels]; to.DType() == tensor.Uint8 {
					to.Uint8s()[i] = uint8(values[c])
				} else {
					to.Float32s()[i] = float32(values[c]) / 255
				}
			}
		}
	}
}

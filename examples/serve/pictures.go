package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	_ "image/jpeg" // formats that image.Decode reads
	_ "image/png"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// pictures is the serve.Decoder that lets clients of the protocol send a PNG or JPEG of any size, as BYTES, in place of the
// normalized tensor of height and width.
type pictures struct{ height, width int }

// Inputs offers the picture under the name of the model's input.
func (pictures) Inputs(model *graph.Signature) []oip.TensorMetadata {
	return []oip.TensorMetadata{{Name: model.Inputs[0].Name, Datatype: oip.Bytes, Shape: []int64{1}}}
}

// Decode makes the model's input of the picture.
func (p pictures) Decode(_ context.Context, _ *graph.Signature, given []*oip.Tensor) ([]*tensor.Tensor, error) {
	if len(given) != 1 || len(given[0].Elements) != 1 {
		return nil, &serve.Error{Code: serve.InvalidArgument, Reason: "give one picture"}
	}
	x, err := p.tensor(given[0].Elements[0])
	if err != nil {
		return nil, &serve.Error{Code: serve.InvalidArgument, Reason: err.Error()}
	}
	return []*tensor.Tensor{x}, nil
}

// Mean and standard deviation of the channels of ImageNet, which torchvision's models are trained with.
var (
	mean = [3]float32{0.485, 0.456, 0.406}
	std  = [3]float32{0.229, 0.224, 0.225}
)

// mostPixels bounds a picture as it is decoded: a small file may claim a large one.
const mostPixels = 32 << 20

// tensor returns the middle of a PNG or JPEG, in the proportions of the model's input, scaled to its height and
// width and normalized: float32 [1, 3, height, width].
func (p pictures) tensor(data []byte) (*tensor.Tensor, error) {
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("no PNG or JPEG: %w", err)
	}
	if config.Width < 1 || config.Height < 1 || config.Width > mostPixels/config.Height {
		return nil, fmt.Errorf("%d x %d pixels: at most %d are taken", config.Width, config.Height, mostPixels)
	}
	picture, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	height, width := p.height, p.width
	x, err := tensor.New(tensor.Float32, 1, 3, height, width)
	if err != nil {
		return nil, err
	}
	from := middle(picture.Bounds(), height, width)
	v := x.Float32s()
	for i := range height {
		for j := range width {
			rgb := meanColor(picture, image.Rect(
				from.Min.X+j*from.Dx()/width, from.Min.Y+i*from.Dy()/height,
				from.Min.X+(j+1)*from.Dx()/width, from.Min.Y+(i+1)*from.Dy()/height))
			for c, value := range rgb {
				v[(c*height+i)*width+j] = (value - mean[c]) / std[c]
			}
		}
	}
	return x, nil
}

// middle returns the largest rectangle in the middle of b with the proportions of height and width.
func middle(b image.Rectangle, height, width int) image.Rectangle {
	w, h := b.Dx(), b.Dy()
	if w*height > h*width {
		w = max(h*width/height, 1)
	} else {
		h = max(w*height/width, 1)
	}
	at := b.Min.Add(image.Pt((b.Dx()-w)/2, (b.Dy()-h)/2))
	return image.Rectangle{at, at.Add(image.Pt(w, h))}
}

// meanColor returns the mean of red, green and blue, 0 to 1, over a rectangle, of which at least the first pixel counts.
func meanColor(picture image.Image, of image.Rectangle) (rgb [3]float32) {
	of.Max.X, of.Max.Y = max(of.Max.X, of.Min.X+1), max(of.Max.Y, of.Min.Y+1)
	var sum [3]int
	for y := of.Min.Y; y < of.Max.Y; y++ {
		for x := of.Min.X; x < of.Max.X; x++ {
			r, g, b, _ := picture.At(x, y).RGBA()
			sum[0], sum[1], sum[2] = sum[0]+int(r>>8), sum[1]+int(g>>8), sum[2]+int(b>>8)
		}
	}
	n := of.Dx() * of.Dy()
	for c, s := range sum {
		rgb[c] = float32(s) / float32(n) / 255
	}
	return rgb
}

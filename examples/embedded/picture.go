package main

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // formats that image.Decode reads
	_ "image/png"
	"io"
	"os"

	"github.com/octet-ml/octet/tensor"
)

// Bounds of a picture as it is sent and as it is decoded: a small file may claim a large one.
const (
	mostBytes  = 16 << 20
	mostPixels = 32 << 20
)

// side is that of the pictures that the model takes.
const side = 32

// Mean and standard deviation of the channels that the model was trained with.
var (
	mean = [3]float32{0.485, 0.456, 0.406}
	std  = [3]float32{0.229, 0.224, 0.225}
)

func readPicture(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostBytes+1))
	if len(data) > mostBytes {
		return nil, fmt.Errorf("more than %d bytes", mostBytes)
	}
	return data, err
}

// decode returns the square in the middle of a picture, scaled and normalized: float32 [1, 3, 32, 32].
func decode(data []byte) (*tensor.Tensor, error) {
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
	x, err := tensor.New(tensor.Float32, 1, 3, side, side)
	if err != nil {
		return nil, err
	}
	b := picture.Bounds()
	size := min(b.Dx(), b.Dy())
	left, top := b.Min.X+(b.Dx()-size)/2, b.Min.Y+(b.Dy()-size)/2
	for i := range side {
		for j := range side {
			rgb := meanColor(picture, image.Rect(left+j*size/side, top+i*size/side, left+(j+1)*size/side, top+(i+1)*size/side))
			for c, v := range rgb {
				x.Float32s()[(c*side+i)*side+j] = (v - mean[c]) / std[c]
			}
		}
	}
	return x, nil
}

// meanColor returns the mean of red, green and blue, 0 to 1, over a rectangle, of which at least the first pixel counts.
func meanColor(picture image.Image, of image.Rectangle) [3]float32 {
	of.Max.X, of.Max.Y = max(of.Max.X, of.Min.X+1), max(of.Max.Y, of.Min.Y+1)
	var sum [3]int
	for y := of.Min.Y; y < of.Max.Y; y++ {
		for x := of.Min.X; x < of.Max.X; x++ {
			r, g, b, _ := picture.At(x, y).RGBA()
			sum[0], sum[1], sum[2] = sum[0]+int(r>>8), sum[1]+int(g>>8), sum[2]+int(b>>8)
		}
	}
	pixels := float32(of.Dx() * of.Dy())
	return [3]float32{float32(sum[0]) / pixels / 255, float32(sum[1]) / pixels / 255, float32(sum[2]) / pixels / 255}
}

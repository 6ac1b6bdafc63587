// Command picture writes an image of a data set as a PNG to stdout: picture DATA.npz INDEX. The data set has x, uint8 [N, 3, height, width].
package main

import (
	"image"
	"image/color"
	"image/png"
	"log"
	"os"
	"strconv"

	"github.com/octet-ml/octet/tensor"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: picture DATA.npz INDEX")
	}
	index, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	arrays, err := tensor.ReadNPZ(os.Args[1], 0)
	if err != nil {
		log.Fatal(err)
	}
	x := arrays.Get("x")
	height, width := x.Dim(2), x.Dim(3)
	pixels := x.Uint8s()[index*3*height*width:]
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for p := range height * width {
		img.SetRGBA(p%width, p/width, color.RGBA{pixels[p], pixels[p+height*width], pixels[p+2*height*width], 255})
	}
	if err := png.Encode(os.Stdout, img); err != nil {
		log.Fatal(err)
	}
}

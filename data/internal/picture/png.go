package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
)

// decodePNG gives the colours as they are in the file, whatever alpha says. Of 16 bits it takes the upper 8.
func decodePNG(data []byte, budget int64, rotate bool) (*Picture, error) {
	c, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("PNG: %w", err)
	}
	if err := checkSize(c.Width, c.Height, bytesOf(c.ColorModel), budget); err != nil {
		return nil, err
	}
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("PNG: %w", err)
	}
	p := &Picture{Width: c.Width, Height: c.Height}
	switch m := m.(type) {
	case *image.Gray:
		p.row = spread(m.Pix, m.Stride, 1, 0, 0)
	case *image.Gray16:
		p.row = spread(m.Pix, m.Stride, 2, 0, 0)
	case *image.RGBA:
		p.row = spread(m.Pix, m.Stride, 4, 1, 2)
	case *image.NRGBA:
		p.row = spread(m.Pix, m.Stride, 4, 1, 2)
	case *image.RGBA64:
		p.row = spread(m.Pix, m.Stride, 8, 2, 4)
	case *image.NRGBA64:
		p.row = spread(m.Pix, m.Stride, 8, 2, 4)
	case *image.Paletted:
		p.row = paletteRows(m)
	default:
		return nil, fmt.Errorf("PNG: a picture of %T is not read", m)
	}
	if rotate {
		p.turn(pngOrientation(data))
	}
	return p, nil
}

// bytesOf returns how many bytes a pixel takes at most while it is decoded.
func bytesOf(m color.Model) int {
	switch m {
	case color.GrayModel:
		return 1
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	case color.RGBAModel, color.NRGBAModel:
		return 4
	}
	return 2
}

// spread returns rows of pixels of so many bytes, whose second and third colours are at these places.
func spread(pix []byte, stride, bytes, second, third int) func(y int, rgb []byte) {
	return func(y int, rgb []byte) {
		row := pix[y*stride:]
		for i := 0; i < len(rgb); i, row = i+3, row[bytes:] {
			rgb[i], rgb[i+1], rgb[i+2] = row[0], row[second], row[third]
		}
	}
}

func paletteRows(m *image.Paletted) func(y int, rgb []byte) {
	var palette [256][3]byte
	for i, c := range m.Palette {
		n := color.NRGBAModel.Convert(c).(color.NRGBA) // as it is: the decoder's colours are these, or opaque
		palette[i] = [3]byte{n.R, n.G, n.B}
	}
	return func(y int, rgb []byte) {
		for x, k := range m.Pix[y*m.Stride:][:len(rgb)/3] {
			copy(rgb[3*x:], palette[k][:])
		}
	}
}

// pngOrientation returns the orientation in the chunk of Exif data, 1 without one.
func pngOrientation(data []byte) int {
	for at := 8; at+12 <= len(data); {
		n := int64(binary.BigEndian.Uint32(data[at:]))
		if int64(at)+12+n > int64(len(data)) {
			break
		}
		if string(data[at+4:at+8]) == "eXIf" {
			return exifOrientation(data[at+8 : at+8+int(n)])
		}
		at += 12 + int(n)
	}
	return 1
}

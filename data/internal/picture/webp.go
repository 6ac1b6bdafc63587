package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
)

var errWebP = errors.New("WebP: the file ends within a chunk, or has no picture")

// decodeWebP gives the colours of the picture, or of the first frame of an animation, whatever alpha says.
func decodeWebP(data []byte, budget int64, rotate bool) (*Picture, error) {
	orientation := 1
	var p *Picture
	var err error
	chunks(data[12:], func(id string, chunk []byte) bool {
		switch {
		case id == "ANMF" && len(chunk) > 16 && p == nil && err == nil:
			chunks(chunk[16:], func(id string, chunk []byte) bool {
				p, err = decodeFrame(id, chunk, budget)
				return p == nil && err == nil
			})
		case id == "EXIF":
			orientation = exifOrientation(bytes.TrimPrefix(chunk, []byte("Exif\x00\x00")))
		case p == nil && err == nil:
			p, err = decodeFrame(id, chunk, budget)
		}
		return err == nil
	})
	switch {
	case err != nil:
		return nil, err
	case p == nil:
		return nil, errWebP
	}
	if rotate {
		p.turn(orientation)
	}
	return p, nil
}

// chunks calls do with the chunks of a RIFF file until it returns false. One that is not whole ends them.
func chunks(data []byte, do func(id string, chunk []byte) bool) {
	for len(data) >= 8 {
		n := int64(binary.LittleEndian.Uint32(data[4:]))
		if n > int64(len(data)-8) || !do(string(data[:4]), data[8:8+n]) {
			return
		}
		data = data[min(8+int(n)+int(n)%2, len(data)):]
	}
}

// decodeFrame decodes a chunk that is a picture; nil of others.
func decodeFrame(id string, chunk []byte, budget int64) (*Picture, error) {
	switch id {
	case "VP8 ":
		return decodeLossy(chunk, budget)
	case "VP8L":
		return decodeLossless(chunk, budget)
	}
	return nil, nil
}

func decodeLossless(chunk []byte, budget int64) (*Picture, error) {
	c, err := vp8l.DecodeConfig(bytes.NewReader(chunk))
	if err != nil {
		return nil, fmt.Errorf("WebP: %w", err)
	}
	if err := checkSize(c.Width, c.Height, 8, budget); err != nil {
		return nil, err
	}
	m, err := vp8l.Decode(bytes.NewReader(chunk))
	if err != nil {
		return nil, fmt.Errorf("WebP: %w", noEOF(err))
	}
	n, ok := m.(*image.NRGBA)
	if !ok {
		return nil, fmt.Errorf("WebP: a picture of %T is not read", m)
	}
	return &Picture{Width: c.Width, Height: c.Height, row: spread(n.Pix, n.Stride, 4, 1, 2)}, nil
}

func decodeLossy(chunk []byte, budget int64) (*Picture, error) {
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(chunk), len(chunk))
	h, err := d.DecodeFrameHeader()
	if err != nil {
		return nil, fmt.Errorf("WebP: %w", noEOF(err))
	}
	if err := checkSize(h.Width, h.Height, 2, budget); err != nil {
		return nil, err
	}
	m, err := d.DecodeFrame()
	if err != nil {
		return nil, fmt.Errorf("WebP: %w", noEOF(err))
	}
	cb, cr := chromaPlanes(m)
	row := func(y int, rgb []byte) {
		width := len(rgb) / 3
		line := make([]byte, 2*width)
		u, v := line[:width], line[width:]
		cb.bilinear(y, u)
		cr.bilinear(y, v)
		for x, l := range m.Y[y*m.YStride:][:width] {
			rgb[3*x], rgb[3*x+1], rgb[3*x+2] = studio(l, u[x], v[x])
		}
	}
	return &Picture{Width: h.Width, Height: h.Height, row: row}, nil
}

// noEOF makes the end of the bytes within a picture an error that says so.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// bilinear writes the samples of row y of the picture, interpolated as libwebp does: 9, 3, 3 and 1 sixteenths of the four nearest.
func (p *plane) bilinear(y int, out []byte) {
	near, far := p.rows(y)
	for x := range out {
		k := x / 2
		next := max(k-1, 0)
		if x%2 == 1 {
			next = min(k+1, p.width-1)
		}
		n, a, b, c := int(near[k]), int(near[next]), int(far[k]), int(far[next])
		out[x] = byte(((n+3*a+3*b+c+8)>>3 + n) >> 1)
	}
}

// studio turns Y of 16 to 235 and Cb and Cr of 16 to 240 (BT.601) into colours, with the rounding of libwebp: 8 bits of each product are
// dropped, 6 of the sum. R = 1.164 (Y-16) + 1.596 (Cr-128) and so on.
func studio(y, cb, cr byte) (r, g, b byte) {
	l, u, v := int32(y)*19077>>8, int32(cb), int32(cr)
	return clamp8((l + v*26149>>8 - 14234) >> 6), clamp8((l - u*6419>>8 - v*13320>>8 + 8708) >> 6), clamp8((l + u*33050>>8 - 17685) >> 6)
}

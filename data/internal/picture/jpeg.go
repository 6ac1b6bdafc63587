package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
)

// jpegHeader is what the markers before the first scan say.
type jpegHeader struct {
	width, height int
	components    int
	orientation   int
	transform     byte   // of the Adobe marker
	adobe         [2]int // its place, from and to; 0 without one
	step          int    // pixels for each sample of the second component, of those that four may have
}

// readJPEGHeader reads the markers up to the first scan.
func readJPEGHeader(data []byte) (h jpegHeader, err error) {
	h.orientation = 1
	for at := 2; ; {
		for at < len(data) && data[at] != 0xff { // what is between markers is skipped, as libjpeg does
			at++
		}
		for at < len(data) && data[at] == 0xff {
			at++
		}
		if at+3 > len(data) {
			return h, io.ErrUnexpectedEOF
		}
		marker := data[at]
		if marker == 0x01 || marker >= 0xd0 && marker <= 0xd8 || marker == 0 { // without a segment
			at++
			continue
		}
		n := int(binary.BigEndian.Uint16(data[at+1:]))
		if n < 2 || at+1+n > len(data) {
			return h, io.ErrUnexpectedEOF
		}
		segment := data[at+3 : at+1+n]
		switch {
		case marker == 0xda || marker == 0xd9:
			return h, nil
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc && len(segment) >= 6:
			h.height, h.width = int(binary.BigEndian.Uint16(segment[1:])), int(binary.BigEndian.Uint16(segment[3:]))
			h.components, h.step = int(segment[5]), 1
			if len(segment) > 7 && segment[7] == 0x22 {
				h.step = 2
			}
		case marker == 0xee && len(segment) >= 12 && string(segment[:5]) == "Adobe":
			h.adobe, h.transform = [2]int{at - 1, at + 1 + n}, segment[11]
		case marker == 0xe1 && bytes.HasPrefix(segment, []byte("Exif\x00\x00")):
			h.orientation = exifOrientation(segment[6:])
		}
		at += 1 + n
	}
}

// adobeCMYK is an Adobe marker that says that four components are not to be transformed.
var adobeCMYK = []byte{0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0}

// decodeJPEG decodes with the standard library, whose planes are right but whose colours take the nearest sample of chroma: here
// chroma is interpolated as in libjpeg.
func decodeJPEG(data []byte, budget int64, rotate bool) (*Picture, error) {
	h, err := readJPEGHeader(data)
	if err != nil {
		return nil, fmt.Errorf("JPEG: %w", err)
	}
	if h.components == 0 {
		return nil, errors.New("JPEG: it has no frame")
	}
	// Planes and, of progressive pictures, coefficients of 4 bytes.
	if err := checkSize(h.width, h.height, 5*h.components, budget); err != nil {
		return nil, err
	}
	if h.components == 4 {
		// As plain CMYK the four planes come out as they are, with those of chroma repeated.
		data = bytes.Join([][]byte{data[:2], adobeCMYK, data[2:max(h.adobe[0], 2)], data[max(h.adobe[1], 2):]}, nil)
	}
	m, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("JPEG: %w", err)
	}
	p := &Picture{Width: m.Bounds().Dx(), Height: m.Bounds().Dy()}
	switch m := m.(type) {
	case *image.Gray:
		p.row = func(y int, rgb []byte) {
			for x, v := range m.Pix[y*m.Stride:][:p.Width] {
				rgb[3*x], rgb[3*x+1], rgb[3*x+2] = v, v, v
			}
		}
	case *image.YCbCr:
		p.row = ycbcrRows(m)
	case *image.RGBA:
		p.row = func(y int, rgb []byte) { fromRGBA(rgb, m.Pix[y*m.Stride:]) }
	case *image.CMYK:
		p.row = cmykRows(m, h.adobe[1] > 0 && h.transform != 0, h.step)
	default:
		return nil, fmt.Errorf("JPEG: a picture of %T is not read", m)
	}
	if rotate {
		p.turn(h.orientation)
	}
	return p, nil
}

// fromRGBA drops the fourth byte of each pixel.
func fromRGBA(rgb, rgba []byte) {
	for i := 0; i < len(rgb)/3; i++ {
		rgb[3*i], rgb[3*i+1], rgb[3*i+2] = rgba[4*i], rgba[4*i+1], rgba[4*i+2]
	}
}

// plane is one of chroma.
type plane struct {
	pix                   []byte
	stride, width, height int
	across, down          int // pixels for each sample
}

// ratios are the pixels for each sample of chroma.
var ratios = map[image.YCbCrSubsampleRatio][2]int{
	image.YCbCrSubsampleRatio444: {1, 1}, image.YCbCrSubsampleRatio422: {2, 1}, image.YCbCrSubsampleRatio420: {2, 2},
	image.YCbCrSubsampleRatio440: {1, 2}, image.YCbCrSubsampleRatio411: {4, 1}, image.YCbCrSubsampleRatio410: {4, 2},
}

func chromaPlanes(m *image.YCbCr) (cb, cr plane) {
	r := ratios[m.SubsampleRatio]
	w, h := m.Rect.Dx(), m.Rect.Dy()
	p := plane{stride: m.CStride, width: (w + r[0] - 1) / r[0], height: (h + r[1] - 1) / r[1], across: r[0], down: r[1]}
	cb, cr = p, p
	cb.pix, cr.pix = m.Cb, m.Cr
	return cb, cr
}

func ycbcrRows(m *image.YCbCr) func(y int, rgb []byte) {
	cb, cr := chromaPlanes(m)
	return func(y int, rgb []byte) {
		width := len(rgb) / 3
		// Rows are made from several goroutines' pictures, so the lines are each call's own.
		line := make([]byte, 2*width)
		u, v := line[:width], line[width:]
		cb.triangle(y, u)
		cr.triangle(y, v)
		for x, l := range m.Y[y*m.YStride:][:width] {
			rgb[3*x], rgb[3*x+1], rgb[3*x+2] = jfif(l, u[x], v[x])
		}
	}
}

// jfif turns Y, Cb and Cr of the full range into colours, with 16 bits of fraction: R = Y + 1.402 (Cr-128),
// G = Y - 0.34414 (Cb-128) - 0.71414 (Cr-128), B = Y + 1.772 (Cb-128).
func jfif(y, cb, cr byte) (r, g, b byte) {
	const half = 1 << 15
	l, u, v := int32(y), int32(cb)-128, int32(cr)-128
	return clamp8(l + (91881*v+half)>>16), clamp8(l + (-22554*u-46802*v+half)>>16), clamp8(l + (116130*u+half)>>16)
}

// triangle writes the samples of row y of the picture, interpolated as libjpeg does ("fancy upsampling"): the nearest sample counts
// three times, the next one once. Planes of other ratios than 2, and the narrowest, are repeated.
func (p *plane) triangle(y int, out []byte) {
	switch {
	case p.across == 1 && p.down == 1:
		copy(out, p.pix[y*p.stride:][:len(out)])
	case p.across == 1 && p.down == 2:
		near, far := p.rows(y)
		bias := 1 + y%2
		for x := range out {
			out[x] = byte((3*int(near[x]) + int(far[x]) + bias) >> 2)
		}
	case p.across == 2 && p.down == 1 && p.width > 2:
		row := p.pix[y*p.stride:][:p.width]
		for x := range out {
			k := x / 2
			if x%2 == 0 {
				out[x] = byte((3*int(row[k]) + int(row[max(k-1, 0)]) + 1) >> 2)
			} else {
				out[x] = byte((3*int(row[k]) + int(row[min(k+1, p.width-1)]) + 2) >> 2)
			}
		}
	case p.across == 2 && p.down == 2 && p.width > 2:
		near, far := p.rows(y)
		sum := func(k int) int { return 3*int(near[k]) + int(far[k]) }
		for x := range out {
			k := x / 2
			if x%2 == 0 {
				out[x] = byte((3*sum(k) + sum(max(k-1, 0)) + 8) >> 4)
			} else {
				out[x] = byte((3*sum(k) + sum(min(k+1, p.width-1)) + 7) >> 4)
			}
		}
	default:
		row := p.pix[y/p.down*p.stride:]
		for x := range out {
			out[x] = row[x/p.across]
		}
	}
}

// rows returns the row of samples that is nearest to row y of the picture, and the next one.
func (p *plane) rows(y int) (near, far []byte) {
	k := y / 2
	other := max(k-1, 0)
	if y%2 == 1 {
		other = min(k+1, p.height-1)
	}
	return p.pix[k*p.stride:][:p.width], p.pix[other*p.stride:][:p.width]
}

// cmykRows returns the rows of four planes that were decoded without a transform, of which the first three are Y, Cb and Cr where ycck
// says so, and the second and third have a sample for each step pixels, across and down. Pillow takes all for inverted, as Adobe writes them.
func cmykRows(m *image.CMYK, ycck bool, step int) func(y int, rgb []byte) {
	second, third := repeatedPlane(m, 1, step), repeatedPlane(m, 2, step)
	return func(y int, rgb []byte) {
		width := len(rgb) / 3
		line := make([]byte, 2*width)
		u, v := line[:width], line[width:]
		second.triangle(y, u)
		third.triangle(y, v)
		// What the decoder gives is 255 less what is in the file, which is what Pillow has of plain CMYK.
		pix := m.Pix[y*m.Stride:]
		for x := range width {
			c, magenta, yellow := pix[4*x], 255-u[x], 255-v[x]
			if ycck {
				c, magenta, yellow = jfif(255-c, u[x], v[x])
			}
			white := 255 - int32(pix[4*x+3])
			rgb[3*x], rgb[3*x+1], rgb[3*x+2] = lessInk(white, c), lessInk(white, magenta), lessInk(white, yellow)
		}
	}
}

// lessInk returns what a colour that black has left of is with some ink: white - ink*white/255, rounded.
func lessInk(white int32, ink byte) byte {
	v := int32(ink)*white + 128
	return clamp8(white - (v>>8+v)>>8)
}

// repeatedPlane returns a plane of a picture, of whose samples each was repeated for step pixels across and down.
func repeatedPlane(m *image.CMYK, channel, step int) plane {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	p := plane{across: step, down: step, width: (w + step - 1) / step, height: (h + step - 1) / step}
	p.stride = p.width
	p.pix = make([]byte, p.stride*p.height)
	for y := range p.height {
		for x := range p.width {
			p.pix[y*p.stride+x] = 255 - m.Pix[y*step*m.Stride+4*x*step+channel]
		}
	}
	return p
}

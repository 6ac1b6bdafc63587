// Package picture decodes JPEG, PNG and WebP to the pixels that Pillow gives, and resizes and crops them as torchvision does.
package picture

import (
	"bytes"
	"errors"
	"fmt"
)

// Picture is a decoded picture, whose colours are made row by row: its planes may be smaller.
type Picture struct {
	Width, Height int
	// row writes row y as red, green and blue of each pixel.
	row func(y int, rgb []byte)
}

// MaxPixels is the most that a picture may have: more than any camera gives.
const MaxPixels = 200_000_000

// SizeError says that a picture claims more than may be decoded.
type SizeError struct {
	Width, Height int
	Limit         int64 // bytes, 0: MaxPixels
}

func (e *SizeError) Error() string {
	if e.Limit == 0 {
		return fmt.Sprintf("a picture of %d x %d pixels, where at most %d million are read", e.Width, e.Height, MaxPixels/1_000_000)
	}
	return fmt.Sprintf("a picture of %d x %d pixels takes more memory than the %d bytes that are allowed", e.Width, e.Height, e.Limit)
}

// FormatError says that bytes are no picture of a kind that is read.
type FormatError struct{ Kind string }

func (e *FormatError) Error() string {
	if e.Kind == "" {
		return "not a picture: JPEG, PNG and WebP are read"
	}
	return e.Kind + ", which is not read: convert it to JPEG, PNG or WebP"
}

// signatures are the first bytes of kinds of pictures.
var signatures = []struct {
	kind, magic string
	at          int
	decode      func(data []byte, budget int64, rotate bool) (*Picture, error) // nil: not read
}{
	{"JPEG", "\xff\xd8", 0, decodeJPEG},
	{"PNG", "\x89PNG\r\n\x1a\n", 0, decodePNG},
	{"WebP", "WEBP", 8, decodeWebP},
	{"a GIF", "GIF8", 0, nil},
	{"a BMP", "BM", 0, nil},
	{"a TIFF", "II*\x00", 0, nil},
	{"a TIFF", "MM\x00*", 0, nil},
	{"an AVIF", "ftypavif", 4, nil},
	{"a HEIC", "ftypheic", 4, nil},
	{"a HEIC", "ftypmif1", 4, nil},
	{"a PPM", "P6", 0, nil},
	{"a PGM", "P5", 0, nil},
}

// Decode decodes a picture of any kind by its first bytes. What it is decoded to takes at most about budget bytes; 0 is no bound but
// MaxPixels. With rotate the picture is turned as its Exif orientation says. It fails with a *SizeError before memory is taken,
// with a *FormatError for what is no picture, and else with what the decoder says.
func Decode(data []byte, budget int64, rotate bool) (*Picture, error) {
	for _, s := range signatures {
		if len(data) < s.at || !bytes.HasPrefix(data[s.at:], []byte(s.magic)) {
			continue
		}
		if s.decode == nil {
			return nil, &FormatError{s.kind}
		}
		return s.decode(data, budget, rotate)
	}
	return nil, &FormatError{}
}

// checkSize refuses what is too large, where each pixel takes so many bytes.
func checkSize(width, height, bytes int, budget int64) error {
	switch n := int64(width) * int64(height); {
	case width <= 0 || height <= 0:
		return errors.New("the picture has no pixels")
	case n > MaxPixels:
		return &SizeError{width, height, 0}
	case budget > 0 && n*int64(bytes) > budget:
		return &SizeError{width, height, budget}
	}
	return nil
}

// RGB returns all pixels: red, green and blue of each, row by row.
func (p *Picture) RGB() []byte {
	out := make([]byte, 3*p.Width*p.Height)
	for y := range p.Height {
		p.row(y, out[3*p.Width*y:][:3*p.Width])
	}
	return out
}

func clamp8(v int32) byte { return byte(min(max(v, 0), 255)) }

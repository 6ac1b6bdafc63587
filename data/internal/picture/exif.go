package picture

import "encoding/binary"

// exifOrientation returns the orientation in an Exif block, a TIFF header with a list of tags: 1 (as it is) to 8.
func exifOrientation(tiff []byte) int {
	const upright, orientationTag = 1, 0x0112
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(tiff[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return upright
	}
	count := int64(order.Uint16(tiff[at:]))
	for i := range count {
		entry := at + 2 + 12*i
		if entry+12 > int64(len(tiff)) {
			return upright
		}
		if order.Uint16(tiff[entry:]) == orientationTag {
			if v := int(order.Uint16(tiff[entry+8:])); v >= 1 && v <= 8 {
				return v
			}
			return upright
		}
	}
	return upright
}

// turn makes the picture upright that has an orientation.
func (p *Picture) turn(orientation int) {
	if orientation <= 1 || orientation > 8 {
		return
	}
	w, h := p.Width, p.Height
	from := p.RGB()
	turned := Picture{Width: w, Height: h}
	if orientation >= 5 { // rows become columns
		turned.Width, turned.Height = h, w
	}
	turned.row = func(y int, rgb []byte) {
		for x := range turned.Width {
			sx, sy := x, y
			if orientation >= 5 {
				sx, sy = y, x
			}
			if orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8 {
				sx = w - 1 - sx
			}
			if orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7 {
				sy = h - 1 - sy
			}
			copy(rgb[3*x:3*x+3], from[3*(sy*w+sx):])
		}
	}
	*p = turned
}

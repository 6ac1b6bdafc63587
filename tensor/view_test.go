package tensor

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

func TestShapeNumel(t *testing.T) {
	const most = maxNumel
	for _, c := range []struct {
		shape Shape
		want  int // -1 for an error
	}{
		{Shape{}, 1}, {Shape{3}, 3}, {Shape{2, 3, 4}, 24}, {Shape{2, 0, 4}, 0}, {Shape{0}, 0},
		{Shape{-1}, -1}, {Shape{0, -1}, -1}, {Shape{most}, most}, {Shape{most + 1}, -1},
		{Shape{1 << 30, 1 << 30, 4}, -1}, {Shape{1 << 30, 1 << 30, 16}, -1}, {Shape{math.MaxInt, math.MaxInt}, -1},
		{Shape{1 << 15, 1 << 12}, 1 << 27}, {Shape{math.MinInt}, -1},
	} {
		got, err := c.shape.Numel()
		if (err != nil) != (c.want < 0) || err == nil && got != c.want {
			t.Errorf("Numel of %v is %d, %v; want %d", c.shape, got, err, c.want)
		}
		if c.want < 0 {
			if _, err := New(Float64, c.shape...); err == nil {
				t.Errorf("made a tensor of shape %v", c.shape)
			}
		}
	}
}

func TestShapeStringAxis(t *testing.T) {
	if got := (Shape{1, 3, 224}).String(); got != "[1, 3, 224]" {
		t.Errorf("shape formats as %s", got)
	}
	for _, c := range []struct {
		shape Shape
		axis  int
		want  int // -1 for an error
	}{{Shape{2, 3}, 0, 0}, {Shape{2, 3}, -1, 1}, {Shape{2, 3}, 2, -1}, {Shape{2, 3}, -3, -1}, {Shape{}, 0, 0}, {Shape{}, -1, 0}, {Shape{}, 1, -1}} {
		got, err := c.shape.Axis(c.axis)
		if (err != nil) != (c.want < 0) || err == nil && got != c.want {
			t.Errorf("dimension %d of %v is %d, %v; want %d", c.axis, c.shape, got, err, c.want)
		}
	}
}

func TestBroadcast(t *testing.T) {
	for _, c := range []struct{ a, b, want Shape }{
		{Shape{2, 3}, Shape{3}, Shape{2, 3}}, {Shape{2, 1}, Shape{1, 3}, Shape{2, 3}}, {Shape{}, Shape{4}, Shape{4}},
		{Shape{0}, Shape{1}, Shape{0}}, {Shape{5, 1, 7}, Shape{6, 1}, Shape{5, 6, 7}}, {Shape{2}, Shape{3}, nil}, {Shape{0}, Shape{2}, nil},
	} {
		for _, p := range [][2]Shape{{c.a, c.b}, {c.b, c.a}} {
			got, err := Broadcast(p[0], p[1])
			if (err != nil) != (c.want == nil) || !got.Equal(c.want) {
				t.Errorf("%v and %v broadcast to %v, %v; want %v", p[0], p[1], got, err, c.want)
			}
		}
	}
}

func TestInferShape(t *testing.T) {
	for _, c := range []struct {
		n           int
		shape, want []int
	}{
		{12, []int{3, -1}, []int{3, 4}}, {12, []int{-1}, []int{12}}, {0, []int{0, 4}, []int{0, 4}}, {1, []int{}, []int{}},
		{12, []int{5, -1}, nil}, {12, []int{-1, -1}, nil}, {12, []int{-2, 6}, nil}, {0, []int{0, -1}, nil}, {12, []int{3, 5}, nil},
		{4, []int{math.MaxInt/4 + 1, 4, -1}, nil}, {0, []int{math.MaxInt/4 + 1, 4}, nil}, {12, []int{math.MaxInt, math.MaxInt}, nil},
	} {
		got, err := InferShape(c.n, c.shape)
		if (err != nil) != (c.want == nil) || err == nil && !got.Equal(c.want) {
			t.Errorf("%d elements as %v give %v, %v; want %v", c.n, c.shape, got, err, c.want)
		}
	}
}

func TestViewBounds(t *testing.T) {
	const huge = math.MaxInt
	data := AlignedBytes(24 * 4)
	for _, c := range []struct {
		name           string
		offset         int
		shape, strides []int
		ok             bool
	}{
		{"whole", 0, []int{2, 3, 4}, []int{12, 4, 1}, true},
		{"transposed", 0, []int{4, 6}, []int{1, 4}, true},
		{"expanded", 3, []int{1000, 2}, []int{0, 1}, true},
		{"last element", 23, []int{}, []int{}, true},
		{"overlapping windows", 0, []int{20, 5}, []int{1, 1}, true},
		{"stride of a single index", 0, []int{1, 24}, []int{huge, 1}, true},
		{"empty anywhere", 1000, []int{0, 5}, []int{5, 1}, true},
		{"one past", 24, []int{}, []int{}, false},
		{"offset too large", 1, []int{24}, []int{1}, false},
		{"stride too large", 0, []int{2, 13}, []int{12, 1}, false},
		{"negative stride", 23, []int{24}, []int{-1}, false},
		{"negative offset", -1, []int{1}, []int{1}, false},
		{"negative extent", 0, []int{-1}, []int{1}, false},
		{"huge stride", 0, []int{3}, []int{huge}, false},
		{"stride that wraps to 0", 0, []int{5}, []int{huge/2 + 1}, false},
		{"strides whose sum wraps", 0, []int{2, 2, 2}, []int{huge, huge, 2}, false},
		{"huge offset", huge, []int{1}, []int{1}, false},
		{"huge offset and stride", huge, []int{2}, []int{huge}, false},
		{"ranks differ", 0, []int{2, 2}, []int{1}, false},
		{"too many elements", 0, []int{1 << 30, 1 << 30}, []int{0, 0}, false},
	} {
		v, err := View(Float32, data, c.offset, c.shape, c.strides)
		if (err == nil) != c.ok {
			t.Errorf("%s: error %v, want ok %v", c.name, err, c.ok)
		}
		if err == nil && v.Numel() < 5000 {
			v.Clone() // reads every element; slices panic outside the storage
		}
	}
	if _, err := View(Float32, data[1:], 0, []int{2}, []int{1}); err == nil {
		t.Error("view of data that is not aligned")
	}
	if _, err := View(Invalid, data, 0, []int{2}, []int{1}); err == nil {
		t.Error("view of no type")
	}
}

// FuzzView compares View with counting in big steps that cannot wrap, and reads
// every element of what it accepts.
func FuzzView(f *testing.F) {
	f.Add(uint8(24), []byte{0, 2, 12, 3, 4, 4, 1})
	f.Add(uint8(10), []byte{9})
	f.Add(uint8(0), []byte{0, 0, 1})
	f.Add(uint8(255), binary.LittleEndian.AppendUint64([]byte{0, 2}, math.MaxInt64))
	f.Fuzz(func(t *testing.T, n uint8, spec []byte) {
		next := func() int {
			if len(spec) == 0 {
				return 1
			}
			v := int(int8(spec[0]))
			if spec = spec[1:]; v == -128 && len(spec) >= 8 { // now and then any int at all
				v = int(binary.LittleEndian.Uint64(spec))
				spec = spec[8:]
			}
			return v
		}
		offset := next()
		var shape, strides []int
		for len(spec) > 0 && len(shape) < 5 {
			shape, strides = append(shape, next()), append(strides, next())
		}
		v, err := View(Uint8, make([]byte, n), offset, shape, strides)
		if err == nil {
			if v.Numel() < 1<<16 {
				v.Clone()
			}
			return
		}
		valid := offset >= 0
		count, last := 1.0, float64(offset)
		for i, d := range shape {
			valid = valid && d >= 0
			count *= float64(d)
			if d > 1 {
				last += float64(d-1) * float64(strides[i])
			}
			valid = valid && (strides[i] >= 0 || d <= 0)
		}
		if valid && count > 0 && count < maxNumel && last < float64(n) {
			t.Errorf("refused offset %d, shape %v, strides %v in %d bytes: %v", offset, shape, strides, n, err)
		}
	})
}

func TestPermuteSliceCopy(t *testing.T) {
	base := counted(t, Int32, Shape{2, 3, 4})
	p := must(base.Permute(2, 0, -2))
	if !p.Shape().Equal(Shape{4, 2, 3}) || p.IsContiguous() || p.Bytes() != nil || p.Int32s() != nil {
		t.Fatalf("permuted to %v, strides %v", p, p.Strides())
	}
	for i, v := range p.Contiguous().Int32s() {
		if want := int32(i/6 + i/3%2*12 + i%3*4); v != want {
			t.Fatalf("element %d is %d, want %d", i, v, want)
		}
	}
	for _, bad := range [][]int{{0, 1}, {0, 1, 1}, {0, 1, 3}, {0, 1, -4}} {
		if _, err := base.Permute(bad...); err == nil {
			t.Errorf("permuted by %v", bad)
		}
	}
	for _, c := range []struct {
		axis, start, end, step int
		want                   []int32
	}{
		{2, 1, 4, 2, []int32{1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23}},
		{-3, -1, math.MaxInt, 1, []int32{12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
		{1, 2, -2, 1, []int32{}},
		{1, -100, 1, 5, []int32{0, 1, 2, 3, 12, 13, 14, 15}},
	} {
		s, err := base.Slice(c.axis, c.start, c.end, c.step)
		if err != nil || !slices.Equal(s.Contiguous().Int32s(), c.want) {
			t.Errorf("slice %v is %v, %v", c, s.Contiguous().Int32s(), err)
		}
	}
	if s, err := base.Slice(0, math.MinInt, math.MaxInt, math.MaxInt); err != nil || s.Dim(0) != 1 {
		t.Errorf("slice with extreme bounds: %v, %v", s, err)
	} else {
		s.Clone()
	}
	for _, bad := range [][2]int{{3, 1}, {0, 0}, {0, -1}} {
		if _, err := base.Slice(bad[0], 0, 1, bad[1]); err == nil {
			t.Errorf("sliced dimension %d with step %d", bad[0], bad[1])
		}
	}
	every := must(base.Slice(2, 0, 4, 2))
	dst := must(must(New(Int32, 2, 2, 3)).Permute(0, 2, 1))
	if err := dst.CopyFrom(every); err != nil || !same(dst, every) {
		t.Errorf("strided copy gave %v (%v), want %v", dst.Contiguous().Int32s(), err, every.Contiguous().Int32s())
	}
	for _, src := range []*Tensor{base, counted(t, Int64, Shape{2, 3, 2})} {
		if err := dst.CopyFrom(src); err == nil {
			t.Errorf("copied %v into %v", src, dst)
		}
	}
	for _, d := range allTypes {
		c := counted(t, d, Shape{3, 5})
		if back := must(must(c.Permute(1, 0)).Contiguous().Permute(1, 0)); !same(back, c) {
			t.Errorf("%v: transposing twice changed the elements", d)
		}
	}
}

func TestReshape(t *testing.T) {
	base := counted(t, Int32, Shape{2, 6})
	r, err := base.Reshape(-1, 4)
	if err != nil || !r.Shape().Equal(Shape{3, 4}) {
		t.Fatalf("reshaped to %v, %v", r, err)
	}
	r.Int32s()[0] = 99
	if base.Int32s()[0] != 99 {
		t.Error("reshape made a copy")
	}
	p := must(base.Permute(1, 0))
	if _, err := p.Reshape(12); err == nil {
		t.Error("reshaped a tensor that is not contiguous")
	}
	if _, err := base.Reshape(5, -1); err == nil {
		t.Error("reshaped 12 elements to rows of 5")
	}
}

func TestFromSliceBytes(t *testing.T) {
	if _, err := FromSlice([]float32{1, 2, 3}, 2); err == nil {
		t.Error("3 values made a shape of 2")
	}
	b := AlignedBytes(9)
	if _, err := FromBytes(Float32, b[1:], 2); err == nil {
		t.Error("made float32 of bytes that are not aligned")
	}
	if _, err := FromBytes(Float32, b[:0], 0); err != nil {
		t.Error(err)
	}
	for _, n := range []int{0, 1, 63, 64, 1000} {
		if b := AlignedBytes(n); len(b) != n || cap(b) != n {
			t.Errorf("%d bytes have length %d, capacity %d", n, len(b), cap(b))
		}
	}
	if v := Scalar[int64](7); v.Rank() != 0 || v.Numel() != 1 || v.Int64s()[0] != 7 {
		t.Errorf("scalar is %v", v)
	}
	if v := must(New(Float32, 2)); Data[float64](v) != nil || len(v.Float32s()) != 2 || v.Dim(-1) != 2 {
		t.Errorf("typed access of %v", v)
	}
}

func TestQParamsValidate(t *testing.T) {
	shape := Shape{2, 3}
	ok := func() *QParams {
		return &QParams{DType: Int8, Scheme: PerChannelSymmetric, Scale: []float32{1, 2, 3}, ZeroPoint: []int32{0, 0, 0}, Axis: 1, Min: -128, Max: 127}
	}
	if err := ok().Validate(shape); err != nil {
		t.Error(err)
	}
	if err := PerTensor(Uint8, 0.1, 255).Validate(shape); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*QParams){
		"float":          func(q *QParams) { q.DType = Float32 },
		"axis":           func(q *QParams) { q.Axis = 2 },
		"negative axis":  func(q *QParams) { q.Axis = -1 },
		"scales":         func(q *QParams) { q.Scale = q.Scale[:2] },
		"zero points":    func(q *QParams) { q.ZeroPoint = nil },
		"scale of 0":     func(q *QParams) { q.Scale[1] = 0 },
		"scale NaN":      func(q *QParams) { q.Scale[2] = float32(math.NaN()) },
		"scale infinite": func(q *QParams) { q.Scale[2] = float32(math.Inf(1)) },
		"zero point":     func(q *QParams) { q.ZeroPoint[0] = 128 },
		"range":          func(q *QParams) { q.Max = 128 },
		"empty range":    func(q *QParams) { q.Max = q.Min },
	} {
		q := ok()
		spoil(q)
		if q.Validate(shape) == nil {
			t.Errorf("accepted a bad %s", name)
		}
	}
	for s := PerTensorAffine; s <= PerChannelSymmetric; s++ {
		if got, err := ParseQScheme(s.String()); err != nil || got != s {
			t.Errorf("%v parses as %v, %v", s, got, err)
		}
	}
	for _, d := range allTypes {
		for _, name := range []string{d.String(), d.Short()} {
			if got, err := ParseDType(name); err != nil || got != d {
				t.Errorf("%s parses as %v, %v", name, got, err)
			}
		}
	}
}

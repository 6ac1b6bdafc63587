package oip

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/tensor"
)

// jsonBody is a body without binary tensors.
func jsonBody(text string) Body { return Body{Size: int64(len(text)), HeaderLength: -1} }

func readJSON(text string) (*InferRequest, error) {
	return ReadInferRequest(strings.NewReader(text), jsonBody(text), nil)
}

// randomTensors returns a tensor of every datatype.
func randomTensors(t *testing.T, rng *rand.Rand) []*Tensor {
	t.Helper()
	var all []*Tensor
	for _, dtype := range []tensor.DType{tensor.Bool, tensor.Uint8, tensor.Int8, tensor.Int32, tensor.Int64, tensor.Float16, tensor.BFloat16, tensor.Float32, tensor.Float64} {
		shape := []int{2, 3, 4}[:rng.IntN(4)]
		wide, err := tensor.New(tensor.Float64, shape...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range tensor.Data[float64](wide) {
			tensor.Data[float64](wide)[i] = rng.Float64()*200 - 100
		}
		value, err := wide.To(dtype)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, NewTensor("in "+dtype.String(), value))
	}
	return append(all, NewBytes("text", []byte("a \"quoted\" text"), nil, []byte("Grüße\n")))
}

// message text of a tensor, to compare.
func describe(t *Tensor) string {
	if t.Value == nil {
		return fmt.Sprintf("%s %s %v %q", t.Name, t.Datatype, t.Shape, t.Elements)
	}
	return fmt.Sprintf("%s %s %v %x", t.Name, t.Datatype, t.Shape, t.Value.Bytes())
}

func TestRequestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		want := &InferRequest{
			ID:         "7 \u00e4",
			Parameters: Parameters{"priority": int64(3), "text": "x", "on": true, "ratio": 0.5},
			Inputs:     randomTensors(t, rng),
			Outputs:    []RequestedOutput{{Name: "a"}, {Name: "b", Parameters: Parameters{BinaryData: true}}},
		}
		for _, in := range want.Inputs {
			in.Binary = round > 0 && rng.IntN(2) == 0
		}
		body, headerLength, err := want.Append([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		body = body[len("before"):]
		for _, size := range []int64{int64(len(body)), -1} {
			got, err := ReadInferRequest(bytes.NewReader(body), Body{Size: size, HeaderLength: int64(headerLength)}, nil)
			if err != nil {
				t.Fatalf("%v\n%q", err, body)
			}
			if got.ID != want.ID || !cmp.Equal(got.Parameters, want.Parameters) || !got.WantsBinary("b") || got.WantsBinary("a") {
				t.Errorf("got %+v", got)
			}
			for i := range want.Inputs {
				if g, w := describe(got.Inputs[i]), describe(want.Inputs[i]); g != w || got.Inputs[i].Binary != want.Inputs[i].Binary {
					t.Errorf("got  %s\nwant %s", g, w)
				}
			}
		}
	}
}

func TestResponseRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	want := &InferResponse{ModelName: "m", ModelVersion: "2", ID: "i", Outputs: randomTensors(t, rng)}
	want.Outputs[3].Binary = true
	body, headerLength, err := want.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadInferResponse(bytes.NewReader(body), Body{Size: int64(len(body)), HeaderLength: int64(headerLength)})
	if err != nil {
		t.Fatal(err)
	}
	if got.ModelName != "m" || got.ModelVersion != "2" || got.ID != "i" || len(got.Outputs) != len(want.Outputs) {
		t.Errorf("got %+v", got)
	}
	for i := range want.Outputs {
		if g, w := describe(got.Outputs[i]), describe(want.Outputs[i]); g != w {
			t.Errorf("got  %s\nwant %s", g, w)
		}
	}
}

// A tensor with the members that a case does not name.
func request(members string) string {
	return `{"inputs":[{"name":"x","shape":[2,2],"datatype":"FP32",` + members + `}]}`
}

func TestAccepted(t *testing.T) {
	for text, want := range map[string][]float32{
		request(`"data":[1,2,3,4]`):                        {1, 2, 3, 4},
		request(`"data":[[1,2],[3,4]]`):                    {1, 2, 3, 4},
		request(`"data" : [ [ 1 , -2.5e1 ] ,[0.1,4 ] ]  `): {1, -25, 0.1, 4},
		`{"id":"","inputs":[{"data":[5],"datatype":"FP32","name":"x","shape":[1]}],"unknown":{"a":[{}]}}`: {5},
		`{"inputs":[{"data":5,"datatype":"FP32","name":"x","shape":[]}]}`:                                 {5},
		`{"inputs":[{"data":[5],"datatype":"FP32","name":"x","shape":[]}]}`:                               {5},
		`{"inputs":[{"data":[],"datatype":"FP32","name":"x","shape":[0,3]}]}`:                             {},
		`{"inputs":[{"name":"x","shape":[2,0],"datatype":"FP32","data":[[],[]]}]}`:                        {},
		`{"inputs":[{"name":"\u0078","shape":[1,1,1],"datatype":"FP32","data":[[[7]]]}]}`:                 {7},
	} {
		got, err := readJSON(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if x := got.Inputs[0]; x.Name != "x" || !cmp.Equal(append([]float32{}, x.Value.Float32s()...), want) {
			t.Errorf("%s: got %s %v", text, x.Name, x.Value.Float32s())
		}
	}
}

// Every refusal names the place and says what is wrong, on one short line.
func TestRefused(t *testing.T) {
	one := func(datatype, data string) string {
		return `{"inputs":[{"name":"x","shape":[1],"datatype":"` + datatype + `","data":` + data + `}]}`
	}
	for text, want := range map[string]string{
		``:                                                "the end where",
		`[]`:                                              `where '{' is needed`,
		`{}`:                                              "inputs: missing",
		`{"inputs":[]} x`:                                 "behind the value",
		`{"inputs":[],"inputs":[]}`:                       "occurs twice",
		`{"inputs":[{}]}`:                                 "inputs[0].name: missing",
		request(`"data":[1,2,3]`):                         "inputs[0].data: 3 elements where shape [2, 2] needs 4",
		request(`"data":[1,2,3,4,5]`):                     "more than the 4 elements",
		request(`"data":[[1,2],[3,4],[]]`):                "an array of 0 at depth 1",
		request(`"data":[[1,2,3],[4]]`):                   "at depth 1",
		request(`"data":[[1,2],3,4]`):                     "nested otherwise",
		request(`"data":[1,2,[3,4]]`):                     "nested otherwise",
		request(`"data":[[[1,2],[3,4]]]`):                 "nested otherwise",
		request(`"data":[[1,2],[3,NaN]]`):                 "where a number is needed",
		request(`"data":[1,2,3,1e99]`):                    "does not fit FP32",
		request(`"data":[1,2,3,01]`):                      "where ']' is needed",
		request(`"data":[1,2,3,.5]`):                      "where a number is needed",
		request(`"data":[1,2,3,4,]`):                      "more than the 4 elements",
		request(`"parameters":{}`):                        "neither data nor",
		request(`"parameters":{"binary_data_size":16}`):   "without the header",
		request(`"parameters":{"binary_data_size":15}`):   "binary_data_size of 15 where FP32[2, 2] has 16",
		request(`"parameters":{"binary_data_size":-1}`):   "where a number of bytes is needed",
		request(`"parameters":{"a":{}},"data":[1,2,3,4]`): "an array or object where a bool, number or string is needed",
		request(`"parameters":{"binary_data_size":16},"data":[1,2,3,4]`): "has data beside",
		one("FP31", "[1]"):                    "no datatype of the protocol",
		one("UINT64", "[1]"):                  "tensors of UINT64 are not supported",
		one("INT8", "[128]"):                  "does not fit 8 bits",
		one("UINT8", "[-1]"):                  "does not fit UINT8",
		one("INT32", "[1.0]"):                 "where an integer is needed",
		one("INT64", "[9223372036854775808]"): "does not fit 64 bits",
		one("FP16", "[65520]"):                "does not fit FP16",
		one("BOOL", "[1]"):                    "where a value is needed",
		one("BOOL", "[null]"):                 "where true or false is needed",
		one("BYTES", "[1]"):                   "where '\"' is needed",
		`{"inputs":[{"name":"x","shape":[-1],"datatype":"FP32","data":[]}]}`:                                                       "extent -1",
		`{"inputs":[{"name":"x","shape":[4294967296,4294967296],"datatype":"FP32","data":[1]}]}`:                                   "shape",
		`{"inputs":[{"name":"x","shape":[1000000000000],"datatype":"FP32","data":[1]}]}`:                                           "needs 1000000000000 elements",
		`{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]},{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}`: "a second tensor",
		`{"inputs":[],"outputs":[{"name":"a"},{"name":"a"}]}`:                                                                      "a second output",
		`{"inputs":[],"x":` + strings.Repeat("[", 100000):                                                                          "nested too deep",
		`{"inputs":[{"data":` + strings.Repeat("[", 100000):                                                                        "nested too deep",
		"{\"\xff\":1}": "not UTF-8",
		"{\"a\nb\":1}": "control character",
	} {
		_, err := readJSON(text)
		var e *InvalidError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n\x1b") || len(err.Error()) > 300 {
			t.Errorf("%.150s: got %v, want %s", text, err, want)
		}
	}
}

// TestNullMembers reads an answer as servers write it that are made of data classes: members that are null are not there.
func TestNullMembers(t *testing.T) {
	const body = `{"model_name":"m","model_version":null,"id":null,"parameters":null,"outputs":[{"name":"y","shape":[1],"datatype":"FP32","parameters":null,"data":[2]}]}`
	r, err := ReadInferResponse(strings.NewReader(body), Body{Size: int64(len(body)), HeaderLength: -1})
	if err != nil || r.ModelVersion != "" || len(r.Outputs) != 1 || r.Outputs[0].Value.Float32s()[0] != 2 {
		t.Errorf("got %+v, error %v", r, err)
	}
}

func TestBinaryRefused(t *testing.T) {
	header := `{"inputs":[{"name":"x","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}`
	n := int64(len(header))
	for _, c := range []struct {
		text string
		body Body
		want string
	}{
		{header, Body{n + 8, n}, "announced"},
		{header + "1234", Body{n + 4, n}, "add up to 8"},
		{header + "1234", Body{-1, n}, "after 4 of 8 bytes"},
		{header + "123456789", Body{n + 9, n}, "add up to 8"},
		{header + "123456789", Body{-1, n}, "more bytes behind"},
		{header, Body{n, n + 1}, "in a body of"},
		{header, Body{n, -5}, "of -5"},
		{header + "12345678", Body{n + 8, n - 1}, "the end where"},
		{header + "12345678", Body{n + 8, 0}, "models with one input"},
	} {
		_, err := ReadInferRequest(strings.NewReader(c.text), c.body, nil)
		// A body that is shorter than announced must not be taken as complete either.
		if err == nil || !strings.Contains(err.Error(), c.want) && !strings.Contains(err.Error(), "the body ends") {
			t.Errorf("%q %+v: got %v, want %s", c.text, c.body, err, c.want)
		}
	}
	elements := `{"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":5}}]}`
	_, err := ReadInferRequest(strings.NewReader(elements+"\xff\xff\xff\xffa"), Body{int64(len(elements) + 5), int64(len(elements))}, nil)
	if err == nil || !strings.Contains(err.Error(), "its bytes end in element 0 of 1") {
		t.Errorf("got %v", err)
	}
}

func TestRawRequest(t *testing.T) {
	raw := &TensorMetadata{Name: "x", Datatype: FP32, Shape: []int64{-1, 2}}
	got, err := ReadInferRequest(bytes.NewReader(make([]byte, 24)), Body{24, 0}, raw)
	if err != nil || got.Inputs[0].Value.String() != "float32[3, 2]" || !got.WantsBinary("any") {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := ReadInferRequest(bytes.NewReader(make([]byte, 20)), Body{20, 0}, raw); err == nil {
		t.Error("20 bytes fill [-1, 2] of FP32")
	}
	image := &TensorMetadata{Name: "image", Datatype: Bytes, Shape: []int64{-1}}
	got, err = ReadInferRequest(strings.NewReader("PNG"), Body{3, 0}, image)
	if err != nil || string(got.Inputs[0].Elements[0]) != "PNG" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestNotFinite(t *testing.T) {
	for _, v := range []float32{float32(math.NaN()), float32(math.Inf(-1))} {
		x, err := tensor.FromSlice([]float32{1, v}, 2)
		if err != nil {
			t.Fatal(err)
		}
		response := &InferResponse{ModelName: "m", Outputs: []*Tensor{NewTensor("y", x)}}
		var e *NotFiniteError
		if _, _, err := response.Append(nil); !errors.As(err, &e) || e.Index != 1 || e.Name != "y" {
			t.Errorf("got %v", err)
		}
		response.Outputs[0].Binary = true
		if _, _, err := response.Append(nil); err != nil {
			t.Error(err)
		}
	}
}

// FP16 and BF16 get the number that is nearest to the text, ties to even, though float32 stands between.
func TestHalfRounding(t *testing.T) {
	for text, want := range map[string]uint16{
		"1.00048828125":                0x3c00, // a tie, to even
		"1.000488281250000001":         0x3c00, // as float64: the tie
		"1.0004882812500002":           0x3c01, // above the tie by less than float32 resolves
		"1.0004882812499998":           0x3c00,
		"65519.99":                     0x7bff,
		"-0.0":                         0x8000,
		"0.00000002980232238769531250": 0, // half of the least subnormal number
	} {
		got, err := readJSON(`{"inputs":[{"name":"x","shape":[1],"datatype":"FP16","data":[` + text + `]}]}`)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if bits := tensor.Data[uint16](got.Inputs[0].Value)[0]; bits != want {
			t.Errorf("%s: got %#x, want %#x", text, bits, want)
		}
	}
}

// Short numbers take a path of their own, which must give what strconv gives: for random ones, and for those in the middle of two
// float32 values, and next to it.
func TestShortFloat32(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	taken := 0
	check := func(text string) {
		got, n := shortFloat32([]byte(text))
		if n == 0 {
			return
		}
		taken++
		want, err := strconv.ParseFloat(text, 32)
		if err != nil || n != len(text) || math.Float32bits(got) != math.Float32bits(float32(want)) {
			t.Errorf("%s: got %v, want %v, %v", text, got, want, err)
		}
	}
	for range 200_000 {
		check(strconv.FormatFloat((rng.Float64()-0.5)*math.Pow(10, float64(rng.IntN(24)-12)), 'f', rng.IntN(16), 64))
		exact := float64(rng.Uint32N(1<<24)) + 0.5 // the middle where it has 24 bits in front of its point
		for _, v := range []float64{exact, math.Nextafter(exact, 0), math.Nextafter(exact, math.Inf(1))} {
			check(strconv.FormatFloat(v, 'f', -1, 64))
		}
	}
	check("-0")
	check("-0.0")
	for text, want := range map[string]int{"01": 0, "-": 0, ".5": 0, "1.": 0, "1.e": 0, "1e2": 0, "1.5E2": 0, "12,": 2, "1.25]": 4, "-3 ": 2, "00": 0, "0.10.2": 4, "18446744073709551617": 0, "": 0} {
		if _, n := shortFloat32([]byte(text)); n != want {
			t.Errorf("%q: %d bytes are read, want %d", text, n, want)
		}
	}
	if taken < 200_000 {
		t.Errorf("only %d numbers are short", taken)
	}
}

// FuzzReadInferRequest holds the reader to encoding/json: what it takes encoding/json takes, with the same numbers, and the request that
// is written again reads back the same.
func FuzzReadInferRequest(f *testing.F) {
	f.Add([]byte(request(`"data":[[1,2],[3e-2,-4.5]]`)), int64(-1))
	f.Add([]byte(`{"id":"a","parameters":{"p":1},"inputs":[{"data":["a","\u00e4"],"shape":[2],"datatype":"BYTES","name":"t"}],"outputs":[{"name":"y"}]}`), int64(-1))
	header := `{"inputs":[{"name":"x","shape":[2],"datatype":"BOOL","parameters":{"binary_data_size":2}}]}`
	f.Add([]byte(header+"\x00\x07"), int64(len(header)))
	f.Fuzz(func(t *testing.T, data []byte, headerLength int64) {
		got, err := ReadInferRequest(bytes.NewReader(data), Body{Size: int64(len(data)), HeaderLength: headerLength}, nil)
		if err != nil {
			return
		}
		text := data
		if headerLength > 0 {
			text = data[:headerLength]
		}
		var document struct {
			Inputs []struct{ Data any }
		}
		if err := json.Unmarshal(text, &document); err != nil {
			t.Fatalf("taken, but encoding/json says %v", err)
		}
		for i, in := range got.Inputs {
			if in.Datatype != FP64 || in.Binary {
				continue
			}
			var flat []float64
			flatten(document.Inputs[i].Data, &flat)
			if values := tensor.Data[float64](in.Value); len(values) != len(flat) || len(flat) > 0 && !cmp.Equal(values, flat) {
				t.Fatalf("got %v, want %v", values, flat)
			}
		}
		again, length, err := got.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ReadInferRequest(bytes.NewReader(again), Body{Size: int64(len(again)), HeaderLength: int64(length)}, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, again)
		}
		for i := range got.Inputs {
			if g, w := describe(back.Inputs[i]), describe(got.Inputs[i]); g != w {
				t.Fatalf("got  %s\nwant %s", g, w)
			}
		}
	})
}

func flatten(value any, to *[]float64) {
	switch value := value.(type) {
	case float64:
		*to = append(*to, value)
	case []any:
		for _, v := range value {
			flatten(v, to)
		}
	}
}

// BenchmarkReadInferRequest decodes a picture of 3072 pixels, beside what encoding/json takes for the same text.
func BenchmarkReadInferRequest(b *testing.B) {
	values := make([]float32, 3072)
	for i := range values {
		values[i] = rand.Float32()
	}
	x, err := tensor.FromSlice(values, 1, 3, 32, 32)
	if err != nil {
		b.Fatal(err)
	}
	body, _, err := (&InferRequest{Inputs: []*Tensor{NewTensor("x", x)}}).Append(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("oip", func(b *testing.B) {
		for b.Loop() {
			if _, err := ReadInferRequest(bytes.NewReader(body), Body{int64(len(body)), -1}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		for b.Loop() {
			var document struct{ Inputs []struct{ Data []float32 } }
			if err := json.Unmarshal(body, &document); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// pngOf returns an image of CIFAR, uint8 [3, 32, 32], as a PNG that is so many times as large, with a border at each side.
func pngOf(t *testing.T, pixels []uint8, times, border int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 32*times+2*border, 32*times))
	for y := range 32 * times {
		for x := range 32 * times {
			p := y/times*32 + x/times
			img.SetRGBA(border+x, y, color.RGBA{pixels[p], pixels[p+1024], pixels[p+2048], 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// post sends a picture to the page's address.
func post(t *testing.T, url string, body []byte, origin string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// TestServe classifies images of CIFAR on the page's address and through the protocol, and compares the latter's bits with those of a
// session.
func TestServe(t *testing.T) {
	weights := shareddata.Path(t, "data", "cifar10", "resnet20.th")
	names := strings.Split(cifar10, ",")
	srv, handler, err := newServer(context.Background(), weights, "resnet20-cifar", names)
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	server := httptest.NewServer(handler)
	defer server.Close()

	file := shareddata.Path(t, "data", "cifar10", "test.npz")
	images, err := data.OpenDataset(file)
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := tensor.ReadNPZ(file, 0)
	if err != nil {
		t.Fatal(err)
	}
	g, err := openModel(weights, "resnet20-cifar")
	if err != nil {
		t.Fatal(err)
	}
	session, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	client := &oip.Client{URL: server.URL}
	x, labels := arrays.Get("x").Uint8s(), images.Labels()
	right := 0
	const n = 20
	for i := range n {
		pixels := x[i*3*32*32:]
		// Larger, and cut at the sides: the middle has the same means.
		status, answer := post(t, server.URL+"/classify", pngOf(t, pixels, 2, 7), "")
		var classes []class
		if err := json.Unmarshal([]byte(answer), &classes); status != http.StatusOK || err != nil || len(classes) != 5 {
			t.Fatalf("%d %s: %v", status, answer, err)
		}
		if classes[0].Name == names[labels[i]] {
			right++
		}
		in := oip.NewBytes(g.Inputs[0].Name, pngOf(t, pixels, 1, 0))
		in.Binary = true
		request := &oip.InferRequest{Inputs: []*oip.Tensor{in}, Parameters: oip.Parameters{oip.BinaryDataOutput: true}}
		got, err := client.Infer(context.Background(), modelName, "", request)
		if err != nil {
			t.Fatal(err)
		}
		sample, err := images.Batch(g, i, i+1)
		if err != nil {
			t.Fatal(err)
		}
		want, err := session.Run(context.Background(), sample...)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Outputs[0].Value.Float32s(), want[0].Float32s()) {
			t.Errorf("image %d: the server gives %v, a session %v", i, got.Outputs[0].Value.Float32s(), want[0].Float32s())
		}
	}
	if right < n-3 {
		t.Errorf("%d of %d images right", right, n)
	}
	testRefusals(t, server.URL, pngOf(t, x, 1, 0))
}

// testRefusals sends what is no picture, too much, and from elsewhere.
func testRefusals(t *testing.T, url string, picture []byte) {
	huge := bytes.Clone(picture)
	copy(huge[16:], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // width and height of 65536; the checksum is the decoder's to refuse
	for what, c := range map[string]struct {
		body   []byte
		origin string
		want   int
	}{
		"text":           {[]byte("hello"), "", http.StatusBadRequest},
		"nothing":        {nil, "", http.StatusBadRequest},
		"cut":            {picture[:len(picture)/2], "", http.StatusBadRequest},
		"huge":           {huge, "", http.StatusBadRequest},
		"too much":       {make([]byte, mostBytes+1), "", http.StatusRequestEntityTooLarge},
		"foreign origin": {picture, "http://example.com", http.StatusForbidden},
		"own origin":     {picture, url, http.StatusOK},
	} {
		if status, answer := post(t, url+"/classify", c.body, c.origin); status != c.want {
			t.Errorf("%s: %d %s, want %d", what, status, answer, c.want)
		}
	}
	res, err := http.Get(url + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(text, page) {
		t.Errorf("the page: %v", err)
	}
}

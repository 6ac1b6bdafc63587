package serve

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const formHead = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 1000\r\n\r\n" +
	"--B\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n"

// TestBodies looks at what clients are told of bodies that do not come as they should, and what the server counts.
func TestBodies(t *testing.T) {
	ends := &recorder{}
	s := newServer(t, Options{Threads: 1, BodyTimeout: 50 * time.Millisecond, MaxBody: 2000, Batch: BatchOff, Observer: ends})
	load(t, s, "m", newGate().model(t, 2))
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	address := web.Listener.Addr().String()
	const post = "POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\n"
	for _, c := range []struct{ name, text, status, body string }{
		{"a chunk without a length", post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{", "400 Bad Request", "the body is not complete: invalid byte in chunk length"},
		{"chunks above the limit", post + "Transfer-Encoding: chunked\r\n\r\n7d1\r\n" + strings.Repeat(" ", 2001), "413 Request Entity Too Large", "a body of more than 2000 bytes"},
		{"a slow body", post + "Content-Length: 1000\r\n\r\n{", "408 Request Timeout", "the body has not arrived within 50ms"},
		{"a slow document", "POST /v2/repository/index HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{", "408 Request Timeout", "the body has not arrived within 50ms"},
		{"a slow form", formHead, "408 Request Timeout", "the body has not arrived within 50ms"},
		{"a model that is not there, and no body", "POST /v2/models/none/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", "404 Not Found", "there is no model \"none\""},
		{"a method that is not possible, and no body", "PUT /v2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", "405 Method Not Allowed", "the method \"PUT\" is not possible here, but GET, HEAD"},
		{"a field twice, and no more", strings.Replace(formHead, "\r\n\r\n--B", "\r\n\r\n--B\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n\r\n--B", 1), "400 Bad Request", "the form is not that of the page"},
		{"a form without fields", strings.Replace(formHead, "multipart", "text", 1), "400 Bad Request", "the form is not that of the page: request Content-Type isn't multipart/form-data"},
	} {
		if status, body := exchange(t, address, c.text); status != c.status || body != errorBody(c.body) {
			t.Errorf("%s: got %s %s, want %s %s", c.name, status, body, c.status, errorBody(c.body))
		}
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, post+"Content-Length: 1000\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return s.Gauges().InflightBytes > 0 })
	_ = c.(*net.TCPConn).SetLinger(0) // a reset, as of a client that was killed
	c.Close()
	until(t, func() bool { return s.Gauges().InflightBytes == 0 })
	codes := map[string]int{}
	until(t, func() bool {
		ends.mu.Lock()
		defer ends.mu.Unlock()
		clear(codes)
		for _, e := range ends.requests {
			codes[e.Code.String()]++
		}
		return len(ends.requests) == 4
	})
	if codes["canceled"] != 1 || codes["internal"] != 0 {
		t.Errorf("observers were told of %v, of which one is a client that went before its body had come", codes)
	}
}

// TestFormsCount holds forms to the bytes that a server has for all requests.
func TestFormsCount(t *testing.T) {
	s := newServer(t, Options{Threads: 1, MaxInflightBytes: 7000, Batch: BatchOff})
	load(t, s, "m", newGate().model(t, 2))
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	first, err := net.Dial("tcp", web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := io.WriteString(first, formHead); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return s.Gauges().InflightBytes == 1000*formCopies })
	status, body := exchange(t, web.Listener.Addr().String(), formHead+strings.Repeat(" ", 1000))
	if want := errorBody("the requests that are admitted have 4000 bytes, at most 7000 are possible"); !strings.HasPrefix(status, "429") || body != want {
		t.Errorf("a second form: got %s %s, want 429 %s", status, body, want)
	}
	first.Close()
	until(t, func() bool { return s.Gauges().InflightBytes == 0 })
	if response, err := http.Get(web.URL + "/v2/health/live"); err != nil || response.StatusCode != 200 {
		t.Errorf("afterwards: %v %v", response, err)
	} else {
		response.Body.Close()
	}
}

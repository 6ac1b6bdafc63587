//go:build http

package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestUploads(t *testing.T) {
	c, err := open()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(c)
	defer server.Close()
	for _, q := range []struct {
		method string
		body   []byte
		code   int
		answer string
	}{
		{http.MethodPost, picture(t), http.StatusOK, "ship\n"},
		{http.MethodPut, picture(t)[:100], http.StatusBadRequest, ""},
		{http.MethodPost, make([]byte, mostBytes+1), http.StatusRequestEntityTooLarge, ""},
		{http.MethodGet, nil, http.StatusMethodNotAllowed, ""},
	} {
		r, err := http.NewRequest(q.method, server.URL, bytes.NewReader(q.body))
		if err != nil {
			t.Fatal(err)
		}
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(w.Body)
		if w.Body.Close(); err != nil || w.StatusCode != q.code || !strings.HasPrefix(string(text), q.answer) {
			t.Errorf("%s of %d bytes: %d %q, %v", q.method, len(q.body), w.StatusCode, text, err)
		}
	}
}

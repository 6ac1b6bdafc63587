package serve

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// requestBody is the body of a request: of at most limit bytes, which have to arrive within the server's BodyTimeout (wrap). Its errors say
// what the client did, and have a code.
type requestBody struct {
	io.Reader
	control *http.ResponseController
	limit   int64
	timeout time.Duration
}

func (s *Server) body(w http.ResponseWriter, r *http.Request, limit int64) *requestBody {
	return &requestBody{http.MaxBytesReader(w, r.Body, limit), http.NewResponseController(w), limit, s.opts.BodyTimeout}
}

// Read reads on.
func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	e := &Error{Code: InvalidArgument, Reason: "the body is not complete", Err: err}
	switch {
	case isA[*http.MaxBytesError](err):
		e = &Error{Code: TooLarge, Reason: fmt.Sprintf("a body of more than %d bytes", b.limit)}
	case errors.Is(err, os.ErrDeadlineExceeded):
		e = &Error{Code: SlowRequest, Reason: fmt.Sprintf("the body has not arrived within %v", b.timeout)}
	case isA[net.Error](err):
		e.Code, e.Reason = Canceled, "the client is gone"
	}
	return n, e
}

// complete says that all of the body is here: a run may take longer.
func (b *requestBody) complete() { _ = b.control.SetReadDeadline(time.Time{}) }

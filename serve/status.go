package serve

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/serve/oip"
)

// Code says how a request ended. Each protocol has numbers of its own for it.
type Code int

// The codes.
const (
	OK Code = iota
	InvalidArgument
	Unauthenticated
	Forbidden
	NotFound
	MethodNotAllowed
	SlowRequest
	TooLarge
	UnsupportedMedia
	Exhausted
	Canceled
	Internal
	Unavailable
	DeadlineExceeded
)

// codes has the name, the HTTP status and the number of gRPC of each code.
var codes = [...]struct {
	name       string
	http, grpc int
}{
	OK:               {"ok", http.StatusOK, 0},
	InvalidArgument:  {"invalid_argument", http.StatusBadRequest, 3},
	Unauthenticated:  {"unauthenticated", http.StatusUnauthorized, 16},
	Forbidden:        {"forbidden", http.StatusForbidden, 7},
	NotFound:         {"not_found", http.StatusNotFound, 5},
	MethodNotAllowed: {"method_not_allowed", http.StatusMethodNotAllowed, 12},
	SlowRequest:      {"slow_request", http.StatusRequestTimeout, 4},
	TooLarge:         {"too_large", http.StatusRequestEntityTooLarge, 8},
	UnsupportedMedia: {"unsupported_media", http.StatusUnsupportedMediaType, 12},
	Exhausted:        {"exhausted", http.StatusTooManyRequests, 8},
	Canceled:         {"canceled", 499, 1}, // nobody reads the status: the client is gone
	Internal:         {"internal", http.StatusInternalServerError, 13},
	Unavailable:      {"unavailable", http.StatusServiceUnavailable, 14},
	DeadlineExceeded: {"deadline_exceeded", http.StatusGatewayTimeout, 4},
}

// String returns the name of the code, as metrics have it: "invalid_argument".
func (c Code) String() string { return codes[c].name }

// HTTP returns the status of an HTTP answer.
func (c Code) HTTP() int { return codes[c].http }

// GRPC returns the number of the code of gRPC.
func (c Code) GRPC() int { return codes[c].grpc }

// Error is a request that is refused or has failed.
type Error struct {
	Code   Code
	Reason string
	// RetryAfter says when it is worth trying again, where that is known.
	RetryAfter time.Duration
	Err        error // cause, may be nil
}

// Error joins reason and cause on one line.
func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Reason
	case e.Reason == "":
		return e.Err.Error()
	}
	return e.Reason + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorText returns what a client is told of an error: on one line, and of a panic only the server's name of the request, under which
// the log has the rest.
func ErrorText(err error, id string) string {
	if isA[*panicError](err) {
		return "internal error in request " + id
	}
	if CodeOf(err) == DeadlineExceeded {
		return "the time for the request is over: that of the server, or its own"
	}
	return strings.ToValidUTF8(strings.Join(strings.Fields(err.Error()), " "), "\uFFFD")
}

// CodeOf returns the code of an error of this package, of the protocol or of a run.
func CodeOf(err error) Code {
	if err == nil {
		return OK
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	for _, known := range knownErrors {
		if known.is(err) {
			return known.code
		}
	}
	return Internal
}

var knownErrors = []struct {
	is   func(error) bool
	code Code
}{
	{isA[*http.MaxBytesError], TooLarge},
	{isA[*graph.MemoryError], TooLarge},
	{isA[*oip.NotFiniteError], Internal},
	{isA[*oip.InvalidError], InvalidArgument},
	{isA[*graph.InputError], InvalidArgument},
	{isA[*ops.ValueError], InvalidArgument},
	{isA[*loader.RaisedError], InvalidArgument}, // an exception of the model's own about its inputs
	{isA[*loader.LimitError], InvalidArgument},
	{wraps(os.ErrDeadlineExceeded), SlowRequest},
	{wraps(context.DeadlineExceeded), DeadlineExceeded},
	{wraps(context.Canceled), Canceled},
	{wraps(graph.ErrClosed), Unavailable},
	{wraps(loader.ErrChanged), Unavailable},
	{wraps(io.ErrUnexpectedEOF), InvalidArgument},
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func wraps(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

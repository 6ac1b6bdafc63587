package loadtest

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/octet-ml/octet/serve/oip"
)

// The statuses of requests without an answer.
const (
	StatusTimeout    = "timeout"
	StatusConnection = "connection"
)

// Inference returns a target that asks a server for inferences: request i of the requests, in turn. timeout bounds each; 0
// is no bound. They are encoded, so that the client leaves as much of the machine to the server as it can.
func Inference(client *oip.Client, model, version string, requests []*oip.EncodedRequest, timeout time.Duration) Target {
	return func(ctx context.Context, i int) (string, error) {
		if timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		_, err := client.InferEncoded(ctx, model, version, requests[i%len(requests)])
		return statusOf(err), err
	}
}

// statusOf names what came of a request.
func statusOf(err error) string {
	if err == nil {
		return "200"
	}
	if answer, ok := errors.AsType[*oip.StatusError](err); ok {
		return strconv.Itoa(answer.Status)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return StatusTimeout
	}
	return StatusConnection
}

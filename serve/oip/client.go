package oip

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Client asks a server that speaks the protocol over HTTP. Its fields must not change while it is used; calls may be made from any
// number of goroutines.
type Client struct {
	URL   string       // of the server: "http://127.0.0.1:8080"
	HTTP  *http.Client // nil: http.DefaultClient
	Token string       // sent as "Authorization: Bearer", unless empty
	// MaxAnswer bounds the bytes of an answer; 0 stands for DefaultMaxAnswer.
	MaxAnswer int64
}

// DefaultMaxAnswer bounds, in bytes, the answers that a Client reads where it names no bound.
const DefaultMaxAnswer = 256 << 20

// StatusError is an answer of a server that is not a success.
type StatusError struct {
	Status  int    // of HTTP: 429
	Message string // the server's own
}

// Error gives the status and the server's message.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the server answered %d %s: %s", e.Status, http.StatusText(e.Status), e.Message)
}

// Infer runs a model, in the version that the server chooses when version is "". Tensors of the request that are Binary travel in
// binary; the parameter BinaryDataOutput asks for outputs in binary. An answer that is not a success is a *StatusError.
func (c *Client) Infer(ctx context.Context, model, version string, r *InferRequest) (*InferResponse, error) {
	encoded, err := r.Encode()
	if err != nil {
		return nil, err
	}
	return c.InferEncoded(ctx, model, version, encoded)
}

// InferEncoded is Infer with a request that is encoded already, and may be sent by several goroutines at a time.
func (c *Client) InferEncoded(ctx context.Context, model, version string, r *EncodedRequest) (*InferResponse, error) {
	request, err := c.InferRequest(ctx, model, version, r)
	if err != nil {
		return nil, err
	}
	answer, err := c.http().Do(request)
	if err != nil {
		return nil, err
	}
	return c.ReadInferAnswer(request.URL.Path, answer)
}

// InferRequest returns the request over HTTP that InferEncoded sends, for those who send it themselves.
func (c *Client) InferRequest(ctx context.Context, model, version string, r *EncodedRequest) (*http.Request, error) {
	return c.request(ctx, http.MethodPost, modelPath(model, version)+"/infer", r.body, r.headerLength)
}

// ReadInferAnswer reads the answer to an InferRequest of a path, and closes its body. An answer that is not a success is a *StatusError.
func (c *Client) ReadInferAnswer(path string, answer *http.Response) (*InferResponse, error) {
	defer answer.Body.Close()
	if err := statusError(answer); err != nil {
		return nil, err
	}
	form := Body{Size: answer.ContentLength, HeaderLength: -1}
	if text := answer.Header.Get(HeaderLength); text != "" {
		var err error
		if form.HeaderLength, err = strconv.ParseInt(text, 10, 64); err != nil || form.HeaderLength <= 0 {
			return nil, fmt.Errorf("%s: the answer's %s is %s", path, HeaderLength, quote(text))
		}
	}
	response, err := ReadInferResponse(c.bound(answer.Body), form)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return response, nil
}

// Index asks for the models that the server knows, in the extension for model repositories.
func (c *Client) Index(ctx context.Context) ([]IndexEntry, error) {
	const path = "/v2/repository/index"
	answer, err := c.do(ctx, http.MethodPost, path, []byte("{}"))
	if err != nil {
		return nil, err
	}
	list, err := document[[]IndexEntry](c, path, answer)
	if err != nil {
		return nil, err
	}
	return *list, nil
}

// ServerMetadata asks for the server's name, version and extensions.
func (c *Client) ServerMetadata(ctx context.Context) (*ServerMetadata, error) {
	return get[ServerMetadata](ctx, c, "/v2")
}

// ModelMetadata asks for the inputs and outputs of a model.
func (c *Client) ModelMetadata(ctx context.Context, model, version string) (*ModelMetadata, error) {
	return get[ModelMetadata](ctx, c, modelPath(model, version))
}

// Live reports whether the server answers.
func (c *Client) Live(ctx context.Context) (bool, error) { return c.health(ctx, "/v2/health/live") }

// Ready reports whether the server takes requests for all its models.
func (c *Client) Ready(ctx context.Context) (bool, error) { return c.health(ctx, "/v2/health/ready") }

// ModelReady reports whether a model takes requests.
func (c *Client) ModelReady(ctx context.Context, model, version string) (bool, error) {
	return c.health(ctx, modelPath(model, version)+"/ready")
}

// health reports whether a path answers with success; 503 is no error.
func (c *Client) health(ctx context.Context, path string) (bool, error) {
	answer, err := c.do(ctx, http.MethodGet, path, nil)
	var status *StatusError
	if errors.As(err, &status) && status.Status == http.StatusServiceUnavailable {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, answer.Body.Close()
}

func modelPath(model, version string) string {
	path := "/v2/models/" + url.PathEscape(model)
	if version != "" {
		path += "/versions/" + url.PathEscape(version)
	}
	return path
}

func get[T any](ctx context.Context, c *Client, path string) (*T, error) {
	answer, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return document[T](c, path, answer)
}

// document reads the document that is an answer.
func document[T any](c *Client, path string, answer *http.Response) (*T, error) {
	defer answer.Body.Close()
	data, err := io.ReadAll(c.bound(answer.Body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	to := new(T)
	if err := decodeDocument(data, to); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return to, nil
}

// do sends a request and returns an answer that is a success, whose body the caller closes.
func (c *Client) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	request, err := c.request(ctx, method, path, body, -1)
	if err != nil {
		return nil, err
	}
	answer, err := c.http().Do(request)
	if err != nil {
		return nil, err
	}
	if err := statusError(answer); err != nil {
		answer.Body.Close()
		return nil, err
	}
	return answer, nil
}

func (c *Client) http() *http.Client {
	if c.HTTP == nil {
		return http.DefaultClient
	}
	return c.HTTP
}

// request returns a request with the token, and with a body whose first headerLength bytes are JSON, or below 0 all.
func (c *Client) request(ctx context.Context, method, path string, body []byte, headerLength int) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if headerLength >= 0 {
		request.Header.Set("Content-Type", "application/octet-stream")
		request.Header.Set(HeaderLength, strconv.Itoa(headerLength))
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	return request, nil
}

// statusError returns a *StatusError unless an answer is a success. Its message may not be the protocol's.
func statusError(answer *http.Response) error {
	if answer.StatusCode/100 == 2 {
		return nil
	}
	const limit = 4096
	text, err := io.ReadAll(io.LimitReader(answer.Body, limit))
	if err != nil {
		return err
	}
	var document ErrorResponse
	if json.Unmarshal(text, &document) != nil || document.Error == "" {
		document.Error = quote(strings.TrimSpace(string(text)))
	}
	return &StatusError{Status: answer.StatusCode, Message: document.Error}
}

func (c *Client) bound(r io.ReadCloser) io.Reader {
	limit := c.MaxAnswer
	if limit == 0 {
		limit = DefaultMaxAnswer
	}
	return http.MaxBytesReader(nil, r, limit)
}

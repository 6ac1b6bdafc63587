package serve

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"math"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/octet-ml/octet/serve/oip"
)

// httpState is what the HTTP side of a server keeps.
type httpState struct {
	draining atomic.Bool
	requests atomic.Uint64
}

// writeTimeout bounds the time that a client takes to read an answer.
const writeTimeout = 30 * time.Second

// route is what answers the requests of a path, by method.
type route struct {
	path    string
	methods map[string]handlerFunc
	open    bool // also without the token
}

// handlerFunc answers a request, or returns why it does not.
type handlerFunc func(w http.ResponseWriter, r *http.Request) error

// routes lists the paths of the protocol and its extensions.
func (s *Server) routes() []route {
	get := func(f handlerFunc) map[string]handlerFunc {
		return map[string]handlerFunc{http.MethodGet: f, http.MethodHead: f}
	}
	post := func(f handlerFunc) map[string]handlerFunc { return map[string]handlerFunc{http.MethodPost: f} }
	list := []route{
		{path: "/{$}", methods: map[string]handlerFunc{http.MethodGet: s.handlePage, http.MethodHead: s.handlePage, http.MethodPost: s.handleForm}},
		{path: "/v2", methods: get(s.handleServer)},
		{path: "/v2/{$}", methods: get(s.handleServer)},
		{path: "/v2/health/live", methods: get(s.handleLive), open: true},
		{path: "/v2/health/ready", methods: get(s.handleReady), open: true},
		{path: "/v2/models/stats", methods: get(s.handleStats)},
		{path: "/v2/repository/index", methods: post(s.handleIndex)},
		{path: "/v2/repository/models/{model}/load", methods: post(s.handleLoad)},
		{path: "/v2/repository/models/{model}/unload", methods: post(s.handleUnload)},
	}
	if s.opts.Metrics != nil {
		list = append(list, route{path: "/metrics", methods: get(s.handleMetrics)})
	}
	for _, path := range []string{"/v2/models/{model}", "/v2/models/{model}/versions/{version}"} {
		list = append(list,
			route{path: path, methods: get(s.handleModel)},
			route{path: path + "/ready", methods: get(s.handleModelReady)},
			route{path: path + "/stats", methods: get(s.handleStats)},
			route{path: path + "/infer", methods: post(s.handleInfer)})
	}
	return list
}

func (s *Server) handleMetrics(w http.ResponseWriter, r *http.Request) error {
	s.opts.Metrics.ServeHTTP(w, r)
	return nil
}

// Handler returns the server's HTTP side: the Open Inference Protocol with the extensions for binary data, statistics, the model
// repository, sequences and schedule policy, and a page for people.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.HandleFunc(r.path, s.wrap(r))
	}
	mux.HandleFunc("/", s.wrap(route{methods: map[string]handlerFunc{"": func(http.ResponseWriter, *http.Request) error {
		return &Error{Code: NotFound, Reason: "there is nothing at this path: the protocol's begin with /v2"}
	}}}))
	return mux
}

// wrap makes a handler of a route: what holds for all requests, and errors as the protocol has them.
//
//go:noinline
func (s *Server) wrap(route route) http.HandlerFunc {
	protection := s.protection()
	return func(w http.ResponseWriter, r *http.Request) {
		id := "r" + strconv.FormatUint(s.http.requests.Add(1), 36)
		h := w.Header()
		h.Set(requestIDHeader, id)
		h["X-Content-Type-Options"] = noSniff
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Now().Add(s.opts.Timeout + writeTimeout)) // a recorder has none
		if r.ContentLength != 0 {
			_ = control.SetReadDeadline(time.Now().Add(s.opts.BodyTimeout)) // also of a body that is refused: net/http reads it to the end
		}
		if s.draining() {
			h.Set("Connection", "close")
		}
		if parent := r.Header.Get("Traceparent"); parent != "" {
			r = r.WithContext(WithTraceParent(r.Context(), parent))
		}
		defer s.recover(w, id)
		if done, err := s.guard(w, r, route, protection); err != nil {
			writeError(w, r, err)
			return
		} else if done {
			return
		}
		handler, ok := route.methods[r.Method]
		if !ok {
			handler, ok = route.methods[""]
		}
		if !ok {
			allowed := make([]string, 0, len(route.methods))
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
				if route.methods[method] != nil {
					allowed = append(allowed, method)
				}
			}
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			writeError(w, r, &Error{Code: MethodNotAllowed, Reason: "the method " + quote(r.Method) + " is not possible here, but " + strings.Join(allowed, ", ")})
			return
		}
		if err := handler(w, r); err != nil {
			writeError(w, r, err)
		}
	}
}

// requestIDHeader is the header of an answer with the server's name of the request.
const requestIDHeader = "X-Request-Id"

func requestID(w http.ResponseWriter) string { return w.Header().Get(requestIDHeader) }

var noSniff = []string{"nosniff"}

// recover answers a request whose handler panicked.
func (s *Server) recover(w http.ResponseWriter, id string) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	if s.opts.Logger != nil {
		s.opts.Logger.Error("panic", "id", id, "value", v, "stack", string(debug.Stack()))
	}
	writeJSON(w, http.StatusInternalServerError, oip.ErrorResponse{Error: "internal error in request " + id})
}

// protection refuses requests that pages of other origins make browsers send.
func (s *Server) protection() *http.CrossOriginProtection {
	if s.opts.Origin == "*" {
		return nil
	}
	p := http.NewCrossOriginProtection()
	if s.opts.Origin != "" {
		_ = p.AddTrustedOrigin(s.opts.Origin) // New has checked it
	}
	return p
}

// guard refuses requests by their headers. It reports whether it has answered one.
func (s *Server) guard(w http.ResponseWriter, r *http.Request, route route, protection *http.CrossOriginProtection) (done bool, err error) {
	if s.opts.LocalHost && !isLocal(r.Host) {
		return false, &Error{Code: Forbidden, Reason: "the host " + quote(r.Host) + " is not this computer's"}
	}
	if origin := r.Header.Get("Origin"); origin != "" && s.opts.Origin != "" && (s.opts.Origin == "*" || s.opts.Origin == origin) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", s.opts.Origin)
		h.Add("Vary", "Origin")
		h.Set("Access-Control-Expose-Headers", oip.HeaderLength+", Retry-After, X-Request-Id")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST")
			h.Set("Access-Control-Allow-Headers", "Content-Type, Authorization, "+oip.HeaderLength)
			w.WriteHeader(http.StatusNoContent)
			return true, nil
		}
	}
	if protection != nil {
		if err := protection.Check(r); err != nil {
			return false, &Error{Code: Forbidden, Reason: "a page of another origin sent this request"}
		}
	}
	if !route.open && !s.authorized(r) {
		w.Header().Add("WWW-Authenticate", "Bearer")
		w.Header().Add("WWW-Authenticate", `Basic realm="octet"`)
		return false, &Error{Code: Unauthenticated, Reason: "the request bears no token, or not that of the server"}
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return false, &Error{Code: UnsupportedMedia, Reason: "the body is compressed (" + quote(encoding) + "), which is not read: send it as it is"}
	}
	return false, nil
}

// isLocal reports whether a request names this computer as host, or none: the checks of load balancers do without, in HTTP/1.0, and
// browsers, whose pages may be anybody's, never.
func isLocal(host string) bool {
	if host == "" {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// authorized reports whether a request bears the token: as a bearer, or as the password that browsers ask for.
func (s *Server) authorized(r *http.Request) bool {
	if s.opts.Token == "" {
		return true
	}
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		_, given, _ = r.BasicAuth()
	}
	return subtle.ConstantTimeCompare([]byte(given), []byte(s.opts.Token)) == 1
}

// writeError answers with an error: {"error": "..."} on one line.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	code := CodeOf(err)
	if e, ok := errors.AsType[*Error](err); ok && e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(int64(math.Ceil(e.RetryAfter.Seconds())), 10))
	}
	if r.ContentLength != 0 && !bodyRead(r) {
		w.Header().Set("Connection", "close") // the rest of the body is not worth reading
	}
	writeJSON(w, code.HTTP(), oip.ErrorResponse{Error: ErrorText(err, requestID(w))})
}

// bodyRead reports whether a body of known size was small enough that reading it to the end does no harm.
func bodyRead(r *http.Request) bool { return r.ContentLength >= 0 && r.ContentLength <= 256<<10 }

// writeJSON answers with a document.
func writeJSON(w http.ResponseWriter, status int, document any) {
	text, err := json.Marshal(document)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"internal error: the answer cannot be written"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // there is nobody to tell
}

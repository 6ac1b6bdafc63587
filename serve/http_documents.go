package serve

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/octet-ml/octet/serve/oip"
)

func (s *Server) handleServer(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, s.Metadata())
	return nil
}

func (s *Server) handleLive(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, oip.ServerLive{Live: true})
	return nil
}

func (s *Server) handleReady(w http.ResponseWriter, r *http.Request) error {
	ready, reason := s.Ready()
	status := http.StatusOK
	if !ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	if !s.authorized(r) {
		reason = ""
	}
	writeJSON(w, status, oip.ServerReady{Live: true, Ready: ready, Reason: reason})
	return nil
}

func (s *Server) handleModel(w http.ResponseWriter, r *http.Request) error {
	m, err := s.ModelMetadata(r.PathValue("model"), r.PathValue("version"))
	if err == nil {
		writeJSON(w, http.StatusOK, m)
	}
	return err
}

func (s *Server) handleModelReady(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("model")
	ready, _, err := s.ModelReady(name, r.PathValue("version"))
	if err != nil {
		return err
	}
	status := http.StatusOK
	if !ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, status, oip.ModelReady{Name: name, Ready: ready})
	return nil
}

func (s *Server) handleStats(w http.ResponseWriter, r *http.Request) error {
	stats, err := s.Stats(r.PathValue("model"), r.PathValue("version"))
	if err == nil {
		writeJSON(w, http.StatusOK, stats)
	}
	return err
}

func (s *Server) handleIndex(w http.ResponseWriter, r *http.Request) error {
	var request oip.IndexRequest
	if err := s.readDocument(w, r, &request); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, s.Index(request.Ready))
	return nil
}

// loadRequest is the body of a request to load or unload a model. Triton's may carry a configuration and files: they are refused.
type loadRequest struct {
	Parameters map[string]any `json:"parameters"`
}

func (s *Server) handleLoad(w http.ResponseWriter, r *http.Request) error {
	return s.control(w, r, s.LoadModel)
}

func (s *Server) handleUnload(w http.ResponseWriter, r *http.Request) error {
	return s.control(w, r, s.UnloadModel)
}

// maxDocument bounds the bytes of a document that clients send.
const maxDocument = 64 << 10

// readDocument reads a small JSON document; an empty body leaves it as it is.
func (s *Server) readDocument(w http.ResponseWriter, r *http.Request, to any) error {
	body := s.body(w, r, maxDocument)
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	body.complete()
	if len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, to); err != nil {
		return &Error{Code: InvalidArgument, Reason: "the body is no document of the protocol", Err: err}
	}
	return nil
}

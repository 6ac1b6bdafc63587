package oip

import "encoding/json"

// ServerMetadata is the answer to GET v2.
type ServerMetadata struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Extensions []string `json:"extensions"`
}

// TensorMetadata describes an input or output of a model. An extent of -1 is free.
type TensorMetadata struct {
	Name     string   `json:"name"`
	Datatype Datatype `json:"datatype"`
	Shape    []int64  `json:"shape"`
}

// ModelMetadata is the answer to GET v2/models/NAME.
type ModelMetadata struct {
	Name       string           `json:"name"`
	Versions   []string         `json:"versions,omitempty"`
	Platform   string           `json:"platform"`
	Inputs     []TensorMetadata `json:"inputs"`
	Outputs    []TensorMetadata `json:"outputs"`
	Parameters map[string]any   `json:"parameters,omitempty"`
}

// ModelReady is the answer to GET v2/models/NAME/ready.
type ModelReady struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
}

// ServerLive is the answer to GET v2/health/live.
type ServerLive struct {
	Live bool `json:"live"`
}

// ServerReady is the answer to GET v2/health/ready.
type ServerReady struct {
	Live   bool   `json:"live"` // the specification's table has this name also for readiness
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
}

// ErrorResponse is the body of every answer that is not a success.
type ErrorResponse struct {
	Error string `json:"error"`
}

// IndexRequest is the body of POST v2/repository/index.
type IndexRequest struct {
	Ready bool `json:"ready,omitempty"` // only models that are ready
}

// IndexEntry is a model in the answer to POST v2/repository/index.
type IndexEntry struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	State   string `json:"state"` // READY, LOADING, UNLOADING, UNAVAILABLE
	Reason  string `json:"reason"`
}

// Duration counts events and adds up their time.
type Duration struct {
	Count uint64 `json:"count"`
	Ns    uint64 `json:"ns"`
}

// InferenceStats are the times of a model's requests.
type InferenceStats struct {
	Success       Duration `json:"success"`
	Fail          Duration `json:"fail"`
	Queue         Duration `json:"queue"`
	ComputeInput  Duration `json:"compute_input"`
	ComputeInfer  Duration `json:"compute_infer"`
	ComputeOutput Duration `json:"compute_output"`
}

// BatchStats are the times of a model's runs of one size.
type BatchStats struct {
	BatchSize    int      `json:"batch_size"`
	ComputeInfer Duration `json:"compute_infer"`
}

// ModelStats are the statistics of one version of a model.
type ModelStats struct {
	Name           string         `json:"name"`
	Version        string         `json:"version"`
	LastInference  int64          `json:"last_inference"` // milliseconds since 1970
	InferenceCount uint64         `json:"inference_count"`
	ExecutionCount uint64         `json:"execution_count"`
	InferenceStats InferenceStats `json:"inference_stats"`
	BatchStats     []BatchStats   `json:"batch_stats"`
}

// StatsResponse is the answer to GET v2/models/stats.
type StatsResponse struct {
	ModelStats []ModelStats `json:"model_stats"`
}

// decodeDocument decodes one of the documents above, whose size the caller has bounded.
func decodeDocument(data []byte, to any) error {
	s := &scanner{data: data}
	if _, err := s.skip(maxDepth); err != nil {
		return err
	}
	if err := s.end(); err != nil {
		return err
	}
	if err := json.Unmarshal(data, to); err != nil {
		return &InvalidError{Reason: "invalid document", Err: err}
	}
	return nil
}

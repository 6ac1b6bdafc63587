package serve

import (
	"slices"
	"sync"
	"time"

	"github.com/octet-ml/octet/serve/oip"
)

// stats count what a deployment did, as the protocol's statistics extension has it.
type stats struct {
	mu      sync.Mutex
	last    time.Time
	samples uint64
	runs    uint64
	times   oip.InferenceStats
	batches []oip.BatchStats // by size
}

func count(d *oip.Duration, took time.Duration) {
	d.Count++
	d.Ns += uint64(max(took, 0))
}

// request counts a request that ended.
func (s *stats) request(e *RequestEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Code != OK {
		count(&s.times.Fail, e.Total)
		return
	}
	s.last = e.Start.Add(e.Total)
	s.samples += uint64(e.Samples)
	count(&s.times.Success, e.Total)
	count(&s.times.Queue, e.Queue)
	count(&s.times.ComputeInput, e.Decode)
	count(&s.times.ComputeInfer, e.Run)
	count(&s.times.ComputeOutput, e.Encode)
}

// maxBatchStats bounds the sizes that are counted apart.
const maxBatchStats = 64

// run counts a run that ended.
func (s *stats) run(e *RunEvent) {
	if e.Err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs++
	i, found := slices.BinarySearchFunc(s.batches, e.Samples, func(b oip.BatchStats, n int) int { return b.BatchSize - n })
	if !found {
		if len(s.batches) == maxBatchStats {
			return
		}
		s.batches = slices.Insert(s.batches, i, oip.BatchStats{BatchSize: e.Samples})
	}
	count(&s.batches[i].ComputeInfer, e.Duration)
}

// document returns the counts.
func (s *stats) document(name, version string) oip.ModelStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := oip.ModelStats{Name: name, Version: version, InferenceCount: s.samples, ExecutionCount: s.runs, InferenceStats: s.times, BatchStats: slices.Clone(s.batches)}
	if !s.last.IsZero() {
		m.LastInference = s.last.UnixMilli()
	}
	return m
}

// Stats returns the statistics of a model, in all versions where version is "", and of all models where name is.
func (s *Server) Stats(name, version string) (*oip.StatsResponse, error) {
	answer := &oip.StatsResponse{ModelStats: []oip.ModelStats{}}
	if name != "" {
		if _, err := s.find(name, version); err != nil {
			return nil, err
		}
	}
	for _, d := range s.deployments() {
		if (name == "" || d.name == name) && (version == "" || d.version == version) {
			answer.ModelStats = append(answer.ModelStats, d.stats.document(d.name, d.version))
		}
	}
	return answer, nil
}

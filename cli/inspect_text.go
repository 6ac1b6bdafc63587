package cli

import (
	"fmt"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/text"
)

// textSummary is what a model says of texts, in the document of inspect --json.
type textSummary struct {
	Family    string   `json:"family,omitempty"` // the rest is of what has a config.json
	Task      string   `json:"task,omitempty"`
	Layers    int      `json:"layers,omitempty"`
	Hidden    int      `json:"hidden,omitempty"`
	Heads     int      `json:"heads,omitempty"`
	Positions int      `json:"positions,omitempty"`
	Pooling   []string `json:"pooling,omitempty"`
	Normalize bool     `json:"normalize,omitempty"`
	// Labels that do not exclude each other.
	MultiLabel bool `json:"multi_label,omitempty"`

	Tokenizer string `json:"tokenizer,omitempty"` // its model
	Tokens    int64  `json:"tokens,omitempty"`
	Limit     int    `json:"limit,omitempty"` // most tokens of a text
	Bytes     int    `json:"bytes,omitempty"` // of the file for these
}

var (
	taskNames    = []string{"sequence classification", "token classification", "features", "sentence embedding"} // by nn.BERTTask
	poolingNames = []string{"cls", "max", "mean", "mean_sqrt_len"}                                               // by nn.Pooling
)

// summarizeText reads what a model says of texts, nil where it says nothing.
func summarizeText(path string, info *graph.Info) (*textSummary, error) {
	if info == nil || info.Texts == nil {
		return nil, nil
	}
	s := new(textSummary)
	if f, err := info.Texts.Open("config.json"); err == nil {
		f.Close()
		m, err := loader.ReadTextModel(".", loader.FS(info.Texts))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s.describe(m)
	}
	if t, ok := info.Texts.(loader.TextFiles); ok {
		s.Bytes = t.Size()
	}
	if !hasTokenizer(info.Texts) {
		return s, nil
	}
	t, err := text.OpenFS(info.Texts, ".")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.Tokenizer, s.Tokens, s.Limit = t.Model(), t.Size(), t.Limit
	return s, nil
}

func (s *textSummary) describe(m *loader.TextModel) {
	c := &m.Config
	s.Family, s.Task, s.MultiLabel, s.Normalize = c.ModelType, taskNames[m.Task], m.MultiLabel, c.Normalize
	if s.Family == "" {
		s.Family = "bert"
	}
	s.Layers, s.Hidden, s.Heads, s.Positions = c.Layers, c.Hidden, c.Heads, c.Positions
	if m.Task == nn.SentenceEmbedding {
		for _, p := range c.Pooling {
			s.Pooling = append(s.Pooling, poolingNames[p])
		}
	}
}

// lines says it for people.
func (s *textSummary) lines() []string {
	var lines []string
	if s.Family != "" {
		lines = append(lines, fmt.Sprintf("family      %s: %d layers of %d, %d heads, %d positions", s.Family, s.Layers, s.Hidden, s.Heads, s.Positions))
		task := s.Task
		if s.MultiLabel {
			task += ", labels that do not exclude each other"
		}
		lines = append(lines, "task        "+task)
	}
	if len(s.Pooling) > 0 {
		how := strings.Join(s.Pooling, ", ")
		if s.Normalize {
			how += ", normalized to length 1"
		}
		lines = append(lines, "pooling     "+how)
	}
	switch {
	case s.Tokenizer == "":
		lines = append(lines, "tokenizer   none: --tokenizer gives one")
	case s.Limit > 0:
		lines = append(lines, fmt.Sprintf("tokenizer   %s of %d tokens, texts of up to %d", s.Tokenizer, s.Tokens, s.Limit))
	default:
		lines = append(lines, fmt.Sprintf("tokenizer   %s of %d tokens, texts of any length", s.Tokenizer, s.Tokens))
	}
	if s.Bytes > 0 {
		lines = append(lines, fmt.Sprintf("            with its configuration %d bytes of the file", s.Bytes))
	}
	return lines
}

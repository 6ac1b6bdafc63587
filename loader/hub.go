package loader

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/internal/rawfile"
	"github.com/octet-ml/octet/tensor"
)

// hubFolder is a folder of Hugging Face with a model of BERT's family.
type hubFolder struct {
	fsys    fs.FS
	dir     string
	weights []string // paths
	config  nn.BERTConfig
	labels  labelNames

	index   string            // path of the index of weights in several files, else ""
	shards  []string          // names of these
	shardOf map[string]string // by tensor
}

// labelNames is what a config.json says of labels.
type labelNames struct {
	Names   map[string]string `json:"id2label"`
	Problem string            `json:"problem_type"`
}

// list returns the names in their order, nil where there are none.
func (l *labelNames) list() ([]string, error) {
	var names []string
	for i := range len(l.Names) {
		name, ok := l.Names[strconv.Itoa(i)]
		if !ok {
			return nil, fmt.Errorf("id2label has no label %d of %d", i, len(l.Names))
		}
		names = append(names, name)
	}
	return names, nil
}

// weightNames are the files of weights, the better first.
var weightNames = []string{"model.safetensors", "pytorch_model.bin"}

// maxConfig bounds the bytes of a file of JSON in a folder.
const maxConfig = 16 << 20

// readHubFolder reads what a folder says of its model. It returns nil where there is no config.json.
func readHubFolder(fsys fs.FS, dir string) (*hubFolder, error) {
	f := &hubFolder{fsys: fsys, dir: dir}
	path := f.join("config.json")
	text, err := readConfig(fsys, path)
	if text == nil || err != nil {
		return nil, err
	}
	if f.config, err = nn.ParseBERTConfig(text); err == nil {
		err = json.Unmarshal(text, &f.labels)
	}
	if err != nil {
		return nil, &FileError{File: path, Err: err}
	}
	return f, f.readModules()
}

// openHubFolder is readHubFolder of a folder that also has weights. It returns nil for what is no folder, or has no config.json.
func openHubFolder(fsys fs.FS, dir string) (*hubFolder, error) {
	info, err := fs.Stat(fsys, dir)
	if err != nil || !info.IsDir() {
		return nil, nil // which opening says
	}
	f, err := readHubFolder(fsys, dir)
	if f == nil || err != nil {
		return nil, err
	}
	for _, name := range weightNames {
		for _, path := range []string{f.join(name), f.join(name + indexSuffix)} {
			if _, err := fs.Stat(fsys, path); errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				return nil, err
			}
			if strings.HasSuffix(path, indexSuffix) {
				return f, f.readIndex(path)
			}
			f.weights = []string{path}
			return f, nil
		}
	}
	return nil, &FileError{File: dir, Reason: "it has a config.json, but no " + strings.Join(weightNames, " and no ") + ", nor an index of several"}
}

// join returns the path of a file in the folder.
func (f *hubFolder) join(names ...string) string {
	return rawfile.Join(f.fsys, append([]string{f.dir}, names...)...)
}

// weightsName returns the name of the file of weights, or of the index of several.
func (f *hubFolder) weightsName() string {
	if f.index != "" {
		return filepath.Base(f.index)
	}
	return filepath.Base(f.weights[0])
}

// readConfig reads a file of JSON, nil where there is none.
func readConfig(fsys fs.FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(text) > maxConfig {
		err = &FileError{File: path, Reason: fmt.Sprintf("more than %d bytes", maxConfig)}
	}
	return text, err
}

// poolingFlags are the entries of a 1_Pooling/config.json that turn a pooling on, in the order in which sentence-transformers joins them; "" is not supported.
var poolingFlags = []struct {
	name string
	how  nn.Pooling
}{
	{"pooling_mode_cls_token", nn.PoolCLS}, {"pooling_mode_max_tokens", nn.PoolMax},
	{"pooling_mode_mean_tokens", nn.PoolMean}, {"pooling_mode_mean_sqrt_len_tokens", nn.PoolMeanSqrt},
}

// readModules reads what modules.json of sentence-transformers puts behind the model, if there is one.
func (f *hubFolder) readModules() error {
	path := f.join("modules.json")
	text, err := readConfig(f.fsys, path)
	if text == nil || err != nil {
		return err
	}
	var modules []struct{ Path, Type string }
	if err := json.Unmarshal(text, &modules); err != nil {
		return &FileError{File: path, Err: err}
	}
	for _, m := range modules {
		switch kind := m.Type[strings.LastIndexByte(m.Type, '.')+1:]; kind {
		case "Transformer":
		case "Pooling":
			f.config.Task = nn.SentenceEmbedding
			if err := f.readPooling(f.join(m.Path, "config.json")); err != nil {
				return err
			}
		case "Normalize":
			f.config.Normalize = true
		default:
			return &FileError{File: path, Record: m.Path, Err: &UnsupportedModuleError{kind}}
		}
	}
	return nil
}

// UnsupportedModuleError names a module of sentence-transformers, or a way of pooling, that is not supported.
type UnsupportedModuleError struct{ Module string }

func (e *UnsupportedModuleError) Error() string {
	return fmt.Sprintf("%s of sentence-transformers is not supported", e.Module)
}

// readPooling reads the config.json of a Pooling.
func (f *hubFolder) readPooling(path string) error {
	text, err := readConfig(f.fsys, path)
	if err == nil && text == nil {
		err = &FileError{File: path, Reason: "there is none, and modules.json names it"}
	}
	if err != nil {
		return err
	}
	var entries map[string]any
	if err := json.Unmarshal(text, &entries); err != nil {
		return &FileError{File: path, Err: err}
	}
	// Newer versions name the mode, or several.
	var named []any
	switch mode := entries["pooling_mode"].(type) {
	case string:
		named = []any{mode}
	case []any:
		named = mode
	}
	for _, p := range poolingFlags {
		short := strings.TrimSuffix(strings.TrimPrefix(p.name, "pooling_mode_"), "_tokens")
		if on, _ := entries[p.name].(bool); on || slices.Contains(named, any(strings.TrimSuffix(short, "_token"))) {
			f.config.Pooling = append(f.config.Pooling, p.how)
		}
		delete(entries, p.name)
	}
	for name, v := range entries {
		if on, _ := v.(bool); on && strings.HasPrefix(name, "pooling_mode_") {
			return &FileError{File: path, Err: &UnsupportedModuleError{name}}
		}
	}
	if len(f.config.Pooling) == 0 {
		return &FileError{File: path, Err: &UnsupportedModuleError{fmt.Sprintf("pooling_mode %v", entries["pooling_mode"])}}
	}
	return nil
}

// build makes the graph of the folder with its weights.
func (f *hubFolder) build(file *File) (*graph.Graph, error) {
	w, err := file.StateDict()
	if err != nil {
		return nil, err
	}
	have := 0.0
	for _, t := range w.All() {
		have += float64(t.Numel())
	}
	if need := f.config.Weights(); need > 2*have {
		return nil, &FileError{File: f.join("config.json"), Reason: fmt.Sprintf("it describes a model of %.0f parameters, and %s has %.0f", need, f.weightsName(), have)}
	}
	h := newHubWeights(w, &f.config)
	config := f.config
	config.Pooler = h.Get(config.Prefix()+".pooler.dense.weight") != nil
	g, err := nn.Build(nn.BERT(config), h)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.join(f.weightsName()), err)
	}
	g.Info = &graph.Info{Texts: folderFiles{f.fsys, f.dir}}
	if config.Task == nn.SequenceClassification || config.Task == nn.TokenClassification {
		m, err := f.describe()
		if err != nil {
			return nil, err
		}
		g.Info.Labels = m.Labels
	}
	return g, nil
}

// hubWeights are weights of Hugging Face by the names that they have in a model with a head.
type hubWeights struct {
	weights *Weights
	names   []string          // without those that the task does not need
	stored  map[string]string // by name
}

// headNames are the first parts of the names of parameters that are beside a model.
var headNames = []string{"classifier", "pre_classifier", "cls", "lm_head", "qa_outputs", "vocab_transform", "vocab_layer_norm", "vocab_projector"}

func newHubWeights(w *Weights, c *nn.BERTConfig) *hubWeights {
	h := &hubWeights{weights: w, stored: make(map[string]string, w.Len())}
	for _, stored := range w.Names() {
		name := hubName(stored, c.Prefix())
		h.stored[name] = stored
		if !unneeded(name, c) {
			h.names = append(h.names, name)
		}
	}
	return h
}

// hubName returns the name that a parameter has in a model with a head. Files of a bare model have none of its prefix, and old ones TensorFlow's names.
func hubName(name, prefix string) string {
	first, _, _ := strings.Cut(name, ".")
	if first != prefix && !slices.Contains(headNames, first) {
		name = prefix + "." + name
	}
	for old, new := range map[string]string{".gamma": ".weight", ".beta": ".bias"} {
		if base, ok := strings.CutSuffix(name, old); ok {
			return base + new
		}
	}
	return name
}

// unneeded reports whether a task does without a parameter that files of it may have.
func unneeded(name string, c *nn.BERTConfig) bool {
	first, rest, _ := strings.Cut(name, ".")
	classifies := c.Task == nn.SequenceClassification || c.Task == nn.TokenClassification
	switch {
	case first != c.Prefix():
		return !classifies || first != "classifier" && first != "pre_classifier"
	case strings.HasPrefix(rest, "pooler."):
		return c.Task == nn.TokenClassification || c.Task == nn.SentenceEmbedding || classifies && c.Prefix() != "bert"
	}
	return rest == "embeddings.position_ids" || rest == "embeddings.token_type_ids"
}

func (h *hubWeights) Names() []string { return h.names }

func (h *hubWeights) Get(name string) *tensor.Tensor {
	stored, ok := h.stored[name]
	if !ok {
		return nil
	}
	return h.weights.Get(stored)
}

// TextModel says what a folder of Hugging Face has a model for.
type TextModel struct {
	Task       nn.BERTTask
	Labels     []string // of classification, in their order; nil where config.json names none
	MultiLabel bool     // any number of labels may hold for a text
	// Config has its family, sizes and pooling.
	Config nn.BERTConfig
}

// TextModel returns what a folder of Hugging Face says of its model, nil for a file that is not of one.
func (f *File) TextModel() (*TextModel, error) {
	if f.folder == nil {
		return nil, nil
	}
	return f.folder.describe()
}

// ReadTextModel reads what a folder of Hugging Face says of its model, or of the model that was made from it. Of the options FS counts.
func ReadTextModel(dir string, opts ...Option) (*TextModel, error) {
	f, err := readHubFolder(newModelFile(opts).fsys, dir)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, &FileError{File: dir, Reason: "it has no config.json"}
	}
	return f.describe()
}

func (f *hubFolder) describe() (m *TextModel, err error) {
	m = &TextModel{Task: f.config.Task, Config: f.config, MultiLabel: f.labels.Problem == "multi_label_classification"}
	if m.Labels, err = f.labels.list(); err != nil {
		return nil, &FileError{File: f.join("config.json"), Err: err}
	}
	return m, nil
}

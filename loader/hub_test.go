package loader

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// hubCase is what transformers computes with a model for some texts.
type hubCase struct {
	Inputs  map[string][][]int64
	Outputs map[string]struct {
		Shape  []int
		Values []float32
	}
	Every int // tokens of which the outputs were kept, 0 for all
}

// TestHubFolders loads folders of Hugging Face with a small random model of each family, and compares its outputs with those of transformers.
func TestHubFolders(t *testing.T) {
	dirs, err := filepath.Glob("testdata/hub/*/outputs.json")
	if err != nil || len(dirs) < 23 {
		t.Fatalf("%d folders: %v", len(dirs), err)
	}
	for _, file := range dirs {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var cases []hubCase
			b, err := os.ReadFile(file)
			if err == nil {
				err = json.Unmarshal(b, &cases)
			}
			if err != nil {
				t.Fatal(err)
			}
			g, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			s, err := g.Compile(graph.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for _, c := range cases {
				c.check(t, g, s)
			}
		})
	}
}

func (c *hubCase) check(t *testing.T, g *graph.Graph, s *graph.Session) {
	t.Helper()
	var in []*tensor.Tensor
	for _, v := range g.Inputs {
		rows, ok := c.Inputs[v.Name]
		if !ok {
			rows = make([][]int64, len(c.Inputs["input_ids"]))
			for i := range rows {
				rows[i] = make([]int64, len(c.Inputs["input_ids"][0]))
			}
		}
		x, err := tensor.FromSlice(slices.Concat(rows...), len(rows), len(rows[0]))
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, x)
	}
	out, err := s.Run(t.Context(), in...)
	if err != nil {
		t.Fatal(err)
	}
	names := g.OutputNames()
	if len(names) != len(c.Outputs) {
		t.Fatalf("outputs %v, want %d", names, len(c.Outputs))
	}
	for i, name := range names {
		want, ok := c.Outputs[name]
		if !ok {
			t.Fatalf("no output %s is recorded", name)
		}
		y := out[i]
		if c.Every > 0 && y.Rank() == 3 {
			if y, err = y.Slice(1, 0, y.Dim(1), c.Every); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal([]int(y.Shape()), want.Shape) {
			if c.Every > 0 {
				continue // of which less was kept
			}
			t.Fatalf("%s: %v, want %v", name, y.Shape(), want.Shape)
		}
		worst := 0.0
		for k, v := range y.Contiguous().Float32s() {
			worst = math.Max(worst, math.Abs(float64(v-want.Values[k])))
		}
		if !(worst <= 1e-5) {
			t.Errorf("%s differs by %g", name, worst)
		}
	}
}

// TestHubRefused opens folders of which something is missing or not supported.
func TestHubRefused(t *testing.T) {
	const config = `{"model_type":"bert","vocab_size":60,"hidden_size":16,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":24,"max_position_embeddings":160,"architectures":["BertModel"]}`
	weights, err := os.ReadFile("testdata/hub/bert-model/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, config, modules, pooling, want string
		weights                              bool
	}{
		{"no weights", config, "", "", "no model.safetensors", false},
		{"no JSON", "{", "", "", "config.json", true},
		{"family", `{"model_type":"gpt2"}`, "", "", `"gpt2"`, true},
		{"positions", strings.Replace(config, "{", `{"position_embedding_type":"relative_key",`, 1), "", "", "relative_key", true},
		{"decoder", strings.Replace(config, "{", `{"is_decoder":true,`, 1), "", "", "is_decoder", true},
		{"activation", strings.Replace(config, "{", `{"hidden_act":"odd",`, 1), "", "", `"odd"`, true},
		{"claims", strings.Replace(config, `"intermediate_size":24`, `"intermediate_size":16000000`, 1), "", "", "describes a model of", true},
		{"layers", strings.Replace(config, `"num_hidden_layers":2`, `"num_hidden_layers":3`, 1), "", "", "encoder.layer.2", true},
		{"heads", strings.Replace(config, "BertModel", "BertForSequenceClassification", 1), "", "", "classifier.weight", true},
		{"dense", config, `[{"path":"2_Dense","type":"sentence_transformers.models.Dense"}]`, "", "Dense", true},
		{"no pooling", config, `[{"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}]`, "", "modules.json names it", true},
		{"pooling", config, `[{"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}]`, `{"pooling_mode_lasttoken":true}`, "pooling_mode_lasttoken", true},
		{"none", config, `[{"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}]`, `{}`, "pooling_mode", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, content string) {
				if content == "" {
					return
				}
				path := filepath.Join(dir, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			write("config.json", c.config)
			write("modules.json", c.modules)
			write("1_Pooling/config.json", c.pooling)
			if c.weights {
				write("model.safetensors", string(weights))
			}
			_, err := Load(dir)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%v, want an error that names %s and says %q", err, dir, c.want)
			}
		})
	}
}

func TestReadTextModel(t *testing.T) {
	m, err := ReadTextModel("testdata/hub/bert-sequence")
	if err != nil || !slices.Equal(m.Labels, []string{"no", "yes", "perhaps"}) || m.MultiLabel {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := ReadTextModel(t.TempDir()); err == nil {
		t.Error("a folder without config.json")
	}
}

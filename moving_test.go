package octet_test

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
	"github.com/octet-ml/octet/text"
)

// The functions that follow are octet's side of docs/moving.md, which has them letter by letter.

// scorer has room for one input and one output, as an AdvancedSession has.
type scorer struct {
	session *graph.Session
	in, out *tensor.Tensor
}

func newScorer(path string) (*scorer, error) {
	model, err := loader.Load(path)
	if err != nil {
		return nil, err
	}
	session, err := model.Compile(graph.Options{Threads: 1})
	if err != nil {
		return nil, err
	}
	in, err := tensor.New(tensor.Float32, 1, 3, 32, 32)
	if err != nil {
		return nil, err
	}
	out, err := tensor.New(tensor.Float32, 1, 10)
	if err != nil {
		return nil, err
	}
	return &scorer{session, in, out}, nil
}

func (s *scorer) score(ctx context.Context, pixels []float32) ([]float32, error) {
	copy(s.in.Float32s(), pixels)
	err := s.session.RunInto(ctx, []*tensor.Tensor{s.out}, []*tensor.Tensor{s.in})
	return s.out.Float32s(), err
}

// embedder turns texts into vectors, with any number of goroutines.
type embedder struct {
	tokenizer *text.Tokenizer
	session   *graph.Session
}

func newEmbedder(dir string) (*embedder, error) {
	tokenizer, err := text.Open(dir)
	if err != nil {
		return nil, err
	}
	model, err := loader.Load(dir)
	if err != nil {
		return nil, err
	}
	session, err := model.Compile(graph.Options{})
	if err != nil {
		return nil, err
	}
	return &embedder{tokenizer, session}, nil
}

func (e *embedder) embed(ctx context.Context, sentence string) ([]float32, error) {
	arrays, _, err := e.tokenizer.Batch([][2]string{{sentence}})
	if err != nil {
		return nil, err
	}
	out, err := e.session.RunNamed(ctx, arrays...)
	if err != nil {
		return nil, err
	}
	return out.Get("sentence_embedding").Float32s(), nil
}

// classes returns the probabilities of the likeliest classes of an image, and the classes.
func classes(ctx context.Context, session *graph.Session, image *tensor.Tensor) (p []float32, class []int64, err error) {
	out, err := session.Run(ctx, image)
	if err != nil {
		return nil, nil, err
	}
	all, err := tensor.Softmax(out[0])
	if err != nil {
		return nil, nil, err
	}
	values, indices, err := tensor.TopK(all, 5)
	if err != nil {
		return nil, nil, err
	}
	return values.Float32s(), indices.Int64s(), nil
}

// TestMoving finds the functions above on the page.
func TestMoving(t *testing.T) {
	page, err := os.ReadFile("docs/moving.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("moving_test.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "moving_test.go", source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Test") {
			break
		} else if gen, ok := d.(*ast.GenDecl); ok && gen.Tok == token.IMPORT {
			continue
		}
		found++
		start, end := fset.Position(d.Pos()).Offset, fset.Position(d.End()).Offset
		if !bytes.Contains(page, source[start:end]) {
			t.Errorf("docs/moving.md lacks\n%s", source[start:end])
		}
	}
	if found != 7 {
		t.Errorf("%d declarations compared", found)
	}
}

// TestMovingRuns runs them.
func TestMovingRuns(t *testing.T) {
	s, err := newScorer("loader/testdata/both/resnet20.ts.pt")
	if err != nil {
		t.Fatal(err)
	}
	defer s.session.Close()
	pixels := make([]float32, 3*32*32)
	for i := range pixels {
		pixels[i] = float32(i%17)/8 - 1
	}
	logits, err := s.score(t.Context(), pixels)
	if err != nil {
		t.Fatal(err)
	}
	p, class, err := classes(t.Context(), s.session, s.in)
	if err != nil {
		t.Fatal(err)
	}
	best := 0
	for i, v := range logits {
		if v > logits[best] {
			best = i
		}
	}
	if len(p) != 5 || int(class[0]) != best || !(p[0] >= p[4]) || !(p[4] > 0) {
		t.Errorf("logits %v have the classes %v with %v", logits, class, p)
	}

	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("loader/testdata/hub/bert-sentence")); err != nil {
		t.Fatal(err)
	}
	vocabulary := "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncat\ndog\nbird\nsits\nthe\n"
	if err := os.WriteFile(filepath.Join(dir, "vocab.txt"), []byte(vocabulary), 0o644); err != nil {
		t.Fatal(err)
	}
	e, err := newEmbedder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer e.session.Close()
	a, err := e.embed(t.Context(), "the cat sits")
	if err != nil {
		t.Fatal(err)
	}
	b, err := e.embed(t.Context(), "the dog")
	if err != nil {
		t.Fatal(err)
	}
	if len(a) != 16 || len(b) != 16 || fmt.Sprint(a) == fmt.Sprint(b) || math.IsNaN(float64(a[0])) {
		t.Errorf("embeddings %v and %v", a, b)
	}
}

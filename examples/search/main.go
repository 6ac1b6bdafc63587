// Command search finds the lines of a file that are nearest in meaning to a question:
//
//	search MODEL LINES QUESTION...
//
// MODEL is a folder of Hugging Face with a model of sentence embeddings, such as all-MiniLM-L6-v2, e5-small-v2 or bge-small-en-v1.5; LINES is a
// text file. Lines are embedded by several goroutines on one session, each with its own length: nothing is padded.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
	"github.com/octet-ml/octet/text"
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: search MODEL LINES QUESTION...")
		os.Exit(2)
	}
	if err := search(context.Background(), os.Stdout, os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "search:", err)
		os.Exit(1)
	}
}

const answers = 5 // to each question

func search(ctx context.Context, w io.Writer, model, file string, questions []string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines := slices.DeleteFunc(strings.Split(string(b), "\n"), func(s string) bool { return strings.TrimSpace(s) == "" })
	e, err := openEmbedder(model)
	if err != nil {
		return err
	}
	defer e.session.Close()
	index, err := e.embedAll(ctx, lines)
	if err != nil {
		return err
	}
	for _, q := range questions {
		v, err := e.embed(ctx, q)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, q)
		for _, m := range nearest(index, v, answers) {
			fmt.Fprintf(w, "  %.4f  %s\n", m.score, lines[m.line])
		}
	}
	if n := e.cut.Load(); n > 0 {
		fmt.Fprintf(w, "%d texts were cut to %d tokens\n", n, e.tokenizer.Limit)
	}
	return nil
}

// embedder turns texts into vectors. It may be used by any number of goroutines.
type embedder struct {
	tokenizer *text.Tokenizer
	session   *graph.Session
	cut       atomic.Int64 // texts that were too long
}

func openEmbedder(dir string) (*embedder, error) {
	tokenizer, err := text.Open(dir)
	if err != nil {
		return nil, err
	}
	model, err := loader.Load(dir)
	if err != nil {
		return nil, err
	}
	// One thread for each run, for there are as many runs at a time.
	session, err := model.Compile(graph.Options{Threads: 1})
	if err != nil {
		return nil, err
	}
	return &embedder{tokenizer: tokenizer, session: session}, nil
}

// embed returns the vector of one text.
func (e *embedder) embed(ctx context.Context, s string) ([]float32, error) {
	arrays, cut, err := e.tokenizer.Batch([][2]string{{s}})
	if err != nil {
		return nil, err
	}
	e.cut.Add(int64(cut))
	var inputs []*tensor.Tensor
	for _, in := range e.session.Graph().Inputs {
		inputs = append(inputs, arrays.Get(in.Name))
	}
	out, err := e.session.Run(ctx, inputs...)
	if err != nil {
		return nil, err
	}
	if out[0].Rank() != 2 {
		return nil, fmt.Errorf("the model gives %v, not sentence embeddings: its folder needs a modules.json with a Pooling", out[0])
	}
	return out[0].Float32s(), nil
}

// embedAll returns the vectors of all texts, in their order.
func (e *embedder) embedAll(ctx context.Context, texts []string) ([][]float32, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	vectors := make([][]float32, len(texts))
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(texts) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				v, err := e.embed(ctx, texts[i])
				if err != nil {
					cancel(fmt.Errorf("line %d: %w", i+1, err))
					return
				}
				vectors[i] = v
			}
		})
	}
	all.Wait()
	return vectors, context.Cause(ctx)
}

// match is a line and the cosine of the angle between its vector and that of the question.
type match struct {
	line  int
	score float32
}

// nearest returns the n best matches, the best first.
func nearest(index [][]float32, v []float32, n int) []match {
	all := make([]match, len(index))
	for i, u := range index {
		all[i].line = i
		var dot, uu, vv float32
		for k := range v {
			dot, uu, vv = dot+u[k]*v[k], uu+u[k]*u[k], vv+v[k]*v[k]
		}
		all[i].score = dot / max(float32(math.Sqrt(float64(uu*vv))), 1e-12)
	}
	slices.SortStableFunc(all, func(a, b match) int { return cmp.Compare(b.score, a.score) })
	return all[:min(n, len(all))]
}

//go:build !noserve

package cli

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"weak"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
	"github.com/octet-ml/octet/text"
)

// The inputs that stand for those of a model that has a tokenizer.
const (
	servedText = "text"
	servedPair = "text_pair" // of pairs the second, as many
)

// servedTexts is the Decoder of models that have a tokenizer: texts of any length may be given in place of its ids. Other models have that of servedPictures.
type servedTexts struct {
	servedPictures
	tokenizers sync.Map // of *servedTokenizer by weak.Pointer[graph.Info], for as long as the model is there
}

// servedTokenizer is the tokenizer of a model, opened at the first use.
type servedTokenizer struct {
	once sync.Once
	t    *text.Tokenizer
	err  error
}

func hasTexts(model *graph.Signature) bool {
	return model.Info != nil && model.Info.Texts != nil && len(model.Inputs) > 0 && model.Inputs[0].Type.DType == tensor.Int64 && hasTokenizer(model.Info.Texts)
}

// tokenizer returns that of a model.
func (d *servedTexts) tokenizer(info *graph.Info) (*text.Tokenizer, error) {
	key := weak.Make(info)
	v, known := d.tokenizers.LoadOrStore(key, new(servedTokenizer))
	if !known {
		runtime.AddCleanup(info, func(key weak.Pointer[graph.Info]) { d.tokenizers.Delete(key) }, key)
	}
	s := v.(*servedTokenizer)
	s.once.Do(func() { s.t, s.err = text.OpenFS(info.Texts, ".") })
	return s.t, s.err
}

func (d *servedTexts) Inputs(model *graph.Signature) []oip.TensorMetadata {
	if !hasTexts(model) {
		return d.servedPictures.Inputs(model)
	}
	return []oip.TensorMetadata{{Name: servedText, Datatype: oip.Bytes, Shape: []int64{-1}}}
}

func (d *servedTexts) Decode(ctx context.Context, model *graph.Signature, given []*oip.Tensor) ([]*tensor.Tensor, error) {
	if !hasTexts(model) {
		return d.servedPictures.Decode(ctx, model, given)
	}
	pairs, err := textsGiven(given)
	if err != nil {
		return nil, &serve.Error{Code: serve.InvalidArgument, Reason: err.Error()}
	}
	t, err := d.tokenizer(model.Info)
	if err != nil {
		return nil, err
	}
	arrays, _, err := t.Batch(pairs)
	if err != nil {
		return nil, &serve.Error{Code: serve.InvalidArgument, Reason: err.Error()}
	}
	inputs := make([]*tensor.Tensor, len(model.Inputs))
	for i, port := range model.Inputs {
		if inputs[i] = arrays.Get(port.Name); inputs[i] == nil && i < len(arrays) {
			inputs[i] = arrays[i].Tensor // a model with names of its own
		}
		if inputs[i] == nil {
			return nil, &serve.Error{Code: serve.InvalidArgument, Reason: fmt.Sprintf("the model takes %d inputs, where a tokenizer gives %d", len(inputs), len(arrays))}
		}
	}
	return inputs, nil
}

// textsGiven returns the texts or pairs of a request.
func textsGiven(given []*oip.Tensor) ([][2]string, error) {
	var texts, second *oip.Tensor
	for _, in := range given {
		switch in.Name {
		case servedText:
			texts = in
		case servedPair:
			second = in
		default:
			return nil, fmt.Errorf("there is no input %.100q: give %s, and %s for pairs, as BYTES", in.Name, servedText, servedPair)
		}
	}
	if texts == nil || len(texts.Elements) == 0 || second != nil && len(second.Elements) != len(texts.Elements) {
		return nil, fmt.Errorf("%s needs at least one element, and %s as many", servedText, servedPair)
	}
	pairs := make([][2]string, len(texts.Elements))
	for i, b := range texts.Elements {
		pairs[i][0] = string(b)
		if second != nil {
			pairs[i][1] = string(second.Elements[i])
		}
	}
	return pairs, nil
}

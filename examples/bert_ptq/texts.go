package main

import (
	"context"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/tensor"
	"github.com/octet-ml/octet/text"
)

// openTexts opens labelled texts: tab-separated with a header, as the tasks of
// GLUE are, or any other data, such as texts that are already tokenized in an .npz file with the arrays input_ids,
// attention_mask, token_type_ids and y. A batch is as long as its longest text.
func openTexts(ctx context.Context, path string, t *text.Tokenizer) (*data.Dataset, error) {
	encode := func(texts []data.Text) (tensor.Arrays, error) {
		pairs := make([][2]string, len(texts))
		for i, x := range texts {
			pairs[i] = [2]string{x.Text, x.Pair}
		}
		inputs, _, err := t.Batch(pairs)
		return inputs, err
	}
	return data.Open(ctx, path, data.Options{Encode: encode})
}

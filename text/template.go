package text

import (
	"encoding/json"
	"errors"
	"fmt"
)

// item is a place in what a model is given: a special token, or the tokens of a text.
type item struct {
	text int // 0 or 1: the first or second text; -1: a special token
	id   int64
	kind int64 // token_type_id
}

// template says what is put around texts.
type template struct {
	single, pair []item
	set          bool
	// trim takes the white space off the offsets of byte-level tokens; prefix says that a space was put in front.
	trim, prefix bool
}

func defaultTemplate() template {
	return template{single: []item{{}}, pair: []item{{}, {text: 1, kind: 1}}}
}

// special counts the special tokens beside one or two texts.
func (t *template) special(pair bool) int {
	items := t.single
	if pair {
		items = t.pair
	}
	n := 0
	for _, i := range items {
		if i.text < 0 {
			n++
		}
	}
	return n
}

// add takes in the post-processor that a tokenizer.json describes.
func (t *template) add(c *component) error {
	if c == nil {
		return nil
	}
	switch c.Type {
	case "BertProcessing", "RobertaProcessing":
		cls, sep := item{text: -1, id: c.Cls.ID}, item{text: -1, id: c.Sep.ID}
		single, pair := []item{cls, {}, sep}, []item{cls, {}, sep, {text: 1, kind: 1}, {text: -1, id: sep.id, kind: 1}}
		if c.Type == "RobertaProcessing" {
			pair = []item{cls, {}, sep, sep, {text: 1}, sep}
			t.trim, t.prefix = c.TrimOffsets == nil || *c.TrimOffsets, c.AddPrefixSpace == nil || *c.AddPrefixSpace
		}
		return t.use(single, pair)
	case "ByteLevel":
		t.trim, t.prefix = c.TrimOffsets == nil || *c.TrimOffsets, c.AddPrefixSpace == nil || *c.AddPrefixSpace
		return nil
	case "TemplateProcessing":
		var single, pair []templateItem
		if err := errors.Join(json.Unmarshal(c.Single, &single), json.Unmarshal(c.Pair, &pair)); err != nil {
			return fmt.Errorf("TemplateProcessing: %w", err)
		}
		one, err := c.items(single)
		if err != nil {
			return err
		}
		two, err := c.items(pair)
		if err != nil {
			return err
		}
		return t.use(one, two)
	case "Sequence":
		for _, p := range c.Processors {
			if err := t.add(p); err != nil {
				return err
			}
		}
		return nil
	}
	return &UnsupportedError{"post-processor", c.Type}
}

func (t *template) use(single, pair []item) error {
	if t.set {
		return &UnsupportedError{"post-processor", "a sequence of several that add tokens"}
	}
	t.single, t.pair, t.set = single, pair, true
	return nil
}

// templateItem is a place in a TemplateProcessing.
type templateItem struct {
	SpecialToken, Sequence *struct {
		ID   string `json:"id"`
		Kind int64  `json:"type_id"`
	}
}

// items returns the places of a template.
func (c *component) items(list []templateItem) ([]item, error) {
	var out []item
	for _, i := range list {
		switch {
		case i.Sequence != nil && i.Sequence.ID == "A":
			out = append(out, item{kind: i.Sequence.Kind})
		case i.Sequence != nil && i.Sequence.ID == "B":
			out = append(out, item{text: 1, kind: i.Sequence.Kind})
		case i.SpecialToken != nil:
			token, ok := c.SpecialTokens[i.SpecialToken.ID]
			if !ok {
				return nil, fmt.Errorf("TemplateProcessing: the token %q is none of special_tokens", i.SpecialToken.ID)
			}
			for _, id := range token.IDs {
				out = append(out, item{text: -1, id: id, kind: i.SpecialToken.Kind})
			}
		default:
			return nil, errors.New("TemplateProcessing: a place is neither a SpecialToken nor a Sequence A or B")
		}
	}
	return out, nil
}

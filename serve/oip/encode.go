package oip

import "strconv"

// Append writes the request behind to: the JSON, then the tensors that are Binary. headerLength is the length of the JSON for
// the header of that name, -1 where no tensor is Binary. It fails on tensors whose parts do not fit together and on values that
// JSON does not have.
func (r *InferRequest) Append(to []byte) (body []byte, headerLength int, err error) {
	w := writer{first: len(to), body: append(to, '{')}
	w.text("id", r.ID)
	w.parameters("parameters", r.Parameters)
	w.tensors("inputs", r.Inputs)
	if len(r.Outputs) > 0 {
		w.list("outputs", len(r.Outputs), func(i int) {
			w.body = appendText(append(w.body, `{"name":`...), r.Outputs[i].Name)
			w.parameters("parameters", r.Outputs[i].Parameters)
			w.body = append(w.body, '}')
		})
	}
	return w.finish(r.Inputs)
}

// EncodedRequest is an InferRequest in the form in which it travels, to be sent any number of times.
type EncodedRequest struct {
	body         []byte
	headerLength int
}

// Encode returns the request as Append writes it, and fails as that does.
func (r *InferRequest) Encode() (*EncodedRequest, error) {
	body, headerLength, err := r.Append(nil)
	if err != nil {
		return nil, err
	}
	return &EncodedRequest{body, headerLength}, nil
}

// Size returns the bytes of the body.
func (r *EncodedRequest) Size() int { return len(r.body) }

// Append writes the answer behind to, as InferRequest.Append does a request. A NaN or infinity in a tensor that is not Binary
// is a *NotFiniteError.
func (r *InferResponse) Append(to []byte) (body []byte, headerLength int, err error) {
	w := writer{first: len(to), body: append(to, '{')}
	w.key("model_name")
	w.body = appendText(w.body, r.ModelName)
	w.text("model_version", r.ModelVersion)
	w.text("id", r.ID)
	w.parameters("parameters", r.Parameters)
	w.tensors("outputs", r.Outputs)
	return w.finish(r.Outputs)
}

// writer writes the members of an object until the first error.
type writer struct {
	first int // of the message in body
	body  []byte
	err   error
}

func (w *writer) key(key string) {
	if w.body[len(w.body)-1] != '{' {
		w.body = append(w.body, ',')
	}
	w.body = append(appendText(w.body, key), ':')
}

// text writes a text that may be left out when it is empty.
func (w *writer) text(key, text string) {
	if text != "" {
		w.key(key)
		w.body = appendText(w.body, text)
	}
}

func (w *writer) parameters(key string, p Parameters) {
	if len(p) == 0 || w.err != nil {
		return
	}
	w.key(key)
	body, err := p.append(w.body)
	if err != nil {
		w.err = err
		return
	}
	w.body = body
}

func (w *writer) list(key string, n int, element func(i int)) {
	w.key(key)
	w.body = append(w.body, '[')
	for i := range n {
		if i > 0 {
			w.body = append(w.body, ',')
		}
		element(i)
	}
	w.body = append(w.body, ']')
}

func (w *writer) tensors(key string, tensors []*Tensor) {
	w.list(key, len(tensors), func(i int) {
		if w.err == nil {
			w.tensor(tensors[i])
		}
	})
}

func (w *writer) tensor(t *Tensor) {
	if w.err = t.check(); w.err != nil {
		return
	}
	w.body = append(w.body, '{')
	w.key("name")
	w.body = appendText(w.body, t.Name)
	w.key("shape")
	w.body = appendEach(w.body, t.Shape, func(to []byte, extent int) []byte { return strconv.AppendInt(to, int64(extent), 10) })
	w.key("datatype")
	w.body = appendText(w.body, string(t.Datatype))
	if !t.Binary {
		w.parameters("parameters", t.Parameters)
		w.key("data")
		body, err := appendData(w.body, t)
		if err != nil {
			w.err = err
			return
		}
		w.body = append(body, '}')
		return
	}
	parameters := Parameters{BinaryDataSize: int64(t.binarySize())}
	for key, value := range t.Parameters {
		parameters[key] = value
	}
	w.parameters("parameters", parameters)
	w.body = append(w.body, '}')
}

// finish ends the object and writes the binary tensors.
func (w *writer) finish(tensors []*Tensor) ([]byte, int, error) {
	if w.err != nil {
		return nil, 0, w.err
	}
	w.body = append(w.body, '}')
	headerLength := -1
	for _, t := range tensors {
		if t.Binary {
			if headerLength < 0 {
				headerLength = len(w.body) - w.first
			}
			w.body = t.appendBinary(w.body)
		}
	}
	return w.body, headerLength, nil
}

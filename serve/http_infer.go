package serve

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/octet-ml/octet/serve/oip"
)

// jsonExpansion is how many bytes of memory a byte of JSON may take: itself, and two bytes such as "0," are an element of 8.
const jsonExpansion = 5

// handleInfer answers POST v2/models/NAME/infer.
func (s *Server) handleInfer(w http.ResponseWriter, r *http.Request) error {
	form, err := s.bodyForm(r)
	if err != nil {
		return err
	}
	t, err := s.Admit(r.Context(), Admission{
		Model: r.PathValue("model"), Version: r.PathValue("version"),
		Bytes: form.memory(), Body: form.Size, Protocol: "http", ID: requestID(w),
	})
	if err != nil {
		return err
	}
	var written int64
	defer func() {
		if v := recover(); v != nil {
			t.Done(&Error{Code: Internal, Reason: "internal error"}, 0)
			panic(v)
		}
		t.Done(err, written)
	}()
	memory := memories.Get().(*requestMemory)
	headerLength, err := s.answer(w, r, t, form, memory)
	told := err
	if err == nil {
		written, err = writeAnswer(w, memory.answer, headerLength) // where that fails there is no client to tell
	}
	memory.giveBack() // not after a panic, when somebody may still have it
	return told
}

// writeAnswer writes an answer, of which the first headerLength bytes are JSON, or below 0 all.
func writeAnswer(w http.ResponseWriter, answer []byte, headerLength int) (written int64, err error) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if headerLength >= 0 {
		h.Set("Content-Type", "application/octet-stream")
		h.Set(oip.HeaderLength, strconv.Itoa(headerLength))
	}
	h.Set("Content-Length", strconv.Itoa(len(answer)))
	n, err := w.Write(answer)
	if err != nil {
		err = &Error{Code: Canceled, Reason: "the client did not read the answer", Err: err}
	}
	return int64(n), err
}

// answer reads, runs, and writes the answer into the memory.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, t *Ticket, form bodyForm, memory *requestMemory) (headerLength int, err error) {
	sent := s.body(w, r, s.opts.MaxBody)
	var body io.Reader = sent
	if form.Size < 0 {
		body = &growingReader{body, t, form.factor()}
	}
	tensors := &memory.tensors
	if t.instance.signature.Stateful {
		tensors = new(oip.Memory) // its state may keep an input
	}
	tensors.Grow = t.Grow
	request, err := tensors.ReadInferRequest(body, form.Body, t.Raw())
	if err != nil {
		return 0, err
	}
	sent.complete()
	response, err := t.Infer(r.Context(), request)
	if err != nil {
		return 0, err
	}
	memory.answer, headerLength, err = response.Append(memory.answer[:0])
	t.Hold(int64(len(memory.answer)))
	return headerLength, err
}

// bodyForm is what the headers say of a body.
type bodyForm struct{ oip.Body }

// bodyForm reads the headers of a request for an inference.
func (s *Server) bodyForm(r *http.Request) (bodyForm, error) {
	form := bodyForm{oip.Body{Size: r.ContentLength, HeaderLength: -1}}
	if form.Size > s.opts.MaxBody {
		return form, &Error{Code: TooLarge, Reason: fmt.Sprintf("a body of %d bytes, at most %d are read", form.Size, s.opts.MaxBody)}
	}
	switch values := r.Header.Values(oip.HeaderLength); {
	case len(values) > 1:
		return form, invalid("the header %s stands %d times", oip.HeaderLength, len(values))
	case len(values) == 1:
		n, err := strconv.ParseInt(values[0], 10, 64)
		if err != nil || n < 0 {
			return form, invalid("the header %s is %s where a number of bytes is needed", oip.HeaderLength, quote(values[0]))
		}
		form.HeaderLength = n
	}
	return form, nil
}

func (f *bodyForm) factor() int64 {
	if f.HeaderLength >= 0 {
		return 2 // a tensor whose size no header vouches for is read and then copied
	}
	return jsonExpansion
}

// memory returns the bytes that a request takes once it is decoded, at most. What the headers do not say is counted as it comes.
func (f *bodyForm) memory() int64 {
	switch {
	case f.Size < 0:
		return 0
	case f.HeaderLength < 0:
		return f.Size * jsonExpansion
	}
	return f.Size + min(f.HeaderLength, f.Size)*(jsonExpansion-1)
}

// growingReader counts the bytes of a body as they come.
type growingReader struct {
	io.Reader
	ticket *Ticket
	factor int64
}

func (g *growingReader) Read(p []byte) (int, error) {
	n, err := g.Reader.Read(p)
	if n > 0 {
		g.ticket.event.BytesIn += int64(n)
		if err := g.ticket.Grow(int64(n) * g.factor); err != nil {
			return n, err
		}
	}
	return n, err
}

// requestMemory is what a request and its answer take, to be used again by others.
type requestMemory struct {
	tensors oip.Memory
	answer  []byte
}

var memories = sync.Pool{New: func() any { return new(requestMemory) }}

// maxAnswer is the most that is kept for the next answer.
const maxAnswer = 1 << 20

func (m *requestMemory) giveBack() {
	m.tensors.Grow = nil
	if cap(m.answer) > maxAnswer {
		m.answer = nil
	}
	memories.Put(m)
}

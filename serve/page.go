package serve

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/octet-ml/octet/serve/oip"
)

// The page at / shows people what the server has, and runs a request that they write or a picture. It has no script. It is put together
// by hand, for html/template makes the linker keep every method of every type, which are megabytes.

const pageHead = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>octet</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem;border-top:1px solid #ccc;padding-top:1rem}
pre,textarea,code{font:13px/1.4 ui-monospace,monospace}pre{background:#f4f4f4;padding:.6rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
textarea{width:100%;box-sizing:border-box}table{border-collapse:collapse}td{padding:.1rem 1rem .1rem 0;vertical-align:top}
.bad{color:#a00}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}pre,textarea{background:#222;color:#ddd}.bad{color:#f88}}
</style></head><body><h1>octet</h1>
`

const pageTail = "</body></html>\n"

// handlePage shows the models.
func (s *Server) handlePage(w http.ResponseWriter, r *http.Request) error {
	s.writePage(w, r, "", "", http.StatusOK)
	return nil
}

// writePage writes the page, with a result below the model that it is of.
func (s *Server) writePage(w http.ResponseWriter, r *http.Request, model, result string, status int) {
	var b bytes.Buffer
	b.WriteString(pageHead)
	ready, reason := s.Ready()
	if ready {
		b.WriteString("<p>The server is ready.</p>\n")
	} else {
		fmt.Fprintf(&b, "<p class=bad>The server is not ready: %s</p>\n", html.EscapeString(reason))
	}
	for _, report := range s.ModelStatuses() {
		shown := ""
		if report.Name == model {
			shown, result = result, ""
		}
		writeModel(&b, r, &report, shown)
	}
	b.WriteString(pageTail)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // there is nobody to tell
}

func writeModel(b *bytes.Buffer, r *http.Request, m *ModelStatus, result string) {
	title := m.Name
	path := "/v2/models/" + m.Name
	if m.Version != "" {
		title += ", version " + m.Version
		path += "/versions/" + m.Version
	}
	fmt.Fprintf(b, "<h2>%s</h2>\n", html.EscapeString(title))
	if !m.Ready {
		fmt.Fprintf(b, "<p class=bad>%s</p>\n", html.EscapeString(m.Reason))
		return
	}
	b.WriteString("<table>\n")
	for _, row := range [][2]string{
		{"inputs", formatTensors(m.Inputs)}, {"outputs", formatTensors(m.Outputs)},
		{"one run", m.Run.Round(time.Microsecond).String() + m.WarmUp}, {"joined requests", m.Batching},
	} {
		fmt.Fprintf(b, "<tr><td>%s<td><code>%s</code>\n", row[0], html.EscapeString(row[1]))
	}
	b.WriteString("</table>\n")
	const few, many = 8, 4096 // elements
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	fmt.Fprintf(b, "<pre>curl %s%s/infer -d '%s'</pre>\n", html.EscapeString(scheme+r.Host), html.EscapeString(path), html.EscapeString(exampleRequest(m.Example, few, true)))
	fmt.Fprintf(b, `<form method="post" action="/" enctype="multipart/form-data"><input type="hidden" name="model" value="%s"><input type="hidden" name="version" value="%s">
<textarea name="json" rows="4" aria-label="request">%s</textarea><br>
`, html.EscapeString(m.Name), html.EscapeString(m.Version), html.EscapeString(exampleRequest(m.Example, many, false)))
	if m.Pictures {
		b.WriteString(`<label>or a picture (PNG, JPEG) of the input's size: <input type="file" name="picture" accept="image/png,image/jpeg"></label> `)
	}
	b.WriteString("<button>Run</button></form>\n")
	if result != "" {
		fmt.Fprintf(b, "<pre id=result>%s</pre>\n", html.EscapeString(result))
	}
}

// exampleRequest writes a request with zeros, "" where an input has more elements than most. With short set, only the first are written.
func exampleRequest(inputs []oip.TensorMetadata, most int64, short bool) string {
	var list []string
	for _, t := range inputs {
		n := int64(1)
		shape := make([]string, len(t.Shape))
		for i, extent := range t.Shape {
			shape[i] = fmt.Sprint(extent)
			n *= extent
		}
		more := ""
		if n > most {
			if !short {
				return ""
			}
			n, more = most, ",..."
		}
		zero := "0"
		if t.Datatype == oip.Bool {
			zero = "false"
		}
		data := strings.TrimSuffix(strings.Repeat(zero+",", int(n)), ",") + more
		name := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(t.Name)
		list = append(list, fmt.Sprintf(`{"name":"%s","datatype":"%s","shape":[%s],"data":[%s]}`, name, t.Datatype, strings.Join(shape, ","), data))
	}
	return `{"inputs":[` + strings.Join(list, ",") + `]}`
}

// handleForm runs what the form of the page was filled with, and shows the page with the answer.
func (s *Server) handleForm(w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength < 0 || r.ContentLength > s.opts.MaxBody {
		return &Error{Code: TooLarge, Reason: fmt.Sprintf("a form of at most %d bytes is read", s.opts.MaxBody)}
	}
	form, err := s.readForm(w, r)
	if err != nil {
		return err
	}
	answer, err := s.runForm(r, requestID(w), form)
	if code := CodeOf(err); code == NotFound || code == Unauthenticated {
		return err
	} else if err != nil {
		s.writePage(w, r, form["model"], "error: "+err.Error(), code.HTTP())
		return nil
	}
	s.writePage(w, r, form["model"], answer, http.StatusOK)
	return nil
}

// formCopies is how often the bytes of a form are in memory while it is read: in buffers that grow, and as text.
const formCopies = 4

// readForm reads the fields of the form, whose bytes count before any of them is read.
func (s *Server) readForm(w http.ResponseWriter, r *http.Request) (map[string]string, error) {
	release, err := s.admission.reserve(r.ContentLength * formCopies)
	if err != nil {
		return nil, err
	}
	defer release()
	body := s.body(w, r, s.opts.MaxBody)
	r.Body = io.NopCloser(body)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, invalid("the form is not that of the page: %v", err)
	}
	form, err := readFields(parts)
	if err == nil {
		body.complete()
	}
	return form, err
}

func readFields(parts *multipart.Reader) (map[string]string, error) {
	form := make(map[string]string)
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return form, nil
		}
		if err != nil {
			return nil, formError(err)
		}
		name := part.FormName()
		if _, twice := form[name]; twice || len(form) == maxFields {
			return nil, invalid("the form is not that of the page")
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, formError(err)
		}
		form[name] = string(text)
	}
}

// maxFields is more than the form has.
const maxFields = 8

func formError(err error) error {
	if isA[*Error](err) {
		return err // of the body
	}
	return invalid("the form is not complete: %v", err)
}

// runForm runs the request of a form, admitted as any other, and returns the answer as JSON.
func (s *Server) runForm(r *http.Request, id string, form map[string]string) (text string, err error) {
	size := int64(len(form["json"]))*jsonExpansion + int64(len(form["picture"]))*2
	t, err := s.Admit(r.Context(), Admission{Model: form["model"], Version: form["version"], Bytes: size, Body: r.ContentLength, Protocol: "http", ID: id})
	if err != nil {
		return "", err
	}
	defer func() { t.Done(err, int64(len(text))) }()
	request := &oip.InferRequest{}
	if picture := form["picture"]; picture != "" {
		if len(t.instance.inputs) != 1 {
			return "", invalid("the model has %d inputs, not a picture alone", len(t.instance.inputs))
		}
		request.Inputs = []*oip.Tensor{oip.NewBytes(t.instance.inputs[0].Name, []byte(picture))}
	} else {
		body := form["json"]
		if request, err = oip.ReadInferRequest(strings.NewReader(body), oip.Body{Size: int64(len(body)), HeaderLength: -1}, nil); err != nil {
			return "", err
		}
		delete(request.Parameters, oip.BinaryDataOutput)
		for k := range request.Outputs {
			delete(request.Outputs[k].Parameters, oip.BinaryData)
		}
	}
	answer, err := t.Infer(r.Context(), request)
	if err != nil {
		return "", err
	}
	written, _, err := answer.Append(nil)
	return string(written), err
}

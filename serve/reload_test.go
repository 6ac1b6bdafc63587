package serve

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
)

// TestReload loads a model anew twenty times under load: no request fails, and what is replaced is closed.
func TestReload(t *testing.T) {
	s := newServer(t, Options{Threads: 2, MaxQueue: 100, Batch: BatchOff})
	g := linearModel(t, 8, 3)
	load(t, s, "m", g)
	d, err := s.find("m", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var done, failed atomic.Int64
	for range 4 {
		wg.Go(func() {
			x := fromSlice(t, make([]float32, 8), 1, 8)
			for ctx.Err() == nil {
				if _, err := s.Infer(t.Context(), "m", x); err != nil {
					failed.Add(1)
					t.Error(err)
				}
				done.Add(1)
			}
		})
	}
	for range 20 {
		old, before := d.current.Load(), done.Load()
		if err := s.Reload(t.Context()); err != nil {
			t.Error(err)
		}
		<-old.gone
		until(t, func() bool { return done.Load() > before })
	}
	cancel()
	wg.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d requests failed", failed.Load(), done.Load())
	}
}

// TestFailedLoad keeps what is served.
func TestFailedLoad(t *testing.T) {
	events := &recorder{}
	s := newServer(t, Options{Observer: events})
	broken := false
	source := Source{Open: func(context.Context) (*graph.Graph, error) {
		if broken {
			return nil, errors.New("a broken file")
		}
		return linearModel(t, 8, 3), nil
	}}
	if err := s.Load(t.Context(), "m", source); err != nil {
		t.Fatal(err)
	}
	broken = true
	if err := s.Reload(t.Context()); err == nil {
		t.Error("no error")
	}
	if _, err := s.Infer(t.Context(), "m", fromSlice(t, make([]float32, 8), 1, 8)); err != nil {
		t.Error(err)
	}
	if ready, reason := s.Ready(); !ready {
		t.Errorf("not ready: %s", reason)
	}
	if index := s.Index(false); index[0].State != "READY" || index[0].Reason != "a broken file" {
		t.Errorf("index %+v", index)
	}
	if n := len(events.loads); n != 2 || events.loads[0].Err != nil || events.loads[1].Err == nil {
		t.Errorf("loads %+v", events.loads)
	}
}

// TestControl loads and unloads a model by its name.
func TestControl(t *testing.T) {
	s := newServer(t, Options{Token: "t", Control: true})
	load(t, s, "m", linearModel(t, 8, 3))
	h := s.Handler()
	for _, c := range []struct {
		path, body string
		status     int
		ready      bool
	}{
		{"/v2/repository/models/m/unload", `{"parameters":{"unload_dependents":true}}`, 200, false},
		{"/v2/repository/models/m/load", `{"parameters":{"config":"{}"}}`, 400, false},
		{"/v2/repository/models/..%2fetc/load", ``, 404, false},
		{"/v2/repository/models/m/load", ``, 200, true},
		{"/v2/repository/models/none/load", ``, 404, true},
	} {
		status, text, _ := ask(t, h, "POST", c.path, strings.NewReader(c.body), "Authorization", "Bearer t")
		ready, _, err := s.ModelReady("m", "")
		if status != c.status || ready != c.ready || err != nil {
			t.Errorf("%s: got %d %s, ready %v, error %v", c.path, status, text, ready, err)
		}
	}
	if _, err := New(Options{Control: true}); err == nil {
		t.Error("control without a token")
	}
}

// TestDrain serves requests until Stop, which waits for the last of them.
func TestDrain(t *testing.T) {
	g := newGate()
	s := newServer(t, Options{Threads: 1, Batch: BatchOff})
	load(t, s, "m", g.model(t, 2))
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	post := func() (*http.Response, error) {
		r, err := web.Client().Post(web.URL+"/v2/models/m/infer", "application/json", strings.NewReader(`{"inputs":[`+xOf2+`]}`))
		if err == nil {
			r.Body.Close()
		}
		return r, err
	}
	if r, err := post(); err != nil || r.StatusCode != 200 || r.Close {
		t.Errorf("before: %v, error %v", r, err)
	}
	s.Drain()
	if r, err := post(); err != nil || r.StatusCode != 200 || !r.Close {
		t.Errorf("draining: %v, error %v", r, err)
	}
	g.close()
	last := make(chan int)
	go func() {
		r, err := post()
		if err != nil {
			t.Error(err)
			last <- 0
			return
		}
		last <- r.StatusCode
	}()
	<-g.entered
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop with a request in progress: error %v", err)
	}
	if r, err := post(); err != nil || r.StatusCode != 503 {
		t.Errorf("stopped: %v, error %v", r, err)
	}
	g.open()
	if status := <-last; status != 200 {
		t.Errorf("the last request: status %d", status)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestScan finds models in a folder, and serves the latest version.
func TestScan(t *testing.T) {
	dir := t.TempDir()
	save := func(path string, out int) {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := loader.Save(path, linearModel(t, 8, out)); err != nil {
			t.Fatal(err)
		}
	}
	save("plain.int8.safetensors", 1)
	for version, out := range map[string]int{"2": 2, "10": 3, "9": 4} {
		save("many/"+version+"/model.safetensors", out)
	}
	if err := os.WriteFile(filepath.Join(dir, "README.md"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	save("lost+found/1/model.safetensors", 1) // which only its owner may read, mostly
	if err := os.Symlink(os.DevNull, filepath.Join(dir, "device.pt2")); err != nil {
		t.Log(err) // Windows asks who may do that
	}
	list, err := Scan(dir)
	if err != nil || len(list) != 4 {
		t.Fatalf("%d models, want 4; error %v", len(list), err)
	}
	s := newServer(t, Options{Batch: BatchOff})
	if err := s.Configure(list...); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	outputs := func(name, version string) string {
		m, err := s.ModelMetadata(name, version)
		if err != nil {
			return err.Error()
		}
		return FormatTensors(m.Outputs)
	}
	got := []string{outputs("plain", ""), outputs("many", ""), outputs("many", "2"), outputs("many", "3")}
	if d := cmp.Diff([]string{"output0 FP32[-1,1]", "output0 FP32[-1,3]", "output0 FP32[-1,2]", `model many has no version "3"`}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	m, err := s.ModelMetadata("many", "")
	if d := cmp.Diff([]string{"2", "9", "10"}, m.Versions); err != nil || d != "" {
		t.Errorf("versions (-want +got), error %v\n%s", err, d)
	}

	// A file that has changed is loaded once it has been the same twice.
	save("plain.int8.safetensors", 5)
	for look := range 2 {
		if err := s.ReloadChanged(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want, got := []string{"output0 FP32[-1,1]", "output0 FP32[-1,5]"}[look], outputs("plain", ""); got != want {
			t.Errorf("after %d looks: %s, want %s", look+1, got, want)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "many", "10")); err != nil {
		t.Fatal(err)
	}
	if list, err = Scan(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.ConfigureOnly(list...); err != nil {
		t.Fatal(err)
	}
	if got := outputs("many", ""); got != "output0 FP32[-1,4]" {
		t.Errorf("without version 10: %s", got)
	}

	// A version in the place of all others: they answer until it is ready.
	for _, version := range []string{"2", "9"} {
		if err := os.RemoveAll(filepath.Join(dir, "many", version)); err != nil {
			t.Fatal(err)
		}
	}
	save("many/11/model.safetensors", 6)
	if list, err = Scan(dir); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"output0 FP32[-1,4]", "output0 FP32[-1,6]"} {
		if err := s.ConfigureOnly(list...); err != nil {
			t.Fatal(err)
		}
		if got := outputs("many", ""); got != want {
			t.Errorf("version 11 in place of others: %s, want %s", got, want)
		}
		if err := s.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if m, err = s.ModelMetadata("many", ""); err != nil || len(m.Versions) != 1 {
		t.Errorf("versions %v, error %v", m.Versions, err)
	}
}

// TestNames refuses names that do not fit a path.
func TestNames(t *testing.T) {
	s := newServer(t, Options{})
	for _, name := range []string{"", "a/b", "..", "a?b", "a\nb", "a\xff"} {
		if err := s.Configure(Configured{Name: "other"}, Configured{Name: name}); err == nil {
			t.Errorf("the name %q", name)
		}
	}
	if list := s.Index(false); len(list) > 0 {
		t.Errorf("beside names that were refused, %+v", list)
	}
}

// TestWrittenInPlace cuts the file of a model that is served: what is prepared goes on, and a run that needed its weights anew would be one to try again later.
func TestWrittenInPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "linear.safetensors")
	if err := loader.Save(path, linearModel(t, 64, 64)); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, Options{Threads: 1, Batch: BatchOff})
	if err := s.Load(t.Context(), "linear", File(path)); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Infer(t.Context(), "linear", fromSlice(t, make([]float32, 64), 1, 64)); err != nil {
		t.Error(err)
	}
	if code := CodeOf(&graph.NodeError{Err: &loader.FileError{File: path, Err: loader.ErrChanged}}); code != Unavailable {
		t.Errorf("code %v", code)
	}
}

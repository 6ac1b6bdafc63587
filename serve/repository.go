package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/octet-ml/octet/serve/oip"
)

// Index lists the models and versions that the server is to serve, with their states.
func (s *Server) Index(onlyReady bool) []oip.IndexEntry {
	entries := []oip.IndexEntry{}
	for _, d := range s.deployments() {
		if e := d.index(); !onlyReady || e.State == stateReady {
			entries = append(entries, e)
		}
	}
	return entries
}

// LoadModel loads all versions of a configured model anew whose files have changed. The old ones are served until the new ones are ready.
func (s *Server) LoadModel(ctx context.Context, name string) error {
	return s.each(name, func(d *deployment) error {
		d.mu.Lock()
		d.removed = false
		d.mu.Unlock()
		return s.reload(ctx, d)
	})
}

// UnloadModel stops serving a model, whose requests in progress are answered. It stays configured.
func (s *Server) UnloadModel(_ context.Context, name string) error {
	return s.each(name, func(d *deployment) error {
		s.unload(d, "it was unloaded")
		return nil
	})
}

func (s *Server) unload(d *deployment, reason string) {
	d.mu.Lock()
	d.removed = true
	d.state, d.reason = stateUnavailable, reason
	d.mu.Unlock()
	d.swap(nil)
	d.sequences.closeAll()
}

func (s *Server) each(name string, do func(*deployment) error) error {
	if _, err := s.find(name, ""); err != nil {
		return err
	}
	var all error
	for _, d := range s.deployments() {
		if d.name == name {
			all = errors.Join(all, do(d))
		}
	}
	return all
}

// Reload loads all configured models anew, one after the other, except those that were unloaded and those whose file is the one that is
// served: of the same inode, size and time. Models that fail stay as they were.
func (s *Server) Reload(ctx context.Context) error {
	var all error
	for _, d := range s.deployments() {
		d.mu.Lock()
		gone := d.removed || d.leaving
		d.mu.Unlock()
		if !gone {
			all = errors.Join(all, s.reload(ctx, d))
		}
	}
	return all
}

// Remove forgets a version of a model. Its requests in progress are answered.
func (s *Server) Remove(name, version string) {
	s.mu.Lock()
	var gone *deployment
	if m := s.models[name]; m != nil {
		if i := slices.IndexFunc(m.versions, func(d *deployment) bool { return d.version == version }); i >= 0 {
			gone = m.versions[i]
			m.versions = slices.Delete(slices.Clone(m.versions), i, i+1)
		}
		if len(m.versions) == 0 {
			delete(s.models, name)
		}
	}
	s.mu.Unlock()
	if gone != nil {
		s.unload(gone, "it was removed")
	}
}

// control loads or unloads a model for a client, where that is allowed.
func (s *Server) control(w http.ResponseWriter, r *http.Request, do func(context.Context, string) error) error {
	if !s.opts.Control {
		return &Error{Code: Forbidden, Reason: "the models of this server are not controlled by clients"}
	}
	var request loadRequest
	if err := s.readDocument(w, r, &request); err != nil {
		return err
	}
	for name := range request.Parameters {
		if name != "unload_dependents" {
			return invalid("parameter %s: a model is loaded as it is configured, by its name alone", quote(name))
		}
	}
	if err := do(context.WithoutCancel(r.Context()), r.PathValue("model")); err != nil {
		if CodeOf(err) == Internal {
			err = &Error{Code: InvalidArgument, Err: err} // the file is wrong, as other clients see in the index
		}
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// modelFiles are the names that end with these: octet's own files, TorchScript and exported programs.
var modelFiles = []string{".safetensors", ".pt", ".pts", ".pt2"}

// FileName returns the name that a model file has without another: that of the file up to its first dot.
func FileName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	return name
}

// Scan lists the models of a folder: files NAME.safetensors, .pt or .pt2, and folders NAME/VERSION with one such file called model.
func Scan(dir string) ([]Configured, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []Configured
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path) // links are followed: that is how volumes of Kubernetes are made
		switch {
		case err != nil || strings.HasPrefix(e.Name(), ".") || e.Name() == "lost+found": // that of a file system whose root is the folder
		case info.IsDir():
			versions, err := scanVersions(e.Name(), path)
			if err != nil {
				return nil, err
			}
			list = append(list, versions...)
		case info.Mode().IsRegular() && slices.Contains(modelFiles, filepath.Ext(path)): // a pipe that nobody writes to would hold all loads up
			list = append(list, Configured{Name: FileName(path), Source: File(path)})
		}
	}
	seen := make(map[string]string)
	for _, c := range list {
		key := c.Name + "/" + c.Version
		if other, ok := seen[key]; ok {
			return nil, fmt.Errorf("%s and %s are both model %s", other, c.Source.Path, c.Name)
		}
		seen[key] = c.Source.Path
	}
	return list, nil
}

// ScanModel lists the one model of a folder, under the name that is given: its file, or the versions that the folder
// has, as VERSION/model.safetensors, .pt or .pt2.
func ScanModel(name, dir string) ([]Configured, error) {
	list, err := scanVersions(name, dir)
	if err != nil || len(list) > 0 {
		return list, err
	}
	if list, err = Scan(dir); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no model: NAME%s, or VERSION/model%s", dir, modelFiles[0], modelFiles[0])
	}
	for i := range list {
		if list[i].Name != list[0].Name {
			return nil, fmt.Errorf("%s has several models, %s and %s among them", dir, list[0].Source.Path, list[i].Source.Path)
		}
	}
	for i := range list {
		list[i].Name = name
	}
	return list, nil
}

// scanVersions lists the versions of a model.
func scanVersions(name, dir string) ([]Configured, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []Configured
	for _, e := range entries {
		if compareVersions(e.Name(), "") <= 0 { // no number
			continue
		}
		var files []string
		for _, ending := range modelFiles {
			path := filepath.Join(dir, e.Name(), "model"+ending)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				files = append(files, path)
			}
		}
		switch len(files) {
		case 0:
		case 1:
			list = append(list, Configured{Name: name, Version: e.Name(), Source: File(files[0])})
		default:
			return nil, fmt.Errorf("%s and %s are both version %s of model %s", files[0], files[1], e.Name(), name)
		}
	}
	return list, nil
}

package serve

import (
	"context"
	"errors"
	"os"
)

// fileState is what tells that a file has changed.
type fileState struct {
	info os.FileInfo // nil: it is not there
}

func stateOf(path string) fileState {
	if path == "" {
		return fileState{}
	}
	info, err := os.Stat(path)
	if err != nil {
		return fileState{}
	}
	return fileState{info}
}

// same compares file, size and time of the last change.
func (f fileState) same(other fileState) bool {
	if f.info == nil || other.info == nil {
		return f.info == nil && other.info == nil
	}
	return os.SameFile(f.info, other.info) && f.info.Size() == other.info.Size() && f.info.ModTime().Equal(other.info.ModTime())
}

// ReloadChanged loads the models anew whose files have changed since they were loaded. A file counts once it is the same at two calls
// in a row, so that one that is being written is left alone. A file that cannot be loaded is tried again when it changes.
func (s *Server) ReloadChanged(ctx context.Context) error {
	var all error
	for _, d := range s.deployments() {
		if d.changed() {
			all = errors.Join(all, s.load(ctx, d))
		}
	}
	return all
}

// changed reports whether the file is another than was loaded, and has been the same twice.
func (d *deployment) changed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := stateOf(d.source.Path)
	stable := now.same(d.seen)
	d.seen = now
	return stable && now.info != nil && !d.removed && !now.same(d.loaded)
}

// ConfigureOnly is Configure, and forgets all other models.
func (s *Server) ConfigureOnly(list ...Configured) error {
	if err := s.Configure(list...); err != nil {
		return err
	}
	wanted := make(map[[2]string]bool)
	for _, c := range list {
		wanted[[2]string{c.Name, c.Version}] = true
	}
	for _, d := range s.deployments() {
		if !wanted[[2]string{d.name, d.version}] {
			s.Remove(d.name, d.version)
		}
	}
	return nil
}

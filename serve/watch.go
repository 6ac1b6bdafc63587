package serve

import (
	"context"
	"errors"
	"os"
	"reflect"
	"time"
)

// fileState is what tells that a file has changed.
type fileState struct {
	info os.FileInfo // nil: it is not there
	at   time.Time   // of the look
}

func stateOf(path string) fileState {
	if path == "" {
		return fileState{}
	}
	info, err := os.Stat(path)
	if err != nil {
		return fileState{}
	}
	return fileState{info, time.Now()}
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
	return stable && now.info != nil && !d.removed && !d.leaving && !now.same(d.loaded)
}

// clockTick is more than the steps of the clock that file systems take times from. A file that was younger when it was loaded may have been written
// again since, at the same time as far as they can tell.
const clockTick = 2 * time.Second

// unchanged reports whether what is served is what the source has: it is not worth loading again.
func (d *deployment) unchanged() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	info := d.loaded.info
	return !d.reconfigured && !d.removed && d.state == stateReady && d.current.Load() != nil && info != nil && d.loaded.at.Sub(info.ModTime()) > clockTick &&
		stateOf(d.source.Path).same(d.loaded)
}

// same compares all that a source says but what Open does, which depends on the file where there is one.
func (s Source) same(other Source) bool {
	return s.Path == other.Path && (s.Open == nil) == (other.Open == nil) && reflect.DeepEqual(s.Inputs, other.Inputs) && reflect.DeepEqual(s.Warm, other.Warm)
}

// ConfigureOnly is Configure, and forgets all other models. A version of a model that is in the list with others stays while none of those is
// ready: the next call after they were loaded forgets it.
func (s *Server) ConfigureOnly(list ...Configured) error {
	if err := s.Configure(list...); err != nil {
		return err
	}
	wanted, ready := make(map[[2]string]bool), make(map[string]bool)
	for _, c := range list {
		wanted[[2]string{c.Name, c.Version}] = true
		ready[c.Name] = false
	}
	deployments := s.deployments()
	for _, d := range deployments {
		if is, _ := d.ready(); is && wanted[[2]string{d.name, d.version}] {
			ready[d.name] = true
		}
	}
	for _, d := range deployments {
		if wanted[[2]string{d.name, d.version}] {
			continue
		}
		is, _ := d.ready()
		if one, others := ready[d.name]; is && others && !one {
			d.leave()
		} else {
			s.Remove(d.name, d.version)
		}
	}
	return nil
}

// leave lets a version go on that is loaded no more.
func (d *deployment) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leaving = true
}

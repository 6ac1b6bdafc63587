package loader

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/octet-ml/octet/internal/rawfile"
	"github.com/octet-ml/octet/tensor"
)

// indexSuffix is behind the name of a file of weights in that of the file which says in which of several each tensor is.
const indexSuffix = ".index.json"

// maxShards bounds the files that the weights of a folder are in.
const maxShards = 4096

// ShardError says why the weights of a folder, which are in several files, do not fit the index that names them.
type ShardError struct {
	Shard  string // the file, as the index has it
	Tensor string // "" where the file itself is wrong
	Reason string
}

func (e *ShardError) Error() string {
	if e.Tensor == "" {
		return fmt.Sprintf("%s %s", e.Shard, e.Reason)
	}
	return fmt.Sprintf("tensor %q of %s %s", e.Tensor, e.Shard, e.Reason)
}

// readIndex reads an index of shards: the folder's weights are in the files that it names.
func (f *hubFolder) readIndex(path string) error {
	text, err := readConfig(f.fsys, path)
	if err != nil {
		return err
	}
	var index struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return &FileError{File: path, Err: err}
	}
	f.index, f.shardOf = path, index.Map
	var shards []string
	for name, shard := range index.Map {
		if !filepath.IsLocal(shard) || !fs.ValidPath(shard) || strings.ContainsAny(shard, `\:`) {
			return &FileError{File: path, Err: &ShardError{shard, name, "is no file in the folder"}}
		}
		if !slices.Contains(shards, shard) {
			if shards = append(shards, shard); len(shards) > maxShards {
				return &FileError{File: path, Reason: fmt.Sprintf("more than %d files of weights", maxShards)}
			}
		}
	}
	if len(shards) == 0 {
		return &FileError{File: path, Reason: "its weight_map names no file of weights"}
	}
	slices.Sort(shards)
	f.shards = shards
	for _, shard := range shards {
		file := f.join(shard)
		f.weights = append(f.weights, file)
		if _, err := fs.Stat(f.fsys, file); errors.Is(err, fs.ErrNotExist) {
			return &FileError{File: path, Err: &ShardError{shard, "", "is missing: copy all files of the folder"}}
		} else if err != nil {
			return err
		}
	}
	return nil
}

// openShards opens the files of weights of a folder.
func openShards(folder *hubFolder, opts []Option) (*File, error) {
	var all *File
	size := int64(0)
	for i, path := range folder.weights {
		f, err := openFile(path, opts)
		if err == nil {
			if size += f.Size(); size > f.f.budget() {
				err = errors.Join(&FileError{File: folder.index, Err: &tensor.BudgetError{What: "the files of weights", Need: size, Limit: f.f.budget()}}, f.Close())
			}
		}
		if err != nil {
			if all != nil {
				err = errors.Join(err, all.Close())
			}
			return nil, err
		}
		if i == 0 {
			all = f
		} else {
			all.shards = append(all.shards, f)
		}
	}
	return all, nil
}

// joinShards reads the weights of all files of a folder.
func (f *File) joinShards() (*Weights, error) {
	all := newWeights(len(f.folder.shardOf))
	for i, file := range append([]*File{f}, f.shards...) {
		w, err := file.f.stateDict()
		if err != nil {
			return nil, file.name(err)
		}
		for name, t := range w.All() {
			if err := f.folder.checkShard(f.folder.shards[i], name); err != nil {
				return nil, err
			}
			all.add(name, t)
		}
	}
	missing := ""
	for name := range f.folder.shardOf {
		if all.Get(name) == nil && (missing == "" || name < missing) {
			missing = name
		}
	}
	if missing != "" {
		return nil, &FileError{File: f.folder.index, Err: &ShardError{f.folder.shardOf[missing], missing, "is not in that file"}}
	}
	return all, nil
}

// checkShard compares where a tensor is with what the index says.
func (f *hubFolder) checkShard(shard, name string) error {
	reason := ""
	switch want, ok := f.shardOf[name]; {
	case !ok:
		reason = "is not in the index: the file is of another model"
	case want != shard:
		reason = "is in " + want + " by the index: the file is of another model, or a tensor is in two of them"
	default:
		return nil
	}
	return &FileError{File: f.index, Err: &ShardError{shard, name, reason}}
}

// WeightsFiles returns the files of weights that Load reads of a folder of Hugging Face, and any other path as it is.
func WeightsFiles(path string) []string {
	if f, err := openHubFolder(rawfile.System{}, path); err == nil && f != nil {
		return f.weights
	}
	return []string{path}
}

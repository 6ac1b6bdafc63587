package data

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// fileList names the files of samples.
type fileList struct {
	root    string
	names   []string // below root
	labels  []int64  // nil without
	classes []string // of labels that are names
}

func (l *fileList) path(i int) string { return filepath.Join(l.root, l.names[i]) }

// The files that are samples, by what their names end with. torchvision takes all of the pictures; those that are not decoded
// here are said to be so.
var (
	pictureNames = []string{".jpg", ".jpeg", ".png", ".webp", ".ppm", ".bmp", ".pgm", ".tif", ".tiff"}
	soundNames   = []string{".wav"}
)

func endsWith(name string, endings []string) bool {
	return slices.Contains(endings, strings.ToLower(filepath.Ext(name)))
}

// listFolder lists the pictures or sounds in a folder: of each folder in it as a class, as torchvision's ImageFolder does, or where none has any
// those in the folder itself, without labels. names are what a model calls its classes, in their order; nil takes the folders by name.
func listFolder(ctx context.Context, root string, names []string) (*fileList, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	l := &fileList{root: root}
	for _, e := range entries {
		if isFolder(root, e) && !strings.HasPrefix(e.Name(), ".") {
			l.classes = append(l.classes, e.Name())
		}
	}
	slices.Sort(l.classes)
	for k, class := range l.classes {
		before := len(l.names)
		if err := l.walk(ctx, class); err != nil {
			return nil, err
		}
		if len(l.names) == before {
			return nil, &tensor.FileError{File: filepath.Join(root, class), Reason: "a class without a picture or sound: each folder of a data set is a class"}
		}
		label := int64(k)
		if names != nil {
			if label, err = classOf(class, names); err != nil {
				return nil, &tensor.FileError{File: filepath.Join(root, class), Err: err}
			}
		}
		for range len(l.names) - before {
			l.labels = append(l.labels, label)
		}
	}
	if names != nil {
		l.classes = names
	}
	if len(l.names) == 0 {
		l.classes = nil
		if err := l.add(".", entries); err != nil {
			return nil, err
		}
	}
	if len(l.names) == 0 {
		return nil, &tensor.FileError{File: root, Reason: "a folder without pictures or sounds: it must hold JPEG, PNG, WebP or WAV files, in a folder for each class, or labels.csv"}
	}
	return l, nil
}

// classOf returns the place of a name among those of classes.
func classOf(name string, classes []string) (int64, error) {
	if k := slices.Index(classes, name); k >= 0 {
		return int64(k), nil
	}
	return 0, fmt.Errorf("%q is none of the %d classes that the labels name", name, len(classes))
}

// isFolder follows links.
func isFolder(dir string, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(dir, e.Name()))
	return err == nil && info.IsDir()
}

// maxDepth bounds folders in folders, which links can make endless.
const maxDepth = 16

// walk adds the files below a folder: folder by folder in the order of their paths, each by name.
func (l *fileList) walk(ctx context.Context, class string) error {
	folders := []string{class}
	content := make(map[string][]os.DirEntry)
	for i := 0; i < len(folders); i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := os.ReadDir(filepath.Join(l.root, folders[i]))
		if err != nil {
			return err
		}
		content[folders[i]] = entries
		for _, e := range entries {
			if !isFolder(filepath.Join(l.root, folders[i]), e) {
				continue
			}
			inner := filepath.Join(folders[i], e.Name())
			if strings.Count(inner, string(filepath.Separator)) > maxDepth {
				return &tensor.FileError{File: filepath.Join(l.root, inner), Reason: fmt.Sprintf("more than %d folders in one another: a link that leads back?", maxDepth)}
			}
			folders = append(folders, inner)
		}
	}
	slices.Sort(folders)
	for _, f := range folders {
		if err := l.add(f, content[f]); err != nil {
			return err
		}
	}
	return nil
}

// add adds the files of one folder.
func (l *fileList) add(folder string, entries []os.DirEntry) error {
	for _, e := range entries {
		if name := e.Name(); !strings.HasPrefix(name, ".") && (endsWith(name, pictureNames) || endsWith(name, soundNames)) && !e.IsDir() {
			l.names = append(l.names, filepath.Join(folder, name))
		}
	}
	return nil
}

// isSound reports whether the files are sounds; a list of both is an error.
func (l *fileList) isSound() (bool, error) {
	sound := endsWith(l.names[0], soundNames)
	for i, name := range l.names {
		if endsWith(name, soundNames) != sound {
			return false, &tensor.FileError{File: l.root, Reason: fmt.Sprintf("%s and %s: pictures and sounds are not one data set", l.names[0], l.names[i])}
		}
	}
	return sound, nil
}

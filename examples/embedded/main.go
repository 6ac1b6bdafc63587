// Command embedded is one static file with a model in it: it classifies the pictures of a folder, or those that are named, and needs nothing
// else on the machine it runs on.
//
//	go build -trimpath -tags nopytorch -ldflags='-s -w -funcalign=8' ./examples/embedded     # 7 MB
//	GOOS=linux GOARCH=arm64 go build -trimpath -tags nopytorch -ldflags='-s -w -funcalign=8' ./examples/embedded
//	./embedded pictures/ cat.jpg
//
// With -tags nopytorch,http it answers uploads too, in 11 MB: ./embedded -addr 127.0.0.1:8090, then curl --data-binary @cat.jpg.
//
// The tag nopytorch leaves out the readers of PyTorch's programs, which a model in octet's own format does not need.
//
// The model is ResNet-20 for CIFAR-10 in int8, as octet quantize made it of the weights of github.com/akamaster/pytorch_resnet_cifar10:
//
//	octet quantize resnet20.th --arch resnet20-cifar --calib calib.npz -o resnet20.int8.safetensors
package main

import (
	"bytes"
	"context"
	_ "embed" // for the model
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
)

//go:embed resnet20.int8.safetensors
var model []byte

// classes are those of CIFAR-10 in the order of its labels.
var classes = strings.Split("airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck", ",")

// listen answers uploads at an address, in programs that are built for it.
var listen func(ctx context.Context, addr string, c *classifier) error

func main() {
	var addr *string
	if listen != nil {
		addr = flag.String("addr", "", "address to answer uploads at, such as 127.0.0.1:8090")
	}
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: embedded FOLDER|PICTURE...")
		flag.PrintDefaults()
	}
	flag.Parse()
	serving := addr != nil && *addr != ""
	if flag.NArg() == 0 && !serving {
		flag.Usage()
		os.Exit(2)
	}
	c, err := open()
	if err == nil && flag.NArg() > 0 {
		err = c.classifyAll(os.Stdout, flag.Args())
	}
	if err == nil && serving {
		err = listen(context.Background(), *addr, c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "embedded:", err)
		os.Exit(1)
	}
}

// classifier runs the model.
type classifier struct{ session *graph.Session }

// open makes the classifier. One thread is enough for pictures this small.
func open() (*classifier, error) {
	g, err := loader.LoadFrom(bytes.NewReader(model), int64(len(model)))
	if err != nil {
		return nil, err
	}
	s, err := g.Compile(graph.Options{Threads: 1})
	return &classifier{s}, err
}

// classify returns the class of a PNG or JPEG.
func (c *classifier) classify(ctx context.Context, picture []byte) (string, error) {
	x, err := decode(picture)
	if err != nil {
		return "", err
	}
	y, err := c.session.Run(ctx, x)
	if err != nil {
		return "", err
	}
	logits := y[0].Float32s()
	return classes[slices.Index(logits, slices.Max(logits))], nil
}

// classifyAll writes the class of each picture that is named, and of those in folders that are. It goes on after one that cannot be read.
func (c *classifier) classifyAll(w io.Writer, paths []string) error {
	var failed error
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path != root && !isPicture(path) {
				return err
			}
			data, err := readPicture(path)
			class := ""
			if err == nil {
				class, err = c.classify(context.Background(), data)
			}
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s: %w", path, err))
				return nil
			}
			_, err = fmt.Fprintf(w, "%s: %s\n", path, class)
			return err
		})
		if err != nil {
			return errors.Join(failed, err)
		}
	}
	return failed
}

// isPicture tells pictures in a folder from other files.
func isPicture(path string) bool {
	return slices.Contains([]string{".png", ".jpg", ".jpeg"}, strings.ToLower(filepath.Ext(path)))
}

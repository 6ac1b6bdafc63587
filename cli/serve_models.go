//go:build !noserve

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/tensor"
)

// serveConfig is the file of --config.
type serveConfig struct {
	Models map[string]modelConfig `json:"models"`
}

// modelConfig has the options of a model.
type modelConfig struct {
	Batch    any     `json:"batch"` // "auto", "off" or a number
	MaxQueue int     `json:"max_queue"`
	Timeout  string  `json:"timeout"`
	Weight   float64 `json:"weight"`
}

// configured returns the models that the command line names.
func (a *app) configured(ctx context.Context, f *serveFlags) ([]serve.Configured, error) {
	list, err := a.listModels(f)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 && f.dir == "" {
		return nil, usagef("name a model, or a folder of models with --models")
	}
	config, err := readServeConfig(f.config)
	if err != nil {
		return nil, err
	}
	shapes, err := f.byModel("--shape", f.shapes, list)
	if err != nil {
		return nil, err
	}
	warm, err := f.byModel("--warm", f.warm, list)
	if err != nil {
		return nil, err
	}
	for i := range list {
		c := &list[i]
		if c.Source.Inputs, err = parseShapes(shapes[c.Name]); err != nil {
			return nil, err
		}
		for k := range c.Source.Inputs {
			if t := &c.Source.Inputs[k]; t.DType == tensor.Invalid {
				t.DType = tensor.Float32
			}
		}
		path := c.Source.Path
		c.Source.Open = func(ctx context.Context) (*graph.Graph, error) {
			file, err := loader.Open(path, append(a.loaderOptions(ctx, f.from), loader.OnDemand())...)
			if err != nil {
				return nil, err
			}
			defer file.Close()
			return buildModel(file, f.from)
		}
		if name := warm[c.Name]; name != "" {
			e, err := a.warmInputs(ctx, f, c.Source, name)
			if err != nil && !f.running {
				return nil, err
			}
			if err != nil { // of this model alone
				c.Source.Warm = f.examples[[2]string{path, name}].inputs
				c.Source.Open = func(context.Context) (*graph.Graph, error) { return nil, err }
			} else {
				c.Source.Warm = e.inputs
			}
			if open := c.Source.Open; e.names != nil {
				c.Source.Open = func(ctx context.Context) (*graph.Graph, error) {
					g, err := open(ctx)
					if err != nil {
						return nil, err
					}
					return g.Bind(e.names...)
				}
			}
		}
		own, ok := config.Models[c.Name]
		if !ok {
			continue
		}
		if c.Options, err = own.options(); err != nil {
			return nil, usagef("--config: model %s: %w", c.Name, err)
		}
	}
	return list, nil
}

// listModels returns the models of arguments and folder.
func (a *app) listModels(f *serveFlags) ([]serve.Configured, error) {
	var list []serve.Configured
	for _, text := range f.models {
		name, path, named := strings.Cut(text, "=")
		if !named {
			name, path = serve.FileName(text), text
		}
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() {
			list = append(list, serve.Configured{Name: name, Source: serve.File(path)})
			continue
		}
		versions, err := serve.ScanModel(name, path)
		if err != nil {
			return nil, &usageError{err}
		}
		list = append(list, versions...)
	}
	if f.dir != "" {
		found, err := serve.Scan(f.dir)
		if err != nil {
			return nil, fmt.Errorf("--models: %w", err)
		}
		list = append(list, found...)
	}
	for i, c := range list {
		for _, other := range list[:i] {
			if c.Name == other.Name && c.Version == other.Version {
				return nil, usagef("%s and %s are both model %s: name one with NAME=FILE", other.Source.Path, c.Source.Path, c.Name)
			}
		}
	}
	return list, nil
}

// byModel returns the values of a flag of the form [NAME=]VALUE by model. While the server runs a model may be gone, and come again.
func (f *serveFlags) byModel(flag string, values []string, list []serve.Configured) (map[string]string, error) {
	of := make(map[string]string)
	for _, text := range values {
		name, value, named := strings.Cut(text, "=")
		found := false
		for _, c := range list {
			if !named {
				of[c.Name] = text
				found = true
			} else if c.Name == name {
				of[name] = value
				found = true
			}
		}
		if !found && !f.running {
			return nil, usagef("%s %s: there is no model %q", flag, text, name)
		}
	}
	return of, nil
}

// examples keeps the examples of models while neither of the two files changes: to name the inputs, the model has to be loaded.
type examples map[[2]string]example

type example struct {
	model, data os.FileInfo
	inputs      []*tensor.Tensor
	names       []string // of the inputs, where the example chooses them (graph.Graph.Bind)
}

// warmInputs reads the example of a model.
func (a *app) warmInputs(ctx context.Context, f *serveFlags, source serve.Source, path string) (e example, err error) {
	model, err := os.Stat(source.Path)
	if err != nil {
		return e, err
	}
	data, err := os.Stat(path)
	if err != nil {
		return e, err
	}
	key := [2]string{source.Path, path}
	e = f.examples[key]
	if e.inputs != nil && unchanged(e.model, model) && unchanged(e.data, data) {
		return e, nil
	}
	g, err := source.Open(ctx)
	if err != nil {
		return e, err
	}
	bound, d, err := a.openBound(ctx, path, &dataFlags{}, g)
	if err != nil {
		return e, err
	}
	e = example{model: model, data: data}
	if e.inputs, err = d.Inputs(bound); err != nil {
		return e, err
	}
	if bound != g {
		for _, v := range bound.Inputs {
			e.names = append(e.names, v.Name)
		}
	}
	if f.examples == nil {
		f.examples = make(examples)
	}
	f.examples[key] = e
	return e, nil
}

// unchanged compares inode, size and time.
func unchanged(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func readServeConfig(path string) (config serveConfig, err error) {
	if path == "" {
		return config, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return config, err
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&config); err != nil {
		return config, usagef("--config %s: %w", path, err)
	}
	return config, nil
}

func (c *modelConfig) options() (o serve.ModelOptions, err error) {
	o.MaxQueue, o.Weight = c.MaxQueue, c.Weight
	if c.Batch != nil {
		if o.Batch, err = parseBatch(fmt.Sprint(c.Batch)); err != nil {
			return o, fmt.Errorf("batch %w", err)
		}
	}
	if c.Timeout != "" {
		if o.Timeout, err = time.ParseDuration(c.Timeout); err != nil {
			return o, err
		}
	}
	if o.MaxQueue < 0 || o.Timeout < 0 || o.Weight < 0 {
		return o, errors.New("its numbers must not be negative")
	}
	return o, nil
}

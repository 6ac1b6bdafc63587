package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
)

// infoOf returns what a model says of itself: nothing of nil.
func infoOf(g *graph.Graph) graph.Info {
	if g == nil || g.Info == nil {
		return graph.Info{}
	}
	return *g.Info
}

// override takes a value that a flag gives in place of what the model says, and says so.
func override[T comparable](f *dataFlags, a *app, flag string, given, model []T) []T {
	if len(given) == 0 {
		return model
	}
	if len(model) > 0 && !slices.Equal(given, model) && !f.said {
		a.say("--%s: %v in place of %v, which the model says", flag, given, model)
	}
	return given
}

// one is a list of a value, empty for a zero one.
func one(n int) []int {
	if n == 0 {
		return nil
	}
	return []int{n}
}

// complete returns what a model says, with what flags say in place of it.
func (f *dataFlags) complete(a *app, info graph.Info) (graph.Info, error) {
	own, err := f.preprocessing()
	if err != nil {
		return info, err
	}
	if f.state != nil {
		o := f.state.Preparation()
		f.said = true // a flag may only say the same
		info.Preprocessing, info.SampleRate = o.Preprocessing, o.SampleRate
		if o.Labels != nil {
			info.Labels = o.Labels
		}
	}
	var p graph.Preprocessing
	if info.Preprocessing != nil {
		p = *info.Preprocessing
	}
	p.Size = override(f, a, "size", own.Size, p.Size)
	p.Crop = override(f, a, "crop", own.Crop, p.Crop)
	p.Mean = override(f, a, "mean", own.Mean, p.Mean)
	p.Std = override(f, a, "std", own.Std, p.Std)
	p.Channels = append(override(f, a, "channels", one(own.Channels), one(p.Channels)), 0)[0]
	p.Rotate = p.Rotate || own.Rotate
	if given := own.Size != nil || own.Crop != nil || own.Mean != nil || own.Std != nil || own.Channels != 0 || own.Rotate; given || info.Preprocessing != nil {
		info.Preprocessing = &p
	}
	if p.Channels == 3 { // the default
		p.Channels = 0
	}
	info.SampleRate = append(override(f, a, "sample-rate", one(f.rate), one(info.SampleRate)), 0)[0]
	if f.labels != "" {
		lines, err := readLines(f.labels)
		if err != nil {
			return info, err
		}
		if len(info.Labels) > 0 && !slices.Equal(lines, info.Labels) && !f.said {
			a.say("--labels: those of %s in place of the %d that the model has", f.labels, len(info.Labels))
		}
		info.Labels = lines
	}
	switch {
	case f.encoder != nil:
		info.Texts = f.encoder.files.FS
	case f.tokenizer != "":
		texts, err := textsOf(f.tokenizer, "", &info)
		if err != nil {
			return info, err
		}
		if info.Texts != nil && !f.said {
			a.say("--tokenizer: %s in place of the tokenizer that the model has", f.tokenizer)
		}
		info.Texts = texts.FS
	}
	f.said = true
	if info.Preprocessing != nil {
		if err := (*data.Preprocessing)(info.Preprocessing).Validate(); err != nil {
			return info, usagef("--%w", err)
		}
	}
	if f.state != nil {
		if err := f.state.SetPreparation(info); err != nil {
			return info, usagef("--state: %w: leave out flags that say otherwise", err)
		}
	}
	return info, nil
}

// save writes a model that was made of the file at source, with what it knows of itself.
func (a *app) save(output string, g *graph.Graph, info graph.Info, source string) error {
	return a.saveWith(output, g, info, source, loader.SaveOptions{})
}

func (a *app) saveWith(output string, g *graph.Graph, info graph.Info, source string, opts loader.SaveOptions) error {
	var err error
	if source != "" {
		info.Source = filepath.Base(source)
		if info.SourceDigest, err = fileDigest(source); err != nil {
			return err
		}
	}
	if err := a.promise(g, &info); err != nil {
		return err
	}
	texts, err := loader.PackText(info.Texts)
	if err != nil {
		return err
	}
	if info.Texts = nil; len(texts) > 0 {
		info.Texts = texts
		a.say("%s carries tokenizer and configuration of its texts: %d bytes of it", output, texts.Size())
	}
	with := g.Clone()
	with.Info = &info
	defer a.working("writing " + output)()
	return loader.SaveWith(output, with, opts)
}

// openDataset opens the data at path for a model, nil for none: what flags do not say, the model may.
func (a *app) openDataset(ctx context.Context, path string, f *dataFlags, g *graph.Graph) (*data.Dataset, error) {
	info, err := f.complete(a, infoOf(g))
	if err != nil {
		return nil, err
	}
	o := data.Options{
		MaxMemory: a.limits.maxMemory, ScaleBytes: f.scaleBytes || info.Preprocessing != nil, LabelColumn: f.labelColumn,
		Rate: info.SampleRate, SkipBad: f.skipBad, Labels: info.Labels,
	}
	if info.Preprocessing != nil {
		o.Pictures = data.Preprocessing(*info.Preprocessing)
	}
	if isText(path) && f.model != "" {
		e, err := f.openTokenizer(a, &info)
		if err != nil {
			return nil, err
		}
		o.Encode = e.encode
	}
	d, err := data.Open(ctx, path, o)
	if err != nil && f.labels == "" && info.Labels != nil {
		o.Labels = nil
		if other, e := data.Open(ctx, path, o); e == nil {
			a.say("%s: its classes are taken in the order of their names, for they are not those of the model: %v", path, err)
			d, err = other, nil
		}
	}
	if err != nil {
		return nil, err
	}
	a.opened = append(a.opened, d)
	if bad := d.Skipped(); len(bad) > 0 {
		a.say("%s: %d samples left out that cannot be decoded, the first: %v", path, len(bad), bad[0])
	}
	return d, nil
}

// openBound opens the data at path for a model, and returns the model for the inputs that the data has (data.Dataset.Bound).
func (a *app) openBound(ctx context.Context, path string, f *dataFlags, g *graph.Graph) (*graph.Graph, *data.Dataset, error) {
	d, err := a.openDataset(ctx, path, f, g)
	if err != nil {
		return nil, nil, err
	}
	g, err = d.Bound(g)
	return g, d, err
}

// describeInfo lists what a model says of itself, a line each.
func describeInfo(i *graph.Info) []string {
	var lines []string
	add := func(given bool, format string, args ...any) {
		if given {
			lines = append(lines, fmt.Sprintf(format, args...))
		}
	}
	add(i.Octet != "", "written by  octet %s", i.Octet)
	add(i.Source != "", "made of     %s, SHA-256 %s", i.Source, i.SourceDigest)
	add(i.GraphDigest != "", "graph       SHA-256 %s", i.GraphDigest)
	for _, in := range i.Inputs {
		add(true, "takes       %s: %s%v", in.Name, in.DType, in.Shape)
	}
	if p := i.Preprocessing; p != nil {
		add(true, "pictures    size %v, crop %v, channels %d, mean %v, std %v, Exif rotation %v", p.Size, p.Crop, append(one(p.Channels), 3)[0], p.Mean, p.Std, p.Rotate)
	}
	add(i.SampleRate != 0, "sounds      %d Hz", i.SampleRate)
	add(i.Int8Digest != "", "int8        SHA-256 %s of what its operators give (octet verify)", i.Int8Digest)
	add(len(i.Labels) > 0, "labels      %d: %.200q", len(i.Labels), i.Labels[:min(len(i.Labels), 10)])
	return lines
}

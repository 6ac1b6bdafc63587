package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// convertFlags are those of convert.
type convertFlags struct {
	source
	samples              dataFlags
	shape, output, store string
	with                 bool
}

func (a *app) convert() *cobra.Command {
	var f convertFlags
	cmd := &cobra.Command{
		Use:   "convert MODEL -o OUT",
		Short: "Write any model as one file of octet's own",
		Long: `convert reads a model and writes it, graph and weights, as one octet file, which
loads faster, can be mapped into memory, and needs no --arch and no --shape. What
--size, --crop, --channels, --mean, --std, --exif-rotation, --sample-rate and
--labels say goes into it, so that later commands need none of them.

--weights float16 or bfloat16 halves the file: computing stays float32.`,
		Example: `  octet convert resnet18.pth --arch resnet18 --size 256 --crop 224 \
    --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --labels imagenet.txt -o resnet18.safetensors
  octet convert traced.pt --shape 1x3x32x32 -o model.safetensors`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.convertFile(cmd.Context(), args[0], &f) },
	}
	s := cmd.Flags()
	f.source.flags(a, cmd)
	shapeFlag(cmd, &f.shape)
	s.StringVarP(&f.output, "output", "o", "", "file to write")
	s.StringVar(&f.store, "weights", "", "element type to write weights with: float16 or bfloat16 (default: float32)")
	s.BoolVar(&f.with, "with-preprocessing", false, "demand that the file says how pictures or sounds become inputs")
	f.samples.addPictures(cmd)
	require(cmd, "output")
	return cmd
}

// convertResult is the document of convert --json.
type convertResult struct {
	File        string `json:"file"`
	InputBytes  int64  `json:"input_bytes"`
	OutputBytes int64  `json:"output_bytes"`
	Precision   string `json:"precision"`
}

func (a *app) convertFile(ctx context.Context, path string, f *convertFlags) error {
	var opts loader.SaveOptions
	if f.store != "" {
		var err error
		if opts.Weights, err = tensor.ParseDType(f.store); err != nil || opts.Weights != tensor.Float16 && opts.Weights != tensor.BFloat16 {
			return unknownName("weights", f.store, []string{"float16", "bfloat16"})
		}
	}
	types, err := parseShapes(f.shape)
	if err != nil {
		return err
	}
	if err := a.checkFiles([]fileArg{{"MODEL", path}, {"--labels", f.samples.labels}}, fileArg{"-o", f.output}); err != nil {
		return err
	}
	g, err := a.openModel(ctx, path, f.source)
	if err != nil {
		return err
	}
	info, err := f.samples.complete(a, infoOf(g))
	if err != nil {
		return err
	}
	if f.with && info.Preprocessing == nil && info.SampleRate == 0 {
		return usagef("--with-preprocessing: nothing says how pictures or sounds become inputs: give --size, --crop, --mean and --std, or --sample-rate")
	}
	if g, err = a.closed(path, g, types, &info); err != nil {
		return err
	}
	if err := a.saveWith(f.output, g, info, path, opts); err != nil {
		return err
	}
	r := convertResult{File: f.output, Precision: bench.Precision(g)}
	for file, size := range map[string]*int64{path: &r.InputBytes, f.output: &r.OutputBytes} {
		if *size, err = fileSize(file); err != nil {
			return err
		}
	}
	if a.json {
		return a.printJSON(r)
	}
	return a.printf("%s\n", sizes(f.output, r.OutputBytes, r.InputBytes))
}

// closed returns the graph of a model for inputs of given types, or of those that its file or its preprocessing says, or usual ones.
func (a *app) closed(path string, g *graph.Graph, types []ops.Type, info *graph.Info) (*graph.Graph, error) {
	if !g.IsOpen() {
		if types != nil {
			a.say("%s says the shapes of its inputs: --shape is not used", path)
		}
		return g, nil
	}
	if types != nil {
		return specialize(g, types)
	}
	c, err := g.Concrete()
	if !errors.Is(err, graph.ErrOpen) {
		return c, err
	}
	if p := info.Preprocessing; p != nil && len(p.Crop) > 0 && len(g.Inputs) == 1 {
		channels := append(one(p.Channels), 3)[0]
		shape := tensor.Shape{1, channels, p.Crop[0], p.Crop[len(p.Crop)-1]}
		return g.Specialize(ops.Type{DType: tensor.Float32, Shape: shape})
	}
	guessed, c, err := bench.GuessInputs(g)
	if err != nil {
		return nil, usagef("%s does not say the shapes of its inputs, and takes none of the usual ones: give --shape", path)
	}
	a.say("%s does not say the shapes of its inputs: it is written for %v (--shape gives another)", path, guessed)
	return c, nil
}

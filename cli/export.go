package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/onnx"
	"github.com/octet-ml/octet/torchscript"
)

func (a *app) export() *cobra.Command {
	var from source
	var shape, asONNX, output string
	var script bool
	cmd := &cobra.Command{
		Use:   "export MODEL (--onnx OUT | --torchscript -o OUT)",
		Short: "Write a model for other runtimes, as ONNX or TorchScript",
		Long: `export writes a model as ONNX (operator set 17) or as TorchScript, which
torch.jit.load of PyTorch 1.13 and later reads.

In ONNX an int8 model has explicit quantization: weights int8 per channel,
activations uint8 between QuantizeLinear and DequantizeLinear, which ONNX Runtime
turns into int8 kernels. On CPUs without VNNI these saturate: turn its graph
optimizations off there.

In TorchScript int8 operators are PyTorch's own where it has them, quantized::,
and else compute between dequantize and quantize_per_tensor. octet reads what it
wrote to the same bits.`,
		Example: `  octet export int8.safetensors --onnx int8.onnx
  octet export int8.safetensors --torchscript -o int8.pt`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case script == (asONNX != ""):
				return usagef("give --onnx OUT or --torchscript -o OUT: one of the two")
			case script != (output != ""):
				return usagef("--torchscript writes to the file of -o, --onnx to its own")
			}
			to := fileArg{"-o", output}
			write := torchscript.Export
			if asONNX != "" {
				to = fileArg{"--onnx", asONNX}
				write = func(path string, g *graph.Graph) error { return onnx.Export(path, g, loader.Version()) }
			}
			return a.exportFile(cmd.Context(), args[0], to, shape, from, write)
		},
	}
	from.flags(a, cmd)
	shapeFlag(cmd, &shape)
	cmd.Flags().StringVar(&asONNX, "onnx", "", "file to write, as ONNX")
	cmd.Flags().BoolVar(&script, "torchscript", false, "write TorchScript to the file of -o")
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write, of --torchscript")
	return cmd
}

// exportFile writes a model with write.
func (a *app) exportFile(ctx context.Context, path string, to fileArg, shape string, from source, write func(string, *graph.Graph) error) error {
	types, err := parseShapes(shape)
	if err != nil {
		return err
	}
	if err := a.checkFiles([]fileArg{{"MODEL", path}}, to); err != nil {
		return err
	}
	g, err := a.openModel(ctx, path, from)
	if err != nil {
		return err
	}
	info := infoOf(g)
	if g, err = a.closed(path, g, types, &info); err != nil {
		return err
	}
	end := a.working("writing " + to.path)
	err = write(to.path, g)
	end()
	if err != nil {
		return err
	}
	size, err := fileSize(to.path)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			File  string `json:"file"`
			Bytes int64  `json:"bytes"`
		}{to.path, size})
	}
	return a.printf("%s\n", sizes(to.path, size, 0))
}

package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/onnx"
)

func (a *app) export() *cobra.Command {
	var from source
	var shape, path string
	cmd := &cobra.Command{
		Use:   "export MODEL --onnx OUT",
		Short: "Write a model for other runtimes, as ONNX",
		Long: `export writes a model as ONNX (operator set 17). An int8 model is written with
explicit quantization: weights int8 per channel, activations uint8 between
QuantizeLinear and DequantizeLinear, which ONNX Runtime turns into int8 kernels.
On CPUs without VNNI these saturate: turn its graph optimizations off there.`,
		Example: `  octet export int8.safetensors --onnx int8.onnx`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.exportFile(cmd.Context(), args[0], path, shape, from)
		},
	}
	from.flags(a, cmd)
	shapeFlag(cmd, &shape)
	cmd.Flags().StringVar(&path, "onnx", "", "file to write")
	require(cmd, "onnx")
	return cmd
}

func (a *app) exportFile(ctx context.Context, path, output, shape string, from source) error {
	types, err := parseShapes(shape)
	if err != nil {
		return err
	}
	if err := a.checkFiles([]fileArg{{"MODEL", path}}, fileArg{"--onnx", output}); err != nil {
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
	if err := onnx.Export(output, g, loader.Version()); err != nil {
		return err
	}
	size, err := fileSize(output)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			File  string `json:"file"`
			Bytes int64  `json:"bytes"`
		}{output, size})
	}
	return a.printf("%s\n", sizes(output, size, 0))
}

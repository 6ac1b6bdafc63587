package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops/asm"
)

// source says what of a model file is loaded.
type source struct {
	arch  string // of a state_dict
	model string // of several in an archive
	key   string // of the state_dict in a checkpoint
	// method is that of a module of TorchScript that runs in the place of forward.
	method string

	own []nn.Architecture // that the program knows beside the built-in ones
}

// flags adds --arch, --model and --key to a command.
func (s *source) flags(a *app, cmd *cobra.Command) {
	s.own = a.architectures
	cmd.Flags().StringVar(&s.model, "model", "", "name of the model to load, of an archive of torch.export that holds several")
	cmd.Flags().StringVar(&s.method, "method", "", "method of a TorchScript module to run in the place of forward; inspect lists them")
	cmd.Flags().StringVar(&s.key, "key", "", "key of the state_dict to load, of a checkpoint that holds several: ema, or ema.module for one in another")
	cmd.Flags().StringVar(&s.arch, "arch", "", fmt.Sprintf("architecture that a state_dict belongs to: %v", s.names()))
}

// names lists the architectures.
func (s *source) names() []string {
	names := append(nn.Names(), "digits")
	for _, a := range s.own {
		names = append(names, a.Name)
	}
	return names
}

// architecture returns the architecture that --arch names; that of the demo is one too.
func (s *source) architecture() (nn.Architecture, error) {
	for _, a := range append(slices.Clip(s.own), digits.Architecture()) {
		if a.Name == s.arch {
			return a, nil
		}
	}
	a, err := nn.ByName(s.arch)
	if err != nil {
		return a, usagef("unknown architecture %q: use one of %s%s", s.arch, strings.Join(s.names(), ", "), didYouMean(s.arch, s.names()))
	}
	return a, nil
}

// loaderOptions say how a command reads a file.
func (a *app) loaderOptions(ctx context.Context, from source) []loader.Option {
	options := []loader.Option{loader.Context(ctx), loader.MaxMemory(a.limits.maxMemory), loader.Model(from.model), loader.Method(from.method), loader.Key(from.key)}
	if a.mmap {
		return append(options, loader.Mapped(new(loader.Mapping))) // until the process ends
	}
	return options
}

// openModel reads the model at path: a state_dict where an architecture is named.
func (a *app) openModel(ctx context.Context, path string, from source) (*graph.Graph, error) {
	return a.openWith(ctx, path, from)
}

// openToRun is openModel of a model whose weights are needed only until they have been packed, which are read as onDemand says.
func (a *app) openToRun(ctx context.Context, path string, from source, onDemand loader.Option) (*graph.Graph, error) {
	if a.mmap {
		return a.openModel(ctx, path, from)
	}
	return a.openWith(ctx, path, from, onDemand)
}

func (a *app) openWith(ctx context.Context, path string, from source, opts ...loader.Option) (*graph.Graph, error) {
	defer a.working("reading " + path)()
	f, err := loader.Open(path, append(a.loaderOptions(ctx, from), opts...)...)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return buildModel(f, from)
}

// buildModel is openModel of an open file.
func buildModel(f *loader.File, from source) (*graph.Graph, error) {
	if from.arch == "" {
		return f.Load()
	}
	if from.model != "" {
		return nil, usagef("--model names one of several programs in an archive, and --arch the architecture of weights: give one of them")
	}
	a, err := from.architecture()
	if err != nil {
		return nil, err
	}
	return f.Build(a)
}

// compile makes the session of a model that was read from path.
func (a *app) compile(path string, g *graph.Graph) (*graph.Session, error) {
	defer a.working("preparing " + path)()
	s, err := g.Compile(a.options())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// kernelsFor returns the kernel of each operation that a CPU of the tier runs.
func kernelsFor(tier asm.Tier) []asm.Info {
	var chosen []asm.Info
	index := make(map[string]int)
	for _, k := range asm.Kernels() {
		if !tier.Includes(k.Tier) {
			continue
		}
		i, ok := index[k.Op]
		if !ok {
			i = len(chosen)
			index[k.Op] = i
			chosen = append(chosen, k)
		}
		chosen[i] = k
	}
	return chosen
}

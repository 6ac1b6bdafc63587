package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/examples/digits"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops/asm"
)

// source says what of a model file is loaded.
type source struct {
	arch  string // of a state_dict
	model string // of several in an archive
}

// flags adds --arch and --model to a command.
func (s *source) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.model, "model", "", "name of the model to load, of an archive of torch.export that holds several")
	cmd.Flags().StringVar(&s.arch, "arch", "", fmt.Sprintf("architecture that a state_dict belongs to: %v", append(nn.Names(), "digits")))
}

// architecture returns the architecture of that name; that of the demo is one too.
func architecture(name string) (nn.Architecture, error) {
	if a := digits.Architecture(); name == a.Name {
		return a, nil
	}
	a, err := nn.ByName(name)
	if err != nil {
		return a, &usageError{err}
	}
	return a, nil
}

// open reads the model at path: a state_dict where an architecture is named. A file of
// octet's own format stays mapped until the process ends.
func (s source) open(path string) (*graph.Graph, error) {
	if s.arch == "" {
		return loader.Load(path, loader.Mapped(new(loader.Mapping)), loader.Model(s.model))
	}
	if s.model != "" {
		return nil, usagef("--model names one of several programs in an archive, and --arch the architecture of weights: give one of them")
	}
	a, err := architecture(s.arch)
	if err != nil {
		return nil, err
	}
	return loader.Build(path, a)
}

// openSession reads and compiles the model at path.
func (a *app) openSession(path string, from source) (*graph.Graph, *graph.Session, error) {
	g, err := from.open(path)
	if err != nil {
		return nil, nil, err
	}
	s, err := g.Compile(a.options())
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, s, nil
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

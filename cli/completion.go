package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/metric"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/quantize"
)

// flagValues are what the shell completes flags with, by name; those that mean another thing in one command stand there as
// "command name".
func (a *app) flagValues() map[string][]string {
	tiers, observers := []string{"generic"}, []string{}
	for _, t := range asm.Supported() {
		tiers = append(tiers, t.String())
	}
	for _, k := range quantize.Kinds() {
		observers = append(observers, string(k))
	}
	return map[string][]string{
		"arch":            (&source{own: a.architectures}).names(),
		"backend":         quantize.Backends(),
		"color":           {colorAuto, colorAlways, colorNever},
		"cost":            {"latency", "modules"},
		"cpu":             tiers,
		"device":          {"host", "x86", "aarch64"},
		"format":          {"table", "go"},
		"metric":          metric.Names(),
		"observer":        observers,
		"optimizer":       {"sgd", "adam", "adamw"},
		"precision":       {bench.Float32, bench.Int8, bench.Int8Dynamic},
		"rounding":        {"nearest", "learned"},
		"schedule":        {"constant", "cosine", "step"},
		"weight-observer": observers,
		"weights":         {"float16", "bfloat16"},
		"serve batch":     {"auto", "off"},
		"serve log":       {"text", "json", "off"},
	}
}

// refuseNames makes help and completion errors for what is no command and no shell, where they printed help. completion writes to what is
// root's output now.
func refuseNames(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		case "help":
			c.Args = func(_ *cobra.Command, args []string) error {
				_, _, err := root.Find(args)
				return err
			}
		}
	}
}

// completeValues tells the shell what the flags of the commands take: values of a list, files, or what it cannot know.
func completeValues(cmd *cobra.Command, values map[string][]string) {
	complete := func(f *pflag.Flag) {
		list := values[cmd.Name()+" "+f.Name]
		if list == nil {
			list = values[f.Name]
		}
		kind := f.Value.Type()
		// The errors are of flags that have a completion already, which stays.
		switch {
		case list != nil:
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp))
		case f.Name == "models":
			_ = cmd.MarkFlagDirname(f.Name)
		case !strings.HasPrefix(kind, "string"):
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions)
		}
	}
	cmd.LocalNonPersistentFlags().VisitAll(complete)
	cmd.PersistentFlags().VisitAll(complete)
	if cmd.Name() == "cpu" || cmd.Name() == "demo" {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, c := range cmd.Commands() {
		completeValues(c, values)
	}
}

package cli

import (
	"errors"
	"fmt"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/text"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitFile        = 3
	exitUnsupported = 4
	exitAccuracy    = 5
)

// usageError says that the command line is wrong.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// accuracyError says that a model is less accurate than asked for.
type accuracyError struct {
	What      string // "top1"
	Have, Min float64
}

func (e *accuracyError) Error() string {
	return fmt.Sprintf("%s is %.4f where at least %.4f is asked for", e.What, e.Have, e.Min)
}

func exitCode(err error) int {
	switch {
	case err == nil:
		return exitOK
	case faultOfFile(err):
		return exitFile
	case is[*usageError](err), is[*bench.PrecisionError](err), is[*bench.MetricError](err), is[*bench.OutputError](err),
		is[*loader.ChoiceError](err), is[*loader.KeyError](err), is[*loader.MethodError](err), is[*quantize.ShardError](err):
		return exitUsage
	case is[*accuracyError](err):
		return exitAccuracy
	case is[*ops.UnsupportedError](err), is[*loader.UnknownOperatorError](err), is[*loader.UnsupportedError](err),
		is[*loader.UnsupportedFileError](err), is[*loader.UnsupportedModuleError](err), is[*text.UnsupportedError](err):
		return exitUnsupported
	case is[*loader.FileError](err), is[*nn.BindError](err), is[*quantize.ModelError](err), is[*quantize.PreparationError](err), is[*bench.LabelError](err):
		return exitFile
	// After files: a state has options too.
	case is[*quantize.UnknownNameError](err), is[*quantize.BackendError](err), is[*quantize.ConfigError](err), is[*quantize.OptionError](err),
		is[*quantize.QuantizedError](err):
		return exitUsage
	}
	return exitFailed
}

// faultOfFile reports whether what is wrong stands in a file, and not on the command line: options of a saved calibration, labels that
// fit no metric.
func faultOfFile(err error) bool {
	file, ok := errors.AsType[*loader.FileError](err)
	return ok && (is[*bench.MetricError](file) || is[*quantize.BackendError](file) || is[*quantize.ConfigError](file) || is[*quantize.OptionError](file))
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

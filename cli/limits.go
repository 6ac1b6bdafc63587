package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

// limits are what a command may take.
type limits struct {
	memoryFlag string
	maxMemory  int64 // bytes; 0: no bound is known
	timeout    time.Duration

	// exit ends the process; nil where a command is not a process of its own.
	exit func(code int)
	// patient says that what the command does at the end of its context may take long, and is worth waiting for.
	patient atomic.Bool
}

func (l *limits) add(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.StringVar(&l.memoryFlag, "max-memory", "", "memory that the command may take, such as 500MB or 2GB (default: nine tenths of what the system, or its control group, has)")
	flags.DurationVar(&l.timeout, "timeout", 0, "time after which the command ends, such as 90s or 10m; 0: never")
}

// set reads the flags, and gives the command a context that ends in time.
func (l *limits) set(cmd *cobra.Command) error {
	l.maxMemory = systemMemory() / 10 * 9
	if l.memoryFlag != "" {
		var err error
		if l.maxMemory, err = parseSize(l.memoryFlag); err != nil {
			return fmt.Errorf("--max-memory %w", err)
		}
	}
	if l.timeout < 0 {
		return fmt.Errorf("--timeout %v: it must not be negative", l.timeout)
	}
	if l.exit != nil {
		l.limitCollector()
	}
	if l.timeout > 0 {
		ctx, cancel := context.WithTimeout(cmd.Context(), l.timeout)
		context.AfterFunc(cmd.Context(), cancel)
		cmd.SetContext(ctx)
	}
	return nil
}

// limitCollector lets the garbage collector know the bound, unless GOMEMLIMIT is less.
func (l *limits) limitCollector() {
	if asked := debug.SetMemoryLimit(-1); l.maxMemory > 0 && l.maxMemory < asked {
		debug.SetMemoryLimit(l.maxMemory)
	}
}

// collectEarly lets the collector run when a quarter of what is in use is garbage, not as much as that, unless GOGC says otherwise: for a
// command that makes little garbage, and of which a small machine has to hold the peak.
func collectEarly() {
	const percent = 25
	if before := debug.SetGCPercent(percent); os.Getenv("GOGC") != "" {
		debug.SetGCPercent(before)
	}
}

// parseSize reads "500MB", "1.5GB" or a number of bytes. Units are powers of 1024.
func parseSize(s string) (int64, error) {
	number, unit := s, 1.0
	for i, u := range []string{"KB", "MB", "GB", "TB"} {
		if n, ok := strings.CutSuffix(strings.ToUpper(s), u); ok {
			number, unit = n, float64(int64(1)<<(10*(i+1)))
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(v*unit >= 1 && v*unit < 1<<62) {
		return 0, fmt.Errorf("%q: a size such as 500MB or 1.5GB, or a number of bytes", s)
	}
	return int64(v * unit), nil
}

// grace is how long a command may take to end by itself, after its context has.
const grace = 400 * time.Millisecond

// memorySlack is what may be in memory beyond the bound: the garbage collector runs beside the program.
const memorySlack = 24 << 20

// enforce ends the process when a command has not ended by itself for some time after its context did, or takes more
// memory than it may: libraries look at both where they can, before memory is taken and between the nodes of a graph, and nothing
// that a file makes them do may go on for longer. It returns when done is closed.
func (l *limits) enforce(ctx context.Context, done <-chan struct{}, end func(error)) {
	memory := openMemory()
	defer memory.close()
	var late <-chan time.Time
	over := ctx.Done()
	for {
		pause := time.Second
		if l.maxMemory > 0 && memory != nil {
			used := memory.inUse()
			if used > l.maxMemory+memorySlack {
				end(&overMemoryError{l.maxMemory})
				return
			}
			// No machine fills memory faster than this.
			const bytesPerSecond = 16 << 30
			free := time.Duration(float64(l.maxMemory+memorySlack-used) / bytesPerSecond * float64(time.Second))
			pause = min(max(free, time.Millisecond), 100*time.Millisecond)
		}
		timer := time.NewTimer(pause)
		select {
		case <-done:
			return
		case <-over:
			over = nil
			late = time.After(grace)
		case <-late:
			if !l.patient.Load() {
				end(ctx.Err())
				return
			}
			late = time.After(grace)
		case <-timer.C:
		}
		timer.Stop()
	}
}

// overMemoryError says that a command has taken more memory than it may.
type overMemoryError struct{ limit int64 }

func (e *overMemoryError) Error() string {
	return fmt.Sprintf("it takes more memory than the %d MB that are allowed", e.limit>>20)
}

// advice returns the flag that an error about a file asks for.
func advice(err error) string {
	choice, isChoice := errors.AsType[*loader.ChoiceError](err)
	key, isKey := errors.AsType[*loader.KeyError](err)
	kind, isKind := errors.AsType[*loader.KindError](err)
	switch {
	case errors.Is(err, loader.ErrWeightsOnly):
		return ": name it with --arch, or give the folder if it is one of Hugging Face"
	case isChoice && choice.Asked == "":
		return " with --model"
	case isKey && key.Asked == "":
		return " with --key"
	case isKind && (kind.Kind == loader.KindTorchScript || kind.Kind == loader.KindExported):
		return ", without --arch"
	}
	return ""
}

// explain adds to an error what the command line can do about it.
func (l *limits) explain(ctx context.Context, err error) string {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Sprintf("not done within --timeout %v", l.timeout)
	case ctx.Err() != nil:
		return "interrupted"
	case is[*overMemoryError](err), is[*graph.MemoryError](err), is[*tensor.BudgetError](err):
		return err.Error() + ": --max-memory gives more"
	}
	return err.Error() + advice(err)
}

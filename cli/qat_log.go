package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/octet-ml/octet/internal/atomicfile"
	"github.com/octet-ml/octet/internal/finitejson"
	"github.com/octet-ml/octet/tensor"
)

// trainingLog is a file with a line of JSON for each step and each epoch. The nil one is no file.
type trainingLog struct{ f *os.File }

// stepLine is the line of a step: the loss before it, and the learning rate it was made with.
type stepLine struct {
	Step    int     `json:"step"` // counted from 1
	Epoch   int     `json:"epoch"`
	Loss    float64 `json:"loss"`
	Rate    float64 `json:"rate"`
	Seconds float64 `json:"seconds"` // of the step
}

// epochLine is the line of an epoch.
type epochLine struct {
	Epoch    int      `json:"epoch"`              // counted from 1
	Steps    int      `json:"steps"`              // made until then
	MeanLoss float64  `json:"mean_loss"`          // of its steps
	Accuracy *float64 `json:"accuracy,omitempty"` // of the int8 model on --eval
	Seconds  float64  `json:"seconds"`            // of its steps
}

// epochPart is the sum over the steps of an epoch that are made: those since training went on and,
// where a log has them, those before.
type epochPart struct {
	steps         int
	loss, seconds float64
}

func (p *epochPart) add(loss, seconds float64) {
	p.steps++
	p.loss += loss
	p.seconds += seconds
}

func (p *epochPart) mean() float64 { return p.loss / float64(max(p.steps, 1)) }

// openLog opens the file at path for training that goes on after so many steps. What the file
// has of later ones, which are made again, is taken out of it first. part is what it has of an epoch
// whose line is still to come.
func openLog(path string, steps int) (l *trainingLog, part epochPart, err error) {
	if path == "" {
		return nil, part, nil
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if steps > 0 {
		if part, err = trimLog(path, steps); err != nil {
			return nil, part, err
		}
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return nil, part, err
	}
	return &trainingLog{f}, part, nil
}

// trimLog keeps of the log at path, where there is one, the lines of the first steps. It is replaced as a
// whole: when anything fails it is as it was.
func trimLog(path string, steps int) (part epochPart, err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return part, nil // what a pipe was given cannot be taken back
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return part, nil
	}
	if err != nil {
		return part, err
	}
	defer f.Close()
	err = atomicfile.Write(path, func(w io.Writer) error {
		r := bufio.NewReader(f)
		for n := 1; ; n++ {
			line, err := r.ReadSlice('\n')
			if err == io.EOF {
				return nil // what a killed process has written of a line goes
			}
			var at struct {
				stepLine
				Steps int
			}
			if err == nil {
				err = json.Unmarshal(line, &at)
			}
			if err == nil && max(at.Step, at.Steps) < 1 {
				err = errors.New("neither step nor steps in it")
			}
			if err != nil {
				return &tensor.FileError{File: path, Record: fmt.Sprintf("line %d", n), Reason: "not a log of octet qat: remove the file, or name another with --log", Err: err}
			}
			if max(at.Step, at.Steps) > steps {
				continue
			}
			if part.add(at.Loss, at.stepLine.Seconds); at.Steps > 0 {
				part = epochPart{} // the line of an epoch
			}
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
	})
	return part, err
}

// write adds a line.
func (l *trainingLog) write(v any) error {
	if l == nil {
		return nil
	}
	return finitejson.Write(l.f, v)
}

// sync brings what was written to the disk. What cannot be synchronized, such as a pipe, needs it not.
func (l *trainingLog) sync() {
	if l != nil {
		_ = l.f.Sync()
	}
}

func (l *trainingLog) close() error {
	if l == nil {
		return nil
	}
	return l.f.Close()
}

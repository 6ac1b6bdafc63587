package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// training is one run of octet qat.
type training struct {
	*work
	flags    *trainFlags
	samples  *bench.Dataset
	eval     *bench.Dataset // or nil
	sampler  *train.Sampler
	opts     train.Options
	model    *graph.Graph
	proxy    *quantize.QAT
	trainer  *train.Trainer
	teacher  *graph.Session // with --distill
	log      *trainingLog
	float    *tensor.Tensor // logits of the float model on --eval, where that has no labels
	result   qatResult
	finished int // epochs
}

// newTraining reads the data and says how to train.
func (w *work) newTraining(cmd *cobra.Command, f *trainFlags) (*training, error) {
	t := &training{work: w, flags: f, model: w.model}
	var err error
	if t.samples, err = bench.OpenDataset(f.data); err != nil {
		return nil, err
	}
	if t.samples.Labels() == nil && !f.distill {
		return nil, usagef("--data %s has no labels: use --distill", f.data)
	}
	if f.eval != "" {
		if t.eval, err = bench.OpenDataset(f.eval); err != nil {
			return nil, err
		}
	}
	if t.sampler, err = train.NewSampler(f.seed, t.samples.Len(), w.flags.batch); err != nil {
		return nil, &tensor.FileError{File: f.data, Reason: err.Error()}
	}
	if t.opts, err = f.options(cmd, t.sampler.PerEpoch()); err != nil {
		return nil, err
	}
	t.opts.Session = w.options()
	return t, nil
}

func (t *training) close() {
	if t.trainer != nil {
		t.trainer.Close()
	}
	if t.proxy != nil {
		t.proxy.Close()
	}
	if t.teacher != nil {
		t.teacher.Close()
	}
}

// run does everything, from calibration to the file of the int8 model.
func (t *training) run() error {
	if err := t.calibrate(); err != nil {
		return err
	}
	calibrated, err := t.q.Quantize(t.model)
	if err != nil {
		return err
	}
	if t.result.Float, err = t.accuracyOf(t.model); err != nil {
		return err
	}
	if t.result.Calibrated, err = t.accuracyOf(calibrated); err != nil {
		return err
	}
	if t.flags.distill {
		if t.teacher, err = t.model.Compile(t.opts.Session); err != nil {
			return err
		}
	}
	// The sessions that have run so far are no longer needed: without this their memory would stay until
	// the heap has grown by as much again.
	debug.FreeOSMemory()
	// The batches of the steps are the only garbage. The heap is a few large pieces, so that collecting takes next to
	// nothing, and by default it would not happen before there is as much garbage as memory in use.
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	if t.proxy, err = t.q.QAT(t.model); err != nil {
		return err
	}
	if t.trainer, err = train.New(t.proxy, t.opts); err != nil {
		return err
	}
	resumed, err := t.resume()
	if err != nil {
		return err
	}
	if t.log, err = openLog(t.flags.log, resumed); err != nil {
		return err
	}
	err = t.epochs()
	if err := errors.Join(err, t.log.close()); err != nil {
		return err
	}
	return t.finish()
}

// resume goes on from the checkpoint, if that is asked for and there is one.
func (t *training) resume() (bool, error) {
	if !t.flags.resume {
		return false, nil
	}
	err := t.trainer.Load(t.flags.checkpoint, t.sampler)
	if errors.Is(err, fs.ErrNotExist) {
		t.say("%s does not exist: training begins anew", t.flags.checkpoint)
		return false, nil
	}
	t.finished = t.sampler.Epoch()
	t.result.Steps = t.trainer.Steps()
	return err == nil, err
}

// epochs trains until the end, or until it is interrupted.
func (t *training) epochs() error {
	for t.finished < t.flags.epochs {
		loss, elapsed, err := t.epoch()
		if err != nil {
			return err
		}
		t.finished++
		t.result.Epochs, t.result.LastLoss = t.finished, loss
		if t.result.FirstLoss == 0 {
			t.result.FirstLoss = loss
		}
		if err := t.save(); err != nil {
			return err
		}
		line := epochLine{Epoch: t.finished, Steps: t.trainer.Steps(), MeanLoss: loss, Seconds: elapsed.Seconds(), Arena: t.trainer.Memory().Arena}
		text := fmt.Sprintf("epoch %d of %d: loss %.4f", t.finished, t.flags.epochs, loss)
		if t.eval != nil {
			int8, err := t.q.Quantize(t.model)
			if err != nil {
				return err
			}
			a, err := t.accuracyOf(int8)
			if err != nil {
				return err
			}
			line.Accuracy = &a.Accuracy
			text += fmt.Sprintf(", int8 accuracy %.4f", a.Accuracy)
		}
		t.say("%s, %.1f s", text, elapsed.Seconds())
		if err := t.log.write(line); err != nil {
			return err
		}
	}
	t.result.Epochs = t.finished
	return nil
}

// epoch makes the steps of an epoch that are still to make, and returns their mean loss. When it is
// interrupted it writes a checkpoint.
func (t *training) epoch() (loss float64, elapsed time.Duration, err error) {
	bar := t.progress(fmt.Sprintf("epoch %d", t.finished+1), t.sampler.PerEpoch())
	defer bar.end()
	start := time.Now()
	sum, steps, right, seen := 0.0, 0, 0, 0
	for t.sampler.Epoch() == t.finished {
		if err := t.ctx.Err(); err != nil {
			if saved := t.save(); saved != nil || t.flags.checkpoint == "" {
				return 0, 0, errors.Join(err, saved)
			}
			bar.end()
			t.say("%s has the state after %d steps: go on with --resume", t.flags.checkpoint, t.trainer.Steps())
			return 0, 0, err
		}
		began := time.Now()
		rate := t.flags.lr * t.opts.Schedule(t.trainer.Steps())
		l, labels, err := t.step()
		if err != nil {
			return 0, 0, err
		}
		sum += l
		steps++
		t.result.Steps = t.trainer.Steps()
		t.result.ArenaBytes = max(t.result.ArenaBytes, t.trainer.Memory().Arena)
		if err := t.log.write(stepLine{Step: t.result.Steps, Epoch: t.finished + 1, Loss: l, Rate: rate, Seconds: time.Since(began).Seconds()}); err != nil {
			return 0, 0, err
		}
		status := fmt.Sprintf("loss %.4f", sum/float64(steps))
		if r, n := rightOf(t.trainer.Outputs(), labels); n > 0 {
			right, seen = right+r, seen+n
			status += fmt.Sprintf(" accuracy %.4f", float64(right)/float64(seen))
		}
		bar.status(status)
		bar.set(t.trainer.Steps() - t.finished*t.sampler.PerEpoch())
		if every := t.flags.checkpointEvery; every > 0 && t.result.Steps%every == 0 {
			if err := t.save(); err != nil {
				return 0, 0, err
			}
		}
	}
	return sum / float64(max(steps, 1)), time.Since(start), nil
}

// step makes one step. An interruption does not stop it: the sampler and the parameters go together.
func (t *training) step() (loss float64, labels *tensor.Tensor, err error) {
	ctx := context.WithoutCancel(t.ctx)
	in, labels, err := t.samples.Select(t.model, t.sampler.Next())
	if err != nil {
		return 0, nil, err
	}
	target := labels
	if t.teacher != nil {
		out, err := t.teacher.Run(ctx, in...)
		if err != nil {
			return 0, nil, err
		}
		target = out[0]
	}
	loss, err = t.trainer.Step(ctx, append(in, target)...)
	return loss, labels, err
}

// rightOf counts the samples whose class is the label, n 0 where outputs have no classes.
func rightOf(outputs []*tensor.Tensor, labels *tensor.Tensor) (right, n int) {
	if labels == nil {
		return 0, 0
	}
	classes, err := bench.Classes(outputs[0])
	if err != nil {
		return 0, 0
	}
	for i, c := range classes {
		if int64(c) == labels.Int64s()[i] {
			right++
		}
	}
	return right, len(classes)
}

// save writes the checkpoint, if there is to be one.
func (t *training) save() error {
	if t.flags.checkpoint == "" {
		return nil
	}
	return t.trainer.Save(t.flags.checkpoint, t.sampler)
}

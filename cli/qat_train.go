package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// training is one run of octet qat.
type training struct {
	*work
	flags      *trainFlags
	samples    *data.Dataset
	eval       *data.Dataset // or nil
	sampler    *train.Sampler
	augment    train.Augment
	opts       train.Options
	model      *graph.Graph
	proxy      *quantize.QAT
	trainer    *train.Trainer
	teacher    *graph.Session // with --distill
	log        *trainingLog
	metric     *bench.Metric    // on --eval, chosen for the float model
	float      []*tensor.Tensor // outputs of the float model on --eval, where that has no labels
	unlabelled bool             // --eval has no labels
	result     qatResult
	loss       trainingLoss
	outShape   tensor.Shape // of the first output, for some samples
	finished   int          // epochs
	part       epochPart    // of the one under way
	saved      int          // steps that the checkpoint has, 0 without one
}

// newTraining reads the data and says how to train.
func (w *work) newTraining(cmd *cobra.Command, f *trainFlags) (*training, error) {
	t := &training{work: w, flags: f, model: w.model}
	var err error
	if t.samples, err = w.openDataset(w.ctx, f.data, &w.flags.samples, w.model); err != nil {
		return nil, err
	}
	targets, err := t.samples.Targets(w.model)
	if err != nil {
		return nil, err
	}
	if targets == nil && !f.distill {
		return nil, usagef("--data %s has no labels: use --distill", f.data)
	}
	if f.eval != "" {
		if t.eval, err = w.openDataset(w.ctx, f.eval, &w.flags.samples, w.model); err != nil {
			return nil, err
		}
		labels, err := t.eval.Targets(w.model)
		if err != nil {
			return nil, err
		}
		t.unlabelled = labels == nil || f.metric == bench.Agreeing || f.metric == bench.Cosine
	}
	if t.sampler, err = train.NewSampler(f.seed, t.samples.Len(), data.BatchSize(w.model, w.flags.batch)); err != nil {
		return nil, &tensor.FileError{File: f.data, Reason: err.Error()}
	}
	if t.opts, err = f.options(cmd, t.sampler.PerEpoch()); err != nil {
		return nil, err
	}
	t.augment = train.Augment{Seed: f.seed, Padding: f.padding, Flip: f.flip}
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
	if err := t.chooseLoss(); err != nil {
		return err
	}
	calibrated, err := t.q.QuantizeContext(t.ctx, t.model)
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
	if t.flags.checkpoint != "" {
		if t.opts.Settings, err = t.flags.settings(t.model, t.q.Options()); err != nil {
			return err
		}
	}
	t.flags.byLevels(&t.opts, t.proxy.Parameters())
	if t.trainer, err = train.New(t.proxy, t.opts); err != nil {
		return err
	}
	if err := t.resume(); err != nil {
		return err
	}
	if t.log, t.part, err = openLog(t.flags.log, t.trainer.Steps()); err != nil {
		return err
	}
	err = t.epochs()
	if err != nil && t.ctx.Err() != nil && t.saved > 0 && t.saved == t.trainer.Steps() {
		t.say("%s has the state after %d steps: go on with --resume", t.flags.checkpoint, t.trainer.Steps())
	}
	if err := errors.Join(err, t.log.close()); err != nil {
		return err
	}
	return t.finish()
}

// resume goes on from the checkpoint, if that is asked for and there is one.
func (t *training) resume() error {
	if !t.flags.resume {
		return nil
	}
	err := t.trainer.Load(t.flags.checkpoint, t.sampler)
	if errors.Is(err, fs.ErrNotExist) {
		t.say("%s does not exist: training begins anew", t.flags.checkpoint)
		return nil
	}
	t.finished = t.sampler.Epoch()
	t.result.Steps, t.saved = t.trainer.Steps(), t.trainer.Steps()
	return err
}

// epochs trains until the end, or until it is interrupted.
func (t *training) epochs() error {
	if n := t.sampler.PerEpoch(); t.part.steps == n && t.trainer.Steps() == t.finished*n { // it was stopped before the line of an epoch
		if err := t.endEpoch(); err != nil {
			return err
		}
	}
	// The checkpoint of an interrupted training is written, however long that takes.
	t.limits.patient.Store(t.flags.checkpoint != "")
	defer t.limits.patient.Store(false)
	for t.finished < t.flags.epochs {
		if err := t.epoch(); err != nil {
			return err
		}
		t.finished++
		if err := t.save(); err != nil {
			return err
		}
		if err := t.endEpoch(); err != nil {
			return err
		}
	}
	t.result.Epochs = t.finished
	return nil
}

// endEpoch measures what an epoch has made of the model, and tells.
func (t *training) endEpoch() error {
	loss := t.part.mean()
	line := epochLine{Epoch: t.finished, Steps: t.trainer.Steps(), MeanLoss: loss, Seconds: t.part.seconds}
	t.part = epochPart{}
	t.result.Epochs, t.result.LastLoss = t.finished, loss
	if t.result.FirstLoss == 0 {
		t.result.FirstLoss = loss
	}
	text := fmt.Sprintf("epoch %d of %d: loss %.4f", t.finished, t.flags.epochs, loss)
	if t.eval != nil {
		int8, err := t.q.QuantizeContext(t.ctx, t.model)
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
	t.say("%s, %.1f s", text, line.Seconds)
	return t.log.write(line)
}

// epoch makes the steps of an epoch that are still to make. When it is interrupted it writes a checkpoint.
func (t *training) epoch() error {
	bar := t.progress(fmt.Sprintf("epoch %d", t.finished+1), t.sampler.PerEpoch())
	defer bar.end()
	right, seen := 0, 0
	for t.sampler.Epoch() == t.finished {
		began := time.Now()
		rate := t.flags.lr * t.opts.Schedule(t.trainer.Steps())
		l, labels, err := t.step()
		if ended := t.ctx.Err(); err != nil && ended != nil {
			t.sampler.Unread()
			if saved := t.save(); saved != nil {
				t.say("no checkpoint was written: %v", saved)
			}
			return ended
		}
		if err != nil {
			return err
		}
		seconds := time.Since(began).Seconds()
		t.part.add(l, seconds)
		t.result.Steps = t.trainer.Steps()
		t.result.ArenaBytes = max(t.result.ArenaBytes, t.trainer.Memory().Arena)
		if err := t.log.write(stepLine{Step: t.result.Steps, Epoch: t.finished + 1, Loss: l, Rate: rate, Seconds: seconds}); err != nil {
			return err
		}
		status := fmt.Sprintf("loss %.4f", t.part.mean())
		if r, n := rightOf(t.trainer.Outputs(), labels); n > 0 {
			right, seen = right+r, seen+n
			status += fmt.Sprintf(" accuracy %.4f", float64(right)/float64(seen))
		}
		bar.status(status)
		bar.set(t.trainer.Steps() - t.finished*t.sampler.PerEpoch())
		if every := t.flags.checkpointEvery; every > 0 && t.result.Steps%every == 0 {
			if err := t.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// step makes one step with the next batch. An interruption stops it, and then nothing but the sampler has changed.
func (t *training) step() (loss float64, labels *tensor.Tensor, err error) {
	epoch, samples := t.sampler.Epoch(), t.sampler.Next()
	in, labels, err := t.samples.Select(t.model, samples)
	if err != nil {
		return 0, nil, err
	}
	for _, x := range in {
		if err := t.augment.Apply(x, epoch, samples); err != nil {
			return 0, nil, &tensor.FileError{File: t.flags.data, Reason: err.Error()}
		}
	}
	if t.teacher != nil {
		loss, err = t.trainer.StepTowardOutputs(t.ctx, t.teacher, t.loss.outputs, in...)
	} else {
		var target *tensor.Tensor
		if target, err = t.loss.target(labels, t.outShape); err == nil {
			loss, err = t.trainer.Step(t.ctx, append(in, target)...)
		}
	}
	return loss, labels, t.samples.Misfit("", err)
}

// rightOf counts the samples whose class is the label, n 0 where outputs have no classes.
func rightOf(outputs []*tensor.Tensor, labels *tensor.Tensor) (right, n int) {
	if labels == nil || labels.Rank() != 1 || labels.DType() != tensor.Int64 {
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
	t.log.sync() // the log has all steps of a checkpoint, whatever happens
	if err := t.trainer.Save(t.flags.checkpoint, t.sampler); err != nil {
		return err
	}
	t.saved = t.trainer.Steps()
	return nil
}

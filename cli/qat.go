package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/quantize"
)

func (a *app) qat() *cobra.Command {
	var f quantizeFlags
	var t trainFlags
	cmd := &cobra.Command{
		Use:   "qat MODEL --data D.npz --calib C.npz --epochs E -o OUT",
		Short: "Train a float model with quantization in the loop, and turn it into an int8 one",
		Long: `qat calibrates a model, and then trains its weights and the scales of what is
quantized with the int8 arithmetic in the forward pass. It wins back accuracy
that calibration alone loses, most of all with few bits (--bits, --weight-bits).
With --distill the float model is the teacher, and the data needs no labels. What
no flag says is a recipe that does for 4 and for 8 bits.

With --checkpoint, training that was interrupted goes on with --resume and ends
with the same model, to the bit, as if it had not been. So does its --log, but for
the times.`,
		Example: `  octet qat resnet20.th --arch resnet20-cifar --data train.npz --calib calib.npz \
    --epochs 10 --distill --random-crop 2 --random-flip -o int8.safetensors
  octet qat model.safetensors --data train/ --calib calib/ --epochs 5 --bits 4 --weight-bits 4 \
    --checkpoint train.octet --resume -o int8.safetensors`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.check(cmd); err != nil {
				return err
			}
			// Flags are complained about before anything is read.
			if _, err := t.options(cmd, 1); err != nil {
				return err
			}
			f.alsoReads = []fileArg{{"--data", t.data}, {"--eval", t.eval}}
			f.alsoWrites = []fileArg{{"--checkpoint", t.checkpoint}, {"--log", t.log}} // a checkpoint that training goes on from is written again
			w, err := a.begin(cmd, &f, args[0])
			if err != nil {
				return err
			}
			if o := w.q.Options(); o.Dynamic || o.Equalize || o.CorrectBias || o.Rounding != quantize.Nearest {
				return usagef("--state %s: what qat trains is not quantized while running, equalized, bias corrected nor rounded by learning", f.state)
			}
			tr, err := w.newTraining(cmd, &t)
			if err != nil {
				return err
			}
			defer tr.close()
			return tr.run()
		},
	}
	f.addCommon(a, cmd)
	t.add(cmd)
	return cmd
}

// qatResult is the document of qat --json.
type qatResult struct {
	Loss        string       `json:"loss"` // what was made small
	Epochs      int          `json:"epochs"`
	Steps       int          `json:"steps"`
	FirstLoss   float64      `json:"first_loss"` // mean of the first epoch that this run has made, or gone on with
	LastLoss    float64      `json:"last_loss"`  // mean of the last epoch
	Float       *qatAccuracy `json:"float,omitempty"`
	Calibrated  *qatAccuracy `json:"calibrated,omitempty"`
	Trained     *qatAccuracy `json:"trained,omitempty"`
	ArenaBytes  int          `json:"arena_bytes,omitempty"` // activations, gradients and scratch memory of a step, the largest
	InputBytes  int64        `json:"input_bytes"`
	OutputBytes int64        `json:"output_bytes"`
}

// qatAccuracy is that of one form of the model on --eval: against its labels or, where
// it has none, against the float model.
type qatAccuracy struct {
	N        int     `json:"n"`
	Right    int     `json:"right"`
	Accuracy float64 `json:"accuracy"`
	Metric   string  `json:"metric"`

	counts bool
}

func (q *qatAccuracy) String() string {
	if !q.counts {
		return fmt.Sprintf("%.4f", q.Accuracy)
	}
	return fmt.Sprintf("%d (%.2f %%)", q.Right, 100*q.Accuracy)
}

// accuracyOf measures a form of the model on --eval; nil without one.
func (t *training) accuracyOf(g *graph.Graph) (*qatAccuracy, error) {
	if t.eval == nil {
		return nil, nil
	}
	s, err := g.Compile(t.options())
	if err != nil {
		return nil, err
	}
	defer s.Close()
	bar := t.progress("evaluating", t.eval.Len())
	e, err := bench.EvaluateWith(t.ctx, s, t.eval, bench.EvalOptions{Batch: t.work.flags.batch, Metric: t.metric, Name: t.flags.metric, Keep: t.unlabelled, Progress: bar.set})
	bar.end()
	if err != nil {
		return nil, err
	}
	if e.Labels {
		t.metric = e.Metric
		return &qatAccuracy{N: max(e.Counted, 1), Right: e.Right, Accuracy: e.Value, Metric: e.Metric.Name, counts: e.Metric.Counts()}, nil
	}
	if t.float == nil { // this is the float model
		if t.metric, err = bench.ChooseMetric(t.flags.metric, e.Outputs, nil); err != nil {
			return nil, err
		}
		t.float = e.Outputs
	}
	return t.likeFloat(e)
}

// likeFloat compares outputs with those of the float model.
func (t *training) likeFloat(e *bench.Evaluation) (*qatAccuracy, error) {
	a := &qatAccuracy{N: e.N, Metric: t.metric.Name, counts: t.metric.Counts()}
	if a.counts {
		agreement, err := bench.CompareClasses(t.metric, e.Logits, t.float[0])
		if err != nil {
			return nil, err
		}
		a.N, a.Right, a.Accuracy = agreement.N, agreement.SameClass, agreement.Share()
		return a, nil
	}
	diff, err := bench.CompareOutputs(e.Outputs, t.float, make([]string, len(t.float)))
	if err != nil {
		return nil, err
	}
	a.Accuracy = 1
	for i, d := range diff {
		if e.Outputs[i].DType().IsFloat() {
			a.Accuracy = min(a.Accuracy, d.Cosine)
		}
	}
	return a, nil
}

// finish converts what was trained, writes it and reports.
func (t *training) finish() error {
	int8, err := t.q.QuantizeContext(t.ctx, t.model)
	if err != nil {
		return err
	}
	if t.result.Trained, err = t.accuracyOf(int8); err != nil {
		return err
	}
	if err := t.work.save(int8); err != nil {
		return err
	}
	r := &t.result
	for path, size := range map[string]*int64{t.path: &r.InputBytes, t.work.flags.output: &r.OutputBytes} {
		var err error
		if *size, err = fileSize(path); err != nil {
			return err
		}
	}
	if t.json {
		return t.printJSON(r)
	}
	if err := t.printf("%s, after %d steps\n", sizes(t.work.flags.output, r.OutputBytes, r.InputBytes), r.Steps); err != nil {
		return err
	}
	if err := t.printf("loss: %s\n", r.Loss); err != nil {
		return err
	}
	if r.ArenaBytes > 0 { // 0 where no step was left to make
		if err := t.printf("memory of a step: %.1f MB\n", float64(r.ArenaBytes)/(1<<20)); err != nil {
			return err
		}
	}
	if t.eval == nil {
		return nil
	}
	what := t.metric.Name
	if t.unlabelled {
		what += " with float"
	}
	return t.printf("%s of %d: float %v, calibrated %v, trained %v\n", what, r.Float.N, r.Float, r.Calibrated, r.Trained)
}

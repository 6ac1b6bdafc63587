package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/quantize"
)

// settings are what a checkpoint notes: all that decides about the bits of the result, and that
// the state of training itself does not tell.
func (f *trainFlags) settings(model *graph.Graph, opts quantize.Options) (map[string]string, error) {
	m, err := model.Concrete()
	if err != nil {
		return nil, err
	}
	quantized, err := json.Marshal(opts)
	if err != nil {
		return nil, err
	}
	data, err := fileFingerprint(f.data)
	if err != nil {
		return nil, err
	}
	s := map[string]string{"the model": fingerprint(m), "the data": data, "the quantization": string(quantized)}
	note := func(flag string, v any) { s["--"+flag] = fmt.Sprint(v) }
	note("lr", f.lr)
	note("scale-lr", f.scaleLR)
	note("optimizer", f.optimizer)
	note("weight-decay", f.decay)
	if f.optimizer == "sgd" {
		note("momentum", f.momentum)
		note("nesterov", f.nesterov)
	}
	note("schedule", f.schedule)
	switch f.schedule {
	case "cosine": // the others go on the same way however long training lasts
		note("epochs", f.epochs)
	case "step":
		note("step-epochs", f.stepEpochs)
		note("gamma", f.gamma)
	}
	note("warm-up", f.warmUp)
	note("clip", f.clip)
	note("random-crop", f.padding)
	note("random-flip", f.flip)
	note("distill", f.distill)
	if f.loss != "" {
		note("loss", f.loss)
	}
	if f.distill {
		note("temperature", f.temperature)
	}
	note("freeze-bn", f.freezeBN)
	note("freeze-observers", f.freezeObs)
	return s, nil
}

// fingerprint tells models apart by their constants.
func fingerprint(g *graph.Graph) string {
	h := sha256.New()
	for _, v := range g.Constants() {
		fmt.Fprintln(h, v.Name, v.Const)
		h.Write(v.Const.Contiguous().Bytes())
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// fileFingerprint tells files apart by their bytes.
func fileFingerprint(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

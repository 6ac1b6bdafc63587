package quantize

import (
	"fmt"

	"github.com/octet-ml/octet/graph"
)

// PreparationError says that samples were made inputs in another way than those of a calibration.
type PreparationError struct {
	Reason string // both ways
}

func (e *PreparationError) Error() string {
	return "quantize: the samples of a calibration are all prepared in one way, not by " + e.Reason
}

// Preparation returns how the samples of the calibration became inputs, as SetPreparation was told, or a saved state: Preprocessing, SampleRate
// and Labels, and nothing else; nil where that is not known.
func (q *Quantizer) Preparation() *graph.Info { return q.prepared }

// SetPreparation says how samples become inputs, before the first is observed. It is part of the saved state. It fails with a *PreparationError where
// what was observed before was prepared otherwise; Labels may differ, and the first that are given stay.
func (q *Quantizer) SetPreparation(info graph.Info) error {
	joined, err := joinPreparations(q.prepared, &graph.Info{Preprocessing: info.Preprocessing, SampleRate: info.SampleRate, Labels: info.Labels})
	if err == nil {
		q.prepared = joined
	}
	return err
}

// joinPreparations returns what two parts of a calibration know of their samples, nil for one that knows nothing.
func joinPreparations(a, b *graph.Info) (*graph.Info, error) {
	if a == nil || b == nil {
		if a == nil {
			a = b
		}
		return a, nil
	}
	if x, y := describePreparation(a), describePreparation(b); x != y {
		return nil, &PreparationError{x + " and " + y}
	}
	if a.Labels == nil && b.Labels != nil {
		return b, nil
	}
	return a, nil
}

// describePreparation says how samples become inputs: equal texts are of equal ways.
func describePreparation(i *graph.Info) string {
	var p graph.Preprocessing
	if i.Preprocessing != nil {
		p = *i.Preprocessing
	}
	if p.Channels == 0 {
		p.Channels = 3
	}
	return fmt.Sprintf("size %v, crop %v, channels %d, mean %v, std %v, Exif rotation %v, sample rate %d", p.Size, p.Crop, p.Channels, p.Mean, p.Std, p.Rotate, i.SampleRate)
}

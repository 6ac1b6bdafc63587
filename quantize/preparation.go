package quantize

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
)

// PreparationError says that samples were made inputs in another way than those of a calibration.
type PreparationError struct {
	Reason string // "size [224] and size [256]"
}

func (e *PreparationError) Error() string {
	return "quantize: the samples of a calibration are all prepared in one way, not with " + e.Reason
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
	var p, q graph.Preprocessing
	if a.Preprocessing != nil {
		p = *a.Preprocessing
	}
	if b.Preprocessing != nil {
		q = *b.Preprocessing
	}
	var differ []string
	add := func(same bool, name string, x, y any) {
		if !same {
			differ = append(differ, fmt.Sprintf("%s %v and %[1]s %v", name, x, y))
		}
	}
	add(slices.Equal(p.Size, q.Size), "size", p.Size, q.Size)
	add(slices.Equal(p.Crop, q.Crop), "crop", p.Crop, q.Crop)
	add(slices.Equal(p.Mean, q.Mean), "mean", p.Mean, q.Mean)
	add(slices.Equal(p.Std, q.Std), "std", p.Std, q.Std)
	x, y := channelsOf(&p), channelsOf(&q)
	add(x == y, "channels", x, y)
	add(p.Rotate == q.Rotate, "Exif rotation", p.Rotate, q.Rotate)
	add(a.SampleRate == b.SampleRate, "sample rate", a.SampleRate, b.SampleRate)
	if differ != nil {
		return nil, &PreparationError{strings.Join(differ, ", ")}
	}
	if a.Labels == nil && b.Labels != nil {
		return b, nil
	}
	return a, nil
}

func channelsOf(p *graph.Preprocessing) int {
	if p.Channels == 0 {
		return 3
	}
	return p.Channels
}

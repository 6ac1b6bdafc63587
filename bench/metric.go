package bench

import (
	"github.com/octet-ml/octet/metric"
	"github.com/octet-ml/octet/tensor"
)

// What package metric has, for those who evaluate.
type (
	Metric      = metric.Metric
	MetricError = metric.Error
	LabelError  = metric.LabelError
)

// The metrics.
const (
	Top1      = metric.Top1
	PixelTop1 = metric.PixelTop1
	TokenTop1 = metric.TokenTop1
	Binary    = metric.Binary
	R2        = metric.R2
	Agreeing  = metric.Agreeing
	Cosine    = metric.Cosine
	NoMetric  = metric.NoMetric
	Ignored   = metric.Ignored
)

// Metrics lists their names.
func Metrics() []string { return metric.Names() }

// ChooseMetric is metric.Choose.
func ChooseMetric(name string, outputs []*tensor.Tensor, labels *tensor.Tensor) (*Metric, error) {
	return metric.Choose(name, outputs, labels)
}

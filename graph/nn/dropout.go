package nn

import "github.com/octet-ml/octet/graph"

// Dropout is torch.nn.Dropout in evaluation mode: the identity.
type Dropout struct{}

func (Dropout) Class() string { return "torch.nn.modules.dropout.Dropout" }

func (Dropout) Forward(_ *Context, x ...*graph.Value) *graph.Value { return x[0] }

// Dropout1d is torch.nn.Dropout1d in evaluation mode: the identity.
type Dropout1d struct{}

func (Dropout1d) Class() string { return "torch.nn.modules.dropout.Dropout1d" }

func (Dropout1d) Forward(_ *Context, x ...*graph.Value) *graph.Value { return x[0] }

// Dropout2d is torch.nn.Dropout2d in evaluation mode: the identity.
type Dropout2d struct{}

func (Dropout2d) Class() string { return "torch.nn.modules.dropout.Dropout2d" }

func (Dropout2d) Forward(_ *Context, x ...*graph.Value) *graph.Value { return x[0] }

// Dropout3d is torch.nn.Dropout3d in evaluation mode: the identity.
type Dropout3d struct{}

func (Dropout3d) Class() string { return "torch.nn.modules.dropout.Dropout3d" }

func (Dropout3d) Forward(_ *Context, x ...*graph.Value) *graph.Value { return x[0] }

// AlphaDropout is torch.nn.AlphaDropout in evaluation mode: the identity.
type AlphaDropout struct{}

func (AlphaDropout) Class() string { return "torch.nn.modules.dropout.AlphaDropout" }

func (AlphaDropout) Forward(_ *Context, x ...*graph.Value) *graph.Value { return x[0] }

// FeatureAlphaDropout is torch.nn.FeatureAlphaDropout in evaluation mode: the identity.
type FeatureAlphaDropout struct{}

func (FeatureAlphaDropout) Class() string { return "torch.nn.modules.dropout.FeatureAlphaDropout" }

func (FeatureAlphaDropout) Forward(_ *Context, x ...*graph.Value) *graph.Value { return x[0] }

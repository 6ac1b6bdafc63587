package quantize

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/tensor"
)

const torchNN = "torch.nn.modules."

// simpleModel is a wrapper around a model with a nested block, as the toolkit's
// tests have it, beside a head.
func simpleModel() []candidate {
	return []candidate{
		{"", "Wrapper", ""},
		{"body", "SimpleModule", ""},
		{"body.conv", torchNN + "conv.Conv2d", "conv2d"},
		{"body.sub", "SubModule", ""},
		{"body.sub.conv", torchNN + "conv.Conv2d", "ConvReLU2d"},
		{"body.sub.fc", torchNN + "linear.Linear", "linear"},
		{"body.linear", torchNN + "linear.Linear", "linear"},
		{"body.relu", torchNN + "activation.ReLU", "relu"},
		{"head", torchNN + "linear.Linear", "LinearReLU"},
	}
}

func TestFilterSelect(t *testing.T) {
	all := "body.conv body.sub.conv body.sub.fc body.linear body.relu head"
	tests := []struct {
		name   string
		filter Filter
		want   string
	}{
		{"zero value", Filter{}, all},
		{"exclude name", Filter{ExcludeNames: []string{"head"}}, "body.conv body.sub.conv body.sub.fc body.linear body.relu"},
		{"exclude container", Filter{ExcludeNames: []string{"body.sub"}}, "body.conv body.linear body.relu head"},
		{"exclude does not match a prefix of a component", Filter{ExcludeNames: []string{"body.sub.conv"}}, "body.conv body.sub.fc body.linear body.relu head"},
		{"include name", Filter{IncludeNames: []string{"body.sub"}}, "body.sub.conv body.sub.fc"},
		{"include leaf", Filter{IncludeNames: []string{"head"}}, "head"},
		{"include class", Filter{IncludeClasses: []string{"SubModule"}}, "body.sub.conv body.sub.fc"},
		{"include name inside included name narrows it", Filter{IncludeNames: []string{"body", "body.sub.fc"}}, "body.sub.fc"},
		{"include name inside included class narrows it", Filter{IncludeClasses: []string{"SimpleModule"}, IncludeNames: []string{"body.conv"}}, "body.conv"},
		{"exclude inside include", Filter{IncludeNames: []string{"body"}, ExcludeNames: []string{"body.sub.conv"}, ExcludeOpTypes: []string{"Linear"}}, "body.conv body.relu"},
		{"exclude class inside include class", Filter{IncludeClasses: []string{"SimpleModule"}, ExcludeClasses: []string{"SubModule"}, IncludeOpTypes: []string{"Conv2d"}}, "body.conv"},
		{"include inside an excluded module", Filter{IncludeNames: []string{"body.sub"}, ExcludeNames: []string{"body"}}, "body.sub.conv body.sub.fc"},
		{"exclusion wins on the same module", Filter{IncludeNames: []string{"head", "body.sub"}, ExcludeNames: []string{"head"}}, "body.sub.conv body.sub.fc"},
		{"fused follows base when included", Filter{IncludeOpTypes: []string{"torch.nn.Conv2d"}}, "body.conv body.sub.conv"},
		{"fused follows base when excluded", Filter{ExcludeOpTypes: []string{"linear"}}, "body.conv body.sub.conv body.relu"},
		{"op types of both kinds", Filter{IncludeOpTypes: []string{"conv2d", "linear"}, ExcludeOpTypes: []string{"linear"}}, "body.conv body.sub.conv"},
		{"class in full", Filter{ExcludeClasses: []string{"torch.nn.modules.linear.Linear"}}, "body.conv body.sub.conv body.relu"},
		{"class as users write it", Filter{ExcludeClasses: []string{"torch.nn.Linear"}}, "body.conv body.sub.conv body.relu"},
		{"star stays in a component", Filter{IncludeNames: []string{"body.*conv"}}, "body.conv"},
		{"star for a component", Filter{IncludeNames: []string{"body.*.fc"}}, "body.sub.fc"},
		{"double star", Filter{IncludeNames: []string{"**.conv"}}, "body.conv body.sub.conv"},
		{"double star matches none", Filter{ExcludeNames: []string{"**.head"}}, "body.conv body.sub.conv body.sub.fc body.linear body.relu"},
		{"question mark", Filter{IncludeNames: []string{"hea?"}}, "head"},
		{"absent but known operator type", Filter{ExcludeOpTypes: []string{"conv3d"}}, all},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			modules := simpleModel()
			decisions, err := tt.filter.decide(modules)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, d := range decisions {
				if d.Quantize {
					got = append(got, modules[i].Path)
				}
				if d.Quantize != (d.Reason == "") {
					t.Errorf("%s: %+v: a reason goes with what is not quantized", modules[i].Path, d)
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("selected %s\nwant     %s", s, tt.want)
			}
		})
	}
}

// TestFilterClassFusedAway excludes a class whose only operators, an addition and
// a ReLU, the fusions make part of the convolutions inside it.
func TestFilterClassFusedAway(t *testing.T) {
	m := build(t, []int{1, 8, 6, 6}, func(c *nn.Context, x *graph.Value) *graph.Value {
		x = c.Call("block", namedBlock{}, x)
		return c.Call("last", nn.Conv2d{In: 8, Out: 4, Kernel: 1}, x)
	})
	x := randomInput(t, 1, 1, 8, 6, 6)
	for _, class := range []string{"NamedBlock", "test.NamedBlock"} {
		q := New(Options{Filter: Filter{ExcludeClasses: []string{class}}})
		calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{{x}}})
		quantized(t, q, m)
		for _, l := range q.Report().Layers {
			if want := l.Name == "last"; (l.Precision == "int8") != want {
				t.Errorf("without %s, %s is %s: %s", class, l.Name, l.Precision, l.Reason)
			}
		}
	}
	// A module that the fusions leave nothing of is no name to exclude by.
	q := New(Options{Filter: Filter{ExcludeNames: []string{"block.relu"}}})
	var unknown *UnknownNameError
	if _, err := q.Calib(m); !errors.As(err, &unknown) {
		t.Errorf("excluding what became part of another module: %v", err)
	}
}

// namedBlock is residualBlock with a class.
type namedBlock struct{}

func (namedBlock) Class() string { return "test.NamedBlock" }

func (namedBlock) Forward(c *nn.Context, x ...*graph.Value) *graph.Value {
	return residualBlock(c, x[0])
}

func TestFilterReason(t *testing.T) {
	decisions, err := Filter{ExcludeNames: []string{"body.su*"}}.decide(simpleModel())
	if err != nil {
		t.Fatal(err)
	}
	if want := `excluded by name "body.su*"`; decisions[4].Reason != want {
		t.Errorf("reason %q, want %q", decisions[4].Reason, want)
	}
}

func TestFilterUnknownNames(t *testing.T) {
	tests := []struct {
		filter Filter
		field  string
		near   string
	}{
		{Filter{ExcludeNames: []string{"body.conf"}}, "ExcludeNames", "body.conv"},
		{Filter{IncludeNames: []string{"sub.fc"}}, "IncludeNames", "body.sub.fc"},
		{Filter{IncludeNames: []string{"model.head"}}, "IncludeNames", "head"},
		{Filter{ExcludeNames: []string{"Head"}}, "ExcludeNames", "head"},
		{Filter{ExcludeNames: []string{"layer9.*"}}, "ExcludeNames", ""},
		{Filter{ExcludeNames: []string{""}}, "ExcludeNames", ""},
		{Filter{IncludeClasses: []string{"SimpelModule"}}, "IncludeClasses", "SimpleModule"},
		{Filter{ExcludeOpTypes: []string{"conv2"}}, "ExcludeOpTypes", "conv2d"},
	}
	for _, tt := range tests {
		_, err := tt.filter.decide(simpleModel())
		var unknown *UnknownNameError
		if !errors.As(err, &unknown) || unknown.Field != tt.field {
			t.Errorf("%+v: error %v, want an UnknownNameError of %s", tt.filter, err, tt.field)
			continue
		}
		if tt.near == "" != (len(unknown.Near) == 0) || tt.near != "" && !slices.Contains(unknown.Near, tt.near) {
			t.Errorf("%q: near matches %q, want %q", unknown.Name, unknown.Near, tt.near)
		}
	}
	_, err := Filter{ExcludeNames: []string{"nothing1", "head", "nothing2"}, IncludeOpTypes: []string{"nothing3"}}.decide(simpleModel())
	for _, name := range []string{"nothing1", "nothing2", "nothing3"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v does not list %s", err, name)
		}
	}
	if err != nil && strings.Contains(err.Error(), `"head"`) {
		t.Errorf("error %v lists a name that matches", err)
	}
}

func TestMatchWildcards(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"*", "", true}, {"a*", "a", true}, {"*a*b", "xaybzb", true}, {"*a*b", "xaybz", false},
		{"a?c", "abc", true}, {"a?c", "ac", false}, {"**", "abc", true}, {"abc", "ab", false}, {"ab", "abc", false},
	} {
		if got := matchWildcards(tt.pattern, tt.s); got != tt.want {
			t.Errorf("matchWildcards(%q, %q) = %v", tt.pattern, tt.s, got)
		}
	}
}

// A pattern of many wildcards must not take exponential time.
func TestMatchManyWildcards(t *testing.T) {
	path := strings.Repeat("a.", 200) + "b"
	if matchName(strings.Repeat("**.", 100)+"c", path) || matchWildcards(strings.Repeat("*a", 100)+"c", strings.Repeat("a", 2000)) {
		t.Error("matched")
	}
}

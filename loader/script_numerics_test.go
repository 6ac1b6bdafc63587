//go:build !nopytorch

package loader

import (
	"fmt"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// TestScriptNumerics checks values at the edges of element types. PyTorch 1.13 and
// 2.14 give what is wanted.
func TestScriptNumerics(t *testing.T) {
	const (
		v    = "v = torch.tensor([nan, 1., -1., inf, 2.])\n"
		m    = "m = torch.reshape(torch.tensor([1., nan, 3., 1., 2., 3., nan, nan, 1.]), [3, 3])\n"
		grid = "x = torch.reshape(torch.arange(1., 10., dtype=6), [1, 1, 3, 3])\n" +
			"g = torch.reshape(torch.tensor([nan, 0., 0., nan, inf, 0., -inf, 0., 1.0e+20, 0., 5., 5., -5., nan]), [1, 1, 7, 2])\n"
		bytes = "f = torch.tensor([0.5, 1.5])\nu = torch.to(torch.tensor([200, 3]), 0)\nh = torch.to(torch.tensor([60000., 3.]), 5)\n" +
			"i = torch.to(torch.tensor([2147483647, -5]), 3)\n"
		big = "a = torch.tensor([9007199254740993, 5])\n"
	)
	for name, c := range map[string]struct {
		body, want string
		dtype      tensor.DType
	}{
		"batch norm of float16": {"x = torch.to(torch.reshape(torch.tensor([-900., -300., 300., 900.]), [4, 1]), 5)\n" +
			"y = torch.to(torch.batch_norm(x, None, None, None, None, True, 0.1, 1.0e-05, True), 6)\n", "[-1.3417969 -0.44726562 0.44726562 1.3417969]", tensor.Float32},
		"rms norm of float16": {"y = torch.to(torch.rms_norm(torch.to(torch.tensor([-0.01, 0.02, 0.03]), 5), [3]), 6)\n", "[-0.46289062 0.92578125 1.3886719]", tensor.Float32}, // before PyTorch 2.8 with another eps
		"add twice bytes":     {bytes + "y = torch.add(f, u, alpha=2)\n", "[400.5 7.5]", tensor.Float32},
		"sub twice bytes":     {bytes + "y = torch.sub(f, u, alpha=2)\n", "[-399.5 -4.5]", tensor.Float32},
		"rsub twice bytes":    {bytes + "y = torch.rsub(u, 0.5, 2)\n", "[-399.5 -5.5]", tensor.Float32},
		"add twice float16":   {bytes + "y = torch.add(f, h, alpha=2)\n", "[120000.5 7.5]", tensor.Float32},
		"add twice int32":     {bytes + "y = torch.sub(torch.tensor([0, 0]), i, alpha=3)\n", "[-6442450941 15]", tensor.Int64},
		"add twice in bytes":  {bytes + "y = torch.add(u, torch.tensor(200), alpha=2)\n", "[88 147]", tensor.Uint8},
		"addcmul of bytes":    {bytes + "y = torch.addcmul(f, u, u, value=2)\n", "[80000.5 19.5]", tensor.Float32},
		"addcmul as int64":    {bytes + "y = torch.addcmul(torch.tensor([1, 2]), u, u)\n", "[40001 11]", tensor.Int64},
		"addcmul of float16":  {bytes + "y = torch.addcmul(f, h, h)\n", "[3.6e+09 10.5]", tensor.Float32},
		"logit of int64":      {"y = torch.logit(torch.tensor([0, 1]), 0.25)\n", "[-1.0986123 1.0986123]", tensor.Float32},
		"sum as int32":        {"y = torch.sum(torch.tensor([True, True, False]), dtype=3)\n", "[2]", tensor.Int32},
		"prod as int8":        {"y = torch.prod(torch.tensor([100, 3]), dtype=1)\n", "[44]", tensor.Int8},
		"cumsum as int32":     {"y = torch.cumsum(torch.tensor([1, 2]), 0, dtype=3)\n", "[1 3]", tensor.Int32},
		"cumsum in place":     {"x = torch.to(torch.tensor([1, 2]), 3)\ny = torch.cumsum_(x, 0)\n", "[1 3]", tensor.Int32},
		"grid, zeros":         {grid + "y = torch.grid_sampler(x, g, 0, 0, True)\n", "[NaN NaN NaN NaN 0 0 NaN]", tensor.Float32},
		"grid, border":        {grid + "y = torch.grid_sampler(x, g, 0, 1, True)\n", "[4 2 6 4 6 9 1]", tensor.Float32},
		"grid, nearest":       {grid + "y = torch.grid_sampler(x, g, 1, 0, False)\n", "[0 0 0 0 0 0 0]", tensor.Float32},
		"grid, nearest edge":  {grid + "y = torch.grid_sampler(x, g, 1, 1, False)\n", "[4 2 6 4 6 9 1]", tensor.Float32},
		"bucketize":           {v + "y = torch.bucketize(v, torch.tensor([0., 1., 2.]))\n", "[3 1 0 3 2]", tensor.Int64},
		"bucketize, right":    {v + "y = torch.bucketize(v, torch.tensor([0., 1., 2.]), right=True)\n", "[3 2 0 3 3]", tensor.Int64},
		"median":              {m + "y = torch.median(m)\n", "[NaN]", tensor.Float32},
		"median along":        {m + "y, i = torch.median(m, 1)\n", "[NaN 2 NaN]", tensor.Float32},
		"median's index":      {m + "i, y = torch.median(m, 1)\n", "[1 1 0]", tensor.Int64},
		"sort":                {m + "i, y = torch.sort(m, 1, True)\n", "[1 2 0 2 1 0 0 1 2]", tensor.Int64},
		"least":               {m + "i, y = torch.min(m, 1)\n", "[1 0 0]", tensor.Int64},
		"place of the least":  {m + "y = torch.argmin(m)\n", "[1]", tensor.Int64},
		"clamp, wide":         {big + "y = torch.clamp(a, 9007199254740995)\n", "[9007199254740995 9007199254740995]", tensor.Int64},
		"clamp above, wide":   {big + "y = torch.clamp_max(torch.add(a, 4), 9007199254740995)\n", "[9007199254740995 9]", tensor.Int64},
		"clamp twice, wide":   {big + "y = torch.clamp(a, 7, 9007199254740993)\n", "[9007199254740993 7]", tensor.Int64},
		"full, wide":          {"y = torch.full([2], 9007199254740993)\n", "[9007199254740993 9007199254740993]", tensor.Int64},
		"full_like, wide":     {big + "y = torch.full_like(a, 9007199254740993)\n", "[9007199254740993 9007199254740993]", tensor.Int64},
		"fill, wide":          {big + "y = torch.fill_(torch.clone(a), -9007199254740993)\n", "[-9007199254740993 -9007199254740993]", tensor.Int64},
		"masked_fill, wide":   {big + "y = torch.masked_fill(a, torch.lt(a, 6), 9007199254740993)\n", "[9007199254740993 9007199254740993]", tensor.Int64},
		"compared, wide":      {big + "y = torch.eq(a, 9007199254740992)\n", "[0 0]", tensor.Bool},
		"nearest, doubled":    {"y = torch.upsample_nearest2d(torch.reshape(torch.arange(11., dtype=6), [1, 1, 1, 11]), None, [1., 2.09])\n", "[0 0 1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8 9 9 10 10]", tensor.Float32},
		"nearest, 1-D":        {"y = torch.upsample_nearest1d(torch.reshape(torch.arange(3., dtype=6), [1, 1, 3]), None, [2.3])\n", "[0 0 0 1 1 2]", tensor.Float32},
		"nearest, 3-D":        {"y = torch.upsample_nearest3d(torch.reshape(torch.arange(3., dtype=6), [1, 1, 1, 1, 3]), None, [1., 1., 2.3])\n", "[0 0 0 1 1 2]", tensor.Float32},
		"nearest of bytes":    {"y = torch.upsample_nearest1d(torch.reshape(torch.to(torch.tensor([7, 250]), 0), [1, 1, 2]), [4], None)\n", "[7 7 250 250]", tensor.Uint8},
		"logaddexp, infinite": {"x = torch.tensor([inf, -inf, 0.])\ny = torch.logaddexp(x, torch.tensor([inf, -inf, -inf]))\n", "[+Inf -Inf 0]", tensor.Float32},
		"addbmm without self": {"x = torch.ones([2, 1, 1], dtype=6)\ny = torch.addbmm(torch.full([1, 1], nan, dtype=6), x, x, beta=0)\n", "[2]", tensor.Float32},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := runArchive(moduleM(c.body + "return y").archive(t))
			if err != nil {
				t.Fatal(err)
			}
			if out[0].DType() != c.dtype {
				t.Errorf("the type is %v, want %v", out[0].DType(), c.dtype)
			}
			if got := elements(out[0]); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// elements formats the elements of a tensor.
func elements(t *tensor.Tensor) string {
	t = t.Contiguous()
	switch t.DType() {
	case tensor.Float32:
		return fmt.Sprint(t.Float32s())
	case tensor.Int64:
		return fmt.Sprint(t.Int64s())
	case tensor.Int32:
		return fmt.Sprint(t.Int32s())
	case tensor.Int8:
		return fmt.Sprint(t.Int8s())
	}
	if t.DType() == tensor.Float64 {
		return fmt.Sprint(tensor.Data[float64](t))
	}
	return fmt.Sprint(t.Bytes())
}

// TestDivideByConstant divides integers by a constant tensor of float64, as a traced model has its numbers: PyTorch's executor takes it
// for a number, which makes float32, but not with a rounding mode.
func TestDivideByConstant(t *testing.T) {
	const constant = "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nDoubleStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQ" +
		"K\x00))\x89ccollections\nOrderedDict\n)RtR\x85."
	for mode, want := range map[string]string{"": "[2 -2.8] float32", ", rounding_mode=\"floor\"": "[2 -3] float64", ", rounding_mode=\"trunc\"": "[2 -2] float64"} {
		m := moduleM("return torch.div(torch.tensor([5, -7]), CONSTANTS.c0" + mode + ")")
		m.Files["constants.pkl"], m.Files["constants/0"] = scriptRecordText(constant), scriptRecordText("\x00\x00\x00\x00\x00\x00\x04\x40") // 2.5
		out, err := runArchive(m.archive(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(elements(out[0]), " ", out[0].DType()); got != want {
			t.Errorf("mode %q: %s, want %s", mode, got, want)
		}
	}
}

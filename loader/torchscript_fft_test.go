//go:build !nopytorch

package loader

import (
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// TestTransformsRefused gives the functions of torch.fft lengths, dimensions and normalizations that PyTorch refuses.
func TestTransformsRefused(t *testing.T) {
	for call, reason := range map[string]string{
		"fft_fft(x, 0)":                               "a transform of 0 values",
		"fft_fft(x, -1)":                              "a transform of -1 values",
		"fft_irfft(x, -1)":                            "a transform of -1 values",
		"fft_ihfft(x, -1)":                            "a transform of -1 values",
		"fft_irfft(torch.slice(x, 1, 0, 1))":          "a transform to 0 values",
		"fft_fft(x, 1048577)":                         "of 1048577 values: at most 1048576 are",
		"fft_rfft(x, 1048577)":                        "of 1048577 values: at most 1048576 are",
		"fft_fft(x, 1099511627776)":                   "of 1099511627776 values",
		"fft_fft(x, 9223372036854775807)":             "of 9223372036854775807 values",
		"fft_irfft(x, 4611686018427387904)":           "of 4611686018427387904 values",
		"fft_fft(x, None, 2)":                         "dimension 2 of a tensor of 2",
		"fft_fft(x, None, -3)":                        "dimension -3 of a tensor of 2",
		"fft_fft(x, None, 9223372036854775807)":       "dimension 9223372036854775807",
		"fft_fft(x, None, -1, \"Ortho\")":             "unknown normalization \"Ortho\"",
		"fft_fftn(x, [0, 3])":                         "a transform of 0 values",
		"fft_fftn(x, [-2, 3])":                        "a transform of -2 values",
		"fft_fftn(x, [1, 2, 3])":                      "3 lengths where the tensor has 2 dimensions",
		"fft_fftn(x, [1], [0, 1])":                    "1 lengths of 2 dimensions",
		"fft_fftn(x, None, [0, -2])":                  "dimension 0 twice",
		"fft_rfftn(x, None, [])":                      "along no dimension",
		"fft_fft2(torch.select(x, 0, 0))":             "dimension -2 of a tensor of 1",
		"fft_rfft(torch.complex(x, x))":               "the numbers are complex",
		"fft_fftshift(x, [5])":                        "dimension 5 of a tensor of 2",
		"_fft_c2c(x, [1], 0, True)":                   "the numbers are real",
		"_fft_c2c(torch.complex(x, x), [1], 3, True)": "normalization 3",
		"_fft_c2r(torch.complex(x, x), [1], 0, -1)":   "a transform of -1 values",
		"_fft_c2r(torch.complex(x, x), [1], 0, 0)":    "a transform of 0 values",
		"_fft_r2c(x, [1, 1], 0, True)":                "dimension 1 twice",
	} {
		reason = reasonHere(call, reason)
		if _, err := runArchive(moduleM("return torch." + call).archive(t)); !isTyped(err) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", call, err, reason)
		}
	}
}

// TestTransformOfNothing transforms along no dimension, which changes nothing; without a word fft2 takes the last two.
func TestTransformOfNothing(t *testing.T) {
	get := func(body string) []float32 {
		y, err := runArchive(moduleM("x = torch.cumsum(torch.add(x, 1), 1)\nreturn torch.real(" + body + ")").archive(t))
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		return y[0].Contiguous().Float32s()
	}
	same := get("torch.complex(x, x)")
	for _, f := range []string{"fft_fft2(x, None, [])", "fft_ifft2(x, None, [])", "fft_fftn(x, None, [])", "fft_ifftn(torch.complex(x, x), None, [])"} {
		if got := get("torch." + f); !slices.Equal(got, same) {
			t.Errorf("%s gives %v, want %v", f, got, same)
		}
	}
	if a, b := get("torch.fft_fft2(x)"), get("torch.fft_fft2(x, None, [-2, -1])"); !slices.Equal(a, b) || slices.Equal(a, same) {
		t.Errorf("fft2 of the last two dimensions gives %v, without a word %v", b, a)
	}
}

// TestComplexOutput returns complex numbers, wherever they stand.
func TestComplexOutput(t *testing.T) {
	for body, want := range map[string]tensor.DType{
		"return torch.complex(x, x)": tensor.Complex64, "return (torch.fft_fft(x), x)": tensor.Complex64, "return [torch.fft_rfft(torch.to(x, 7))]": tensor.Complex128, `return {"y": torch.polar(x, x)}`: tensor.Complex64,
	} {
		out, err := runArchive(moduleM(body).archive(t))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		parts, err := out[0].ViewAsReal()
		if out[0].DType() != want || err != nil || parts.Rank() != out[0].Rank()+1 {
			t.Errorf("%s gives %v, error %v", body, out[0], err)
		}
	}
}

package aten

// aliases are other names of operators, with the same parameters in the same order.
var aliases = map[string]string{
	"aten::less": "aten::lt", "aten::less_equal": "aten::le", "aten::greater": "aten::gt", "aten::greater_equal": "aten::ge", "aten::not_equal": "aten::ne",
	"aten::arctan2": "aten::atan2", "aten::arccosh": "aten::acosh", "aten::arcsinh": "aten::asinh", "aten::arctanh": "aten::atanh",
	"aten::row_stack":            "aten::vstack",
	"aten::_adaptive_avg_pool2d": "aten::adaptive_avg_pool2d", "aten::_adaptive_avg_pool3d": "aten::adaptive_avg_pool3d",
	"aten::native_channel_shuffle": "aten::channel_shuffle",
	"aten::resolve_conj":           "aten::alias", "aten::resolve_neg": "aten::alias", "aten::lift": "aten::alias", "aten::lift_fresh": "aten::alias",
	"aten::conj_physical": "aten::conj", "aten::_conj": "aten::conj", "aten::_conj_physical": "aten::conj",
	"aten::mH":         "aten::adjoint",
	"aten::matrix_exp": "aten::linalg_matrix_exp", "aten::matrix_power": "aten::linalg_matrix_power",
	"aten::unsafe_split_with_sizes": "aten::split_with_sizes",
	"aten::special_expit":           "aten::sigmoid", "aten::special_erf": "aten::erf", "aten::special_erfc": "aten::erfc", "aten::special_exp2": "aten::exp2",
	"aten::special_expm1": "aten::expm1", "aten::special_log1p": "aten::log1p", "aten::special_logit": "aten::logit", "aten::special_xlogy": "aten::xlogy",
	"aten::special_gammaln": "aten::lgamma", "aten::special_digamma": "aten::digamma", "aten::special_psi": "aten::digamma",
	"aten::special_erfinv": "aten::erfinv", "aten::special_gammainc": "aten::igamma", "aten::special_gammaincc": "aten::igammac", "aten::special_i0": "aten::i0", "aten::special_polygamma": "aten::polygamma", "aten::special_multigammaln": "aten::mvlgamma",
	"aten::special_modified_bessel_i0": "aten::i0", "aten::special_modified_bessel_i1": "aten::special_i1",
	"aten::argwhere": "aten::nonzero", "aten::_pdist_forward": "aten::pdist", "aten::_stack": "aten::stack", "aten::_unsafe_index": "aten::index", "aten::_unsafe_index_put": "aten::index_put",
	"aten::special_softmax": "aten::softmax", "aten::special_log_softmax": "aten::log_softmax", "aten::special_logsumexp": "aten::logsumexp", "aten::special_round": "aten::round",
}

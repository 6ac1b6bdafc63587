# __torch__/torch/nn/modules/container/___torch_mangle_5.py
class Sequential(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : NoneType
  __annotations__["0"] = __torch__.torch.ao.nn.quantized.dynamic.modules.linear.Linear
  __annotations__["1"] = __torch__.torch.nn.modules.activation.ReLU
  def forward(self: __torch__.torch.nn.modules.container.___torch_mangle_5.Sequential,
    input: Tensor) -> Tensor:
    _0 = getattr(self, "0")
    _1 = getattr(self, "1")
    input0 = (_0).forward(input, )
    return (_1).forward(input0, )
  def __len__(self: __torch__.torch.nn.modules.container.___torch_mangle_5.Sequential) -> int:
    return 2
# __torch__/torch/ao/nn/quantized/dynamic/modules/linear.py
class Linear(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  in_features : int
  out_features : int
  scale : float
  zero_point : int
  version : int
  _packed_params : __torch__.torch.ao.nn.quantized.modules.linear.___torch_mangle_4.LinearPackedParams
  def forward(self: __torch__.torch.ao.nn.quantized.dynamic.modules.linear.Linear,
    x: Tensor) -> Tensor:
    _0 = "Unsupported dtype on dynamic quantized linear!"
    _1 = uninitialized(Tensor)
    _packed_params = self._packed_params
    dtype = _packed_params.dtype
    if torch.eq(dtype, 12):
      version = self.version
      if torch.lt(version, 4):
        _packed_params0 = self._packed_params
        _packed_params1 = _packed_params0._packed_params
        Y1 = ops.quantized.linear_dynamic(x, _packed_params1)
        Y0 = Y1
      else:
        _packed_params2 = self._packed_params
        _packed_params3 = _packed_params2._packed_params
        Y2 = ops.quantized.linear_dynamic(x, _packed_params3, True)
        Y0 = Y2
      Y = Y0
    else:
      _packed_params4 = self._packed_params
      dtype0 = _packed_params4.dtype
      if torch.eq(dtype0, 5):
        _packed_params5 = self._packed_params
        _packed_params6 = _packed_params5._packed_params
        Y4 = ops.quantized.linear_dynamic_fp16(x, _packed_params6)
        Y3 = Y4
      else:
        ops.prim.RaiseException(_0, "builtins.RuntimeError")
        Y3 = _1
      Y = Y3
    return torch.to(Y, ops.prim.dtype(x))
# __torch__/torch/ao/nn/quantized/modules/linear/___torch_mangle_4.py
class LinearPackedParams(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  dtype : int
  _packed_params : __torch__.torch.classes.quantized.LinearPackedParamsBase
  def forward(self: __torch__.torch.ao.nn.quantized.modules.linear.___torch_mangle_4.LinearPackedParams,
    x: Tensor) -> Tensor:
    return x
  def _weight_bias(self: __torch__.torch.ao.nn.quantized.modules.linear.___torch_mangle_4.LinearPackedParams) -> Tuple[Tensor, Optional[Tensor]]:
    _0 = "Unsupported dtype on dynamic quantized linear!"
    _1 = uninitialized(Tuple[Tensor, Optional[Tensor]])
    dtype = self.dtype
    if torch.eq(dtype, 12):
      _packed_params = self._packed_params
      _3, _4 = ops.quantized.linear_unpack(_packed_params)
      _2 = (_3, _4)
    else:
      dtype0 = self.dtype
      if torch.eq(dtype0, 5):
        _packed_params0 = self._packed_params
        _6, _7 = ops.quantized.linear_unpack_fp16(_packed_params0)
        _5 = (_6, _7)
      else:
        ops.prim.RaiseException(_0, "builtins.RuntimeError")
        _5 = _1
      _2 = _5
    return _2
  def set_weight_bias(self: __torch__.torch.ao.nn.quantized.modules.linear.___torch_mangle_4.LinearPackedParams,
    weight: Tensor,
    bias: Optional[Tensor]) -> NoneType:
    _8 = "Unsupported dtype on dynamic quantized linear!"
    dtype = self.dtype
    if torch.eq(dtype, 12):
      _9 = ops.quantized.linear_prepack(weight, bias)
      self._packed_params = _9
    else:
      dtype1 = self.dtype
      if torch.eq(dtype1, 5):
        _10 = ops.quantized.linear_prepack_fp16(weight, bias)
        self._packed_params = _10
      else:
        ops.prim.RaiseException(_8, "builtins.RuntimeError")
    return None
# __torch__/torch/classes/quantized.py
# __torch__/torch/nn/modules/activation.py
class ReLU(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : NoneType
  inplace : Final[bool] = False
  def forward(self: __torch__.torch.nn.modules.activation.ReLU,
    input: Tensor) -> Tensor:
    _0 = __torch__.torch.nn.functional.relu(input, False, )
    return _0
# __torch__/torch/nn/functional.py
def relu(input: Tensor,
    inplace: bool=False) -> Tensor:
  if inplace:
    result = torch.relu_(input)
  else:
    result = torch.relu(input)
  return result

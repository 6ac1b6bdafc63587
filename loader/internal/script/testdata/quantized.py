# __torch__/torch/fx/graph_module.py
class GraphModule(Module):
  __parameters__ = []
  __buffers__ = ["conv_input_scale_0", "conv_input_zero_point_0", "_scale_0", "_zero_point_0", "_scale_1", "_zero_point_1", "_scale_3", "_zero_point_3", ]
  conv_input_scale_0 : Tensor
  conv_input_zero_point_0 : Tensor
  _scale_0 : Tensor
  _zero_point_0 : Tensor
  _scale_1 : Tensor
  _zero_point_1 : Tensor
  _scale_3 : Tensor
  _zero_point_3 : Tensor
  training : bool
  _is_full_backward_hook : Optional[bool]
  conv : __torch__.torch.ao.nn.quantized.modules.conv.Conv2d
  fc : __torch__.torch.ao.nn.quantized.modules.linear.Linear
  def forward(self: __torch__.torch.fx.graph_module.GraphModule,
    x: Tensor) -> Tensor:
    fc = self.fc
    _zero_point_3 = self._zero_point_3
    _scale_3 = self._scale_3
    _zero_point_0 = self._zero_point_0
    _scale_0 = self._scale_0
    conv = self.conv
    conv_input_zero_point_0 = self.conv_input_zero_point_0
    conv_input_scale_0 = self.conv_input_scale_0
    input = torch.quantize_per_tensor(x, conv_input_scale_0, conv_input_zero_point_0, 13)
    dequantize_1 = torch.dequantize((conv).forward(input, ))
    relu = torch.relu(dequantize_1)
    quantize_per_tensor_2 = torch.quantize_per_tensor(relu, _scale_0, _zero_point_0, 13)
    add_1 = ops.quantized.add(quantize_per_tensor_2, input, 0.012813841924071312, 63)
    cat = torch.cat([add_1, quantize_per_tensor_2], 1)
    dequantize_4 = torch.dequantize(cat)
    _0 = torch.slice(dequantize_4, 0, 0, 9223372036854775807)
    getitem = torch.slice(_0, 1, 0, 2)
    quantize_per_tensor_5 = torch.quantize_per_tensor(getitem, _scale_3, _zero_point_3, 13)
    _1 = torch.mean(quantize_per_tensor_5, [2, 3])
    _2 = torch.dequantize((fc).forward(_1, ))
    return _2
# __torch__/torch/ao/nn/quantized/modules/conv.py
class Conv2d(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  in_channels : int
  out_channels : int
  kernel_size : Tuple[int, int]
  stride : Tuple[int, int]
  padding : Tuple[int, int]
  dilation : Tuple[int, int]
  transposed : bool
  output_padding : Tuple[int, int]
  groups : int
  padding_mode : str
  _packed_params : __torch__.torch.classes.quantized.Conv2dPackedParamsBase
  scale : float
  zero_point : int
  def __getstate__(self: __torch__.torch.ao.nn.quantized.modules.conv.Conv2d) -> Tuple[int, int, Tuple[int, int], Tuple[int, int], Tuple[int, int], Tuple[int, int], bool, Tuple[int, int], int, str, Tensor, Optional[Tensor], float, int, bool]:
    w, b, = (self)._weight_bias()
    in_channels = self.in_channels
    out_channels = self.out_channels
    kernel_size = self.kernel_size
    stride = self.stride
    padding = self.padding
    dilation = self.dilation
    transposed = self.transposed
    output_padding = self.output_padding
    groups = self.groups
    padding_mode = self.padding_mode
    scale = self.scale
    zero_point = self.zero_point
    training = self.training
    _0 = (in_channels, out_channels, kernel_size, stride, padding, dilation, transposed, output_padding, groups, padding_mode, w, b, scale, zero_point, training)
    return _0
  def __setstate__(self: __torch__.torch.ao.nn.quantized.modules.conv.Conv2d,
    state: Tuple[int, int, Tuple[int, int], Tuple[int, int], Tuple[int, int], Tuple[int, int], bool, Tuple[int, int], int, str, Tensor, Optional[Tensor], float, int, bool]) -> NoneType:
    self.in_channels = (state)[0]
    self.out_channels = (state)[1]
    self.kernel_size = (state)[2]
    self.stride = (state)[3]
    self.padding = (state)[4]
    self.dilation = (state)[5]
    self.transposed = (state)[6]
    self.output_padding = (state)[7]
    self.groups = (state)[8]
    self.padding_mode = (state)[9]
    _1 = (self).set_weight_bias((state)[10], (state)[11], )
    self.scale = (state)[12]
    self.zero_point = (state)[13]
    self.training = (state)[14]
    return None
  def _weight_bias(self: __torch__.torch.ao.nn.quantized.modules.conv.Conv2d) -> Tuple[Tensor, Optional[Tensor]]:
    _packed_params = self._packed_params
    return (_packed_params).unpack()
  def set_weight_bias(self: __torch__.torch.ao.nn.quantized.modules.conv.Conv2d,
    w: Tensor,
    b: Optional[Tensor]) -> NoneType:
    padding_mode = self.padding_mode
    if torch.eq(padding_mode, "zeros"):
      stride = self.stride
      padding = self.padding
      dilation = self.dilation
      groups = self.groups
      _2, _3, = stride
      _4 = [_2, _3]
      _5, _6, = padding
      _7 = [_5, _6]
      _8, _9, = dilation
      _10 = ops.quantized.conv2d_prepack(w, b, _4, _7, [_8, _9], groups)
      self._packed_params = _10
    else:
      stride0 = self.stride
      _11 = [0, 0]
      dilation0 = self.dilation
      groups0 = self.groups
      _12, _13, = stride0
      _14 = [_12, _13]
      _15, _16, = dilation0
      _17 = ops.quantized.conv2d_prepack(w, b, _14, _11, [_15, _16], groups0)
      self._packed_params = _17
    return None
  def forward(self: __torch__.torch.ao.nn.quantized.modules.conv.Conv2d,
    input: Tensor) -> Tensor:
    _packed_params = self._packed_params
    conv = ops.quantized.conv2d(input, _packed_params, 0.012999646365642548, 115)
    return conv
# __torch__/torch/ao/nn/quantized/modules/linear.py
class Linear(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  _packed_params : __torch__.torch.ao.nn.quantized.modules.linear.LinearPackedParams
  def forward(self: __torch__.torch.ao.nn.quantized.modules.linear.Linear,
    argument_1: Tensor) -> Tensor:
    _packed_params = self._packed_params
    _packed_params0 = _packed_params._packed_params
    fc = ops.quantized.linear(argument_1, _packed_params0, 0.0036898285616189241, 47)
    return fc
class LinearPackedParams(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  dtype : int
  _packed_params : __torch__.torch.classes.quantized.LinearPackedParamsBase
  def _weight_bias(self: __torch__.torch.ao.nn.quantized.modules.linear.LinearPackedParams) -> Tuple[Tensor, Optional[Tensor]]:
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
        _packed_params1 = self._packed_params
        _6, _7 = ops.quantized.linear_unpack_fp16(_packed_params1)
        _5 = (_6, _7)
      else:
        ops.prim.RaiseException(_0, "builtins.RuntimeError")
        _5 = _1
      _2 = _5
    return _2
  def set_weight_bias(self: __torch__.torch.ao.nn.quantized.modules.linear.LinearPackedParams,
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

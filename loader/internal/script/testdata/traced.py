# __torch__.py
class Traced(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  body : __torch__.torch.nn.modules.container.___torch_mangle_1.Sequential
  depthwise : __torch__.torch.nn.modules.conv.___torch_mangle_2.Conv2d
  fc : __torch__.torch.nn.modules.linear.___torch_mangle_3.Linear
  def forward(self: __torch__.Traced,
    x: Tensor) -> Tensor:
    fc = self.fc
    depthwise = self.depthwise
    body = self.body
    _0 = torch.chunk((body).forward(x, ), 2, 1)
    a, b, = _0
    input = torch.cat([a, b], 1)
    _1 = torch.slice((depthwise).forward(input, ), 0, 0, 9223372036854775807)
    _2 = torch.slice(_1, 1, 0, 9223372036854775807)
    _3 = torch.slice(_2, 2, 0, 9223372036854775807, 2)
    input0 = torch.slice(_3, 3, 0, 9223372036854775807, 2)
    x0 = torch.adaptive_avg_pool2d(input0, [1, 1])
    input1 = torch.flatten(x0, 1)
    _4 = torch.softmax((fc).forward(input1, ), -1)
    _5 = torch.to(CONSTANTS.c0, torch.device("cpu"), 6)
    return torch.mul(_4, torch.detach(_5))
# __torch__/torch/nn/modules/container/___torch_mangle_1.py
class Sequential(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  __annotations__["0"] = __torch__.torch.nn.modules.conv.Conv2d
  __annotations__["1"] = __torch__.torch.nn.modules.batchnorm.BatchNorm2d
  __annotations__["2"] = __torch__.torch.nn.modules.activation.___torch_mangle_0.ReLU
  __annotations__["3"] = __torch__.torch.nn.modules.pooling.MaxPool2d
  def forward(self: __torch__.torch.nn.modules.container.___torch_mangle_1.Sequential,
    x: Tensor) -> Tensor:
    _3 = getattr(self, "3")
    _2 = getattr(self, "2")
    _1 = getattr(self, "1")
    _0 = getattr(self, "0")
    _4 = (_2).forward((_1).forward((_0).forward(x, ), ), )
    return (_3).forward(_4, )
# __torch__/torch/nn/modules/conv.py
class Conv2d(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.torch.nn.modules.conv.Conv2d,
    x: Tensor) -> Tensor:
    weight = self.weight
    input = torch._convolution(x, weight, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, False, False, True, True)
    return input
# __torch__/torch/nn/modules/batchnorm.py
class BatchNorm2d(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = ["running_mean", "running_var", "num_batches_tracked", ]
  weight : Tensor
  bias : Tensor
  running_mean : Tensor
  running_var : Tensor
  num_batches_tracked : Tensor
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.torch.nn.modules.batchnorm.BatchNorm2d,
    argument_1: Tensor) -> Tensor:
    running_var = self.running_var
    running_mean = self.running_mean
    bias = self.bias
    weight = self.weight
    input = torch.batch_norm(argument_1, weight, bias, running_mean, running_var, False, 0.10000000000000001, 1.0000000000000001e-05, True)
    return input
# __torch__/torch/nn/modules/activation/___torch_mangle_0.py
class ReLU(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.torch.nn.modules.activation.___torch_mangle_0.ReLU,
    argument_1: Tensor) -> Tensor:
    return torch.relu_(argument_1)
# __torch__/torch/nn/modules/pooling.py
class MaxPool2d(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.torch.nn.modules.pooling.MaxPool2d,
    argument_1: Tensor) -> Tensor:
    _0 = torch.max_pool2d(argument_1, [2, 2], [2, 2], [0, 0], [1, 1])
    return _0
# __torch__/torch/nn/modules/conv/___torch_mangle_2.py
class Conv2d(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = []
  weight : Tensor
  bias : Tensor
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.torch.nn.modules.conv.___torch_mangle_2.Conv2d,
    input: Tensor) -> Tensor:
    bias = self.bias
    weight = self.weight
    _0 = torch._convolution(input, weight, bias, [1, 1], [0, 0], [1, 1], False, [0, 0], 4, False, False, True, True)
    return _0
# __torch__/torch/nn/modules/linear/___torch_mangle_3.py
class Linear(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = []
  weight : Tensor
  bias : Tensor
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.torch.nn.modules.linear.___torch_mangle_3.Linear,
    input: Tensor) -> Tensor:
    bias = self.bias
    weight = self.weight
    return torch.linear(input, weight, bias)

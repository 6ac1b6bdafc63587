op_version_set = 1
import __torch__.torch.nn.modules.linear
import __torch__.torch.nn.modules.container.___torch_mangle_4
class Net(Module):
  __parameters__ = ["scale", ]
  scale : Tensor
  training : bool
  fc : __torch__.torch.nn.modules.linear.Linear
  __annotations__["0"] = __torch__.torch.nn.modules.container.___torch_mangle_4.Sequential
  def forward(self: __torch__.Net,
    input: Tensor) -> Tensor:
    _0 = torch.addmm(self.fc.bias, input, torch.t(self.fc.weight), beta=1, alpha=1)
    return torch.mul(_0, self.scale)

# __torch__.py
class Constructs(Module):
  __parameters__ = []
  __buffers__ = ["bb", ]
  bb : NoneType
  training : bool
  _is_full_backward_hook : NoneType
  kk : int
  fl : float
  lst : List[int]
  dct : Dict[str, int]
  st : str
  t2 : Optional[Tensor]
  dev : Device
  plain : Tensor
  l : __torch__.torch.nn.modules.container.ModuleList
  d : __torch__.torch.nn.modules.container.ModuleDict
  seq : __torch__.torch.nn.modules.container.Sequential
  layer : __torch__.Layer
  def forward(self: __torch__.Constructs,
    x: Tensor,
    n: int,
    s: str,
    q: Union[int, str],
    lst: List[Tensor],
    anyv: Any) -> Tuple[Tensor, Tensor, Tensor, Tensor, int, Tuple[int, float, str, NoneType], Tuple[Tensor], str, bool, str, int, __torch__.Label, Tensor, Tensor, str, bool, Dict[str, Tensor], float, int, int, Tuple[bool, int, complex, float, float, Optional[Tuple[int, Tuple[()]]], Tensor, Dict[int, int], List[int]]]:
    _0 = uninitialized(Tensor)
    _1 = uninitialized(bool)
    l = self.l
    _00 = getattr(l, "0")
    _10 = getattr(l, "1")
    x0 = (_00).forward(x, )
    x1 = (_10).forward(x0, )
    d = self.d
    a_b = getattr(d, "a-b")
    c = d.c
    x2 = (a_b).forward(x1, )
    x3 = (c).forward(x2, )
    layer = self.layer
    seq = self.seq
    x4 = (layer).forward((seq).forward(x3, ), )
    _2 = __torch__.free(x4, 1.0000000000000001e-05, [1, 2], CONSTANTS.c0, )
    y, dd, = _2
    x5 = x4
    _3 = 0
    _4 = torch.gt(n, 0)
    while _4:
      if torch.eq(_3, 3):
        _5, _6, _7, _8, _9 = True, False, x5, _1, _0
      else:
        if torch.gt(_3, 5):
          _11, _12, _13, _14, _15 = True, True, x5, _1, _0
        else:
          _11, _12, _13, _14, _15 = False, _1, _0, True, torch.add(x5, _3)
        _5, _6, _7, _8, _9 = _11, _12, _13, _14, _15
      if _5:
        _16, _17 = _6, _7
      else:
        _16, _17 = _8, _9
      _18 = torch.add(_3, 1)
      _19 = torch.__and__(torch.lt(_18, n), _16)
      _4, x5, _3 = _19, _17, _18
    n0 = n
    _20 = torch.gt(n, 0)
    while _20:
      n1 = torch.sub(n0, 2)
      _20, n0 = torch.gt(n1, 0), n1
    t2 = self.t2
    if torch.__isnot__(t2, None):
      t = unchecked_cast(Tensor, t2)
      x6 = torch.add(x5, t)
    else:
      x6 = x5
    c0 = __torch__.Counter.__new__(__torch__.Counter)
    _21 = (c0).__init__(3, )
    x7 = __torch__.use_adder(c0, x6, )
    with c0 as cc:
      x8 = torch.add(x7, (cc).inc(1, ))
    _22 = __torch__.torch.autograd.grad_mode.no_grad.__new__(__torch__.torch.autograd.grad_mode.no_grad)
    _23 = (_22).__init__()
    with _22:
      x9 = torch.mul(x8, 2)
    if torch.gt(n0, 0):
      col = __torch__.Color.GREEN
    else:
      col = __torch__.Color.RED
    _24 = isinstance(q, int)
    if _24:
      q0 = unchecked_cast(int, q)
      x10 = torch.add(x9, q0)
    else:
      x10 = x9
    a = annotate(List[int], [])
    for i in range(n0):
      _25 = torch.append(a, torch.mul(i, 2))
    dc = annotate(Dict[int, int], {})
    for i0 in range(n0):
      torch._set_item(dc, i0, i0)
    _26 = torch.slice(torch.select(x10, 0, 0), 0, 1, 2)
    z = torch.slice(torch.unsqueeze(_26, -2), -1, None, None, 2)
    _27 = torch.gt(x10, 0)
    _28 = torch.slice(x10)
    _29 = annotate(List[Optional[Tensor]], [None, _27])
    z2 = torch.index(_28, _29)
    _30 = torch._set_item(lst, 0, x10)
    lst2 = torch.slice(lst, 1, 3)
    _31 = torch.add_(lst2[-1], 1)
    values = annotate(List[float], x10.tolist())
    def __forked_function():
      return __torch__.plus_one(3, )
    fut = fork(__forked_function)
    r = torch.wait(fut)
    f = torch.format("{} and {}", n0, s)
    if torch.gt(n0, 1):
      _32 = torch.lt(n0, 5)
    else:
      _32 = False
    if _32:
      b = True
    else:
      b = torch.__not__(torch.eq(n0, 3))
    _33 = torch.add(9.9999999999999995e-08, torch.floordiv(n0, 2))
    _34 = torch.add(_33, torch.remainder(n0, 3))
    f2 = torch.add(_34, torch.mul(3., n0))
    _35 = torch.__and__(n0, 1)
    _36 = torch.__lshift__(torch.__xor__(n0, 2), 1)
    f3 = torch.__or__(_35, _36)
    d3 = torch.zeros([2, 3], dtype=4, layout=None, device=torch.device("cpu"))
    dev = self.dev
    moved = torch.to(x10, dev, 5)
    print(x10, n0)
    torch.Delete(lst, 0)
    emptyd = annotate(Dict[str, Tensor], {})
    isn = isinstance(anyv, (list, tuple))
    word = torch.upper((torch.split(s, ","))[0])
    const = torch.tensor([1., 2.])
    if torch.gt(n0, 1):
      pick = __torch__.Label.B
    else:
      pick = __torch__.Label.A
    more = (torch.gt(values[0], 2.), -9223372036854775808, 2.5+1.j, nan, -inf, None, const, dc, a)
    _37 = (x10, y, z, z2, 2, (1, 2., "s", None), (x10,), f, b, (col).name, (col).value, pick, d3, moved, word, isn, emptyd, f2, f3, r, more)
    return _37
  def other(self: __torch__.Constructs,
    x: Tensor,
    i: int=-1,
    fl: float=inf,
    b: bool=False) -> int:
    if b:
      ops.prim.RaiseException(torch.format("bad {}", i), "builtins.ValueError")
    else:
      pass
    if torch.lt(i, 3):
      pass
    else:
      ops.prim.RaiseException("AssertionError: assert msg")
    return int(torch.sum(x))
class Scale(Module):
  __parameters__ = ["w", ]
  __buffers__ = ["buf", ]
  w : Tensor
  buf : Tensor
  training : bool
  _is_full_backward_hook : Optional[bool]
  k : int
  def forward(self: __torch__.Scale,
    x: Tensor) -> Tensor:
    k = self.k
    _37 = torch.mul(x, k)
    buf = self.buf
    w = self.w
    return torch.add(_37, torch.mul(buf, w))
class Layer(ModuleInterface):
  def forward(self, x: Tensor) -> Tensor:
    pass
class Label(Enum):
  A = "a"
  B = "b"
def free(x: Tensor,
    s: float=1.0000000000000001e-05,
    o: Optional[List[int]]=None,
    name: str="a\"b\\\n\t\001") -> Tuple[Tensor, Dict[str, int]]:
  d = {"k": 1, name: 2}
  if torch.__isnot__(o, None):
    o0 = unchecked_cast(List[int], o)
    torch._set_item(d, "l", torch.len(o0))
  else:
    pass
  return (torch.mul(x, s), d)
def use_adder(a: __torch__.Adder,
    x: Tensor) -> Tensor:
  return (a).one(1, x, )
class Color(Enum):
  RED = 1
  GREEN = 2
class Counter:
  a : int
  items : List[Optional[int]]
  def __enter__(self: __torch__.Counter) -> __torch__.Counter:
    a = self.a
    self.a = torch.add(a, 1)
    return self
  def __exit__(self: __torch__.Counter,
    t: Any,
    v: Any,
    tb: Any) -> NoneType:
    a = self.a
    self.a = torch.sub(a, 1)
    return None
  def __init__(self: __torch__.Counter,
    a: int) -> NoneType:
    self.a = a
    self.items = annotate(List[Optional[int]], [])
    return None
  def inc(self: __torch__.Counter,
    by: int=1) -> int:
    a = self.a
    self.a = torch.add(a, by)
    return self.a
  def one(self: __torch__.Counter,
    x: int,
    y: Tensor) -> Tensor:
    return torch.add(y, x)
def plus_one(x: int) -> int:
  return torch.add(x, 1)
class Adder(Interface):
  def one(self, x: int, y: Tensor) -> Tensor:
    pass
# __torch__/torch/nn/modules/container.py
class ModuleList(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : NoneType
  __annotations__["0"] = __torch__.Scale
  __annotations__["1"] = __torch__.Scale
  def __len__(self: __torch__.torch.nn.modules.container.ModuleList) -> int:
    return 2
class ModuleDict(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : NoneType
  __annotations__["a-b"] = __torch__.Scale
  c : __torch__.Scale
  def __len__(self: __torch__.torch.nn.modules.container.ModuleDict) -> int:
    return 2
  def __contains__(self: __torch__.torch.nn.modules.container.ModuleDict,
    key: str) -> bool:
    _0 = torch.__contains__(["a-b", "c"], key)
    return _0
class Sequential(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : NoneType
  __annotations__["0"] = __torch__.torch.nn.modules.linear.Linear
  __annotations__["1"] = __torch__.torch.nn.modules.activation.ReLU
  def forward(self: __torch__.torch.nn.modules.container.Sequential,
    input: Tensor) -> Tensor:
    _0 = getattr(self, "0")
    _1 = getattr(self, "1")
    input0 = (_0).forward(input, )
    return (_1).forward(input0, )
  def __len__(self: __torch__.torch.nn.modules.container.Sequential) -> int:
    return 2
# __torch__/torch/nn/modules/linear.py
class Linear(Module):
  __parameters__ = ["weight", "bias", ]
  __buffers__ = []
  weight : Tensor
  bias : Tensor
  training : bool
  _is_full_backward_hook : NoneType
  in_features : Final[int] = 2
  out_features : Final[int] = 2
  def forward(self: __torch__.torch.nn.modules.linear.Linear,
    input: Tensor) -> Tensor:
    weight = self.weight
    bias = self.bias
    return torch.linear(input, weight, bias)
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
# __torch__/torch/autograd/grad_mode.py
class no_grad:
  prev : bool
  def __enter__(self: __torch__.torch.autograd.grad_mode.no_grad) -> NoneType:
    self.prev = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    return None
  def __exit__(self: __torch__.torch.autograd.grad_mode.no_grad,
    exc_type: Any,
    exc_value: Any,
    traceback: Any) -> NoneType:
    prev = self.prev
    torch.set_grad_enabled(prev)
    return None
  def __init__(self: __torch__.torch.autograd.grad_mode.no_grad) -> NoneType:
    self.prev = False
    return None
# __torch__/torch/nn/functional.py
def relu(input: Tensor,
    inplace: bool=False) -> Tensor:
  if inplace:
    result = torch.relu_(input)
  else:
    result = torch.relu(input)
  return result

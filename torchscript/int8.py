def finish(y: Tensor,
    act: int,
    scale: float,
    zero: int) -> Tensor:
  z = y
  if torch.gt(act, 0):
    z = torch.relu(z)
  if torch.eq(act, 2):
    z = torch.clamp_max(z, 6.)
  if torch.gt(scale, 0.):
    z = torch.quantize_per_tensor(z, scale, zero, 13)
  return z
def real(bias: Optional[Tensor],
    unit: Optional[Tensor]) -> Optional[Tensor]:
  b = bias
  if torch.__isnot__(bias, None):
    if torch.__isnot__(unit, None):
      b = torch.to(torch.mul(unchecked_cast(Tensor, bias), unchecked_cast(Tensor, unit)), 6)
  return b
def conv(x: Tensor,
    weight: Tensor,
    bias: Optional[Tensor],
    unit: Optional[Tensor],
    residual: Optional[Tensor],
    stride: List[int],
    padding: List[int],
    dilation: List[int],
    groups: int,
    act: int,
    scale: float,
    zero: int) -> Tensor:
  b = __torch__.octet_int8.real(bias, unit)
  y = torch.convolution(torch.dequantize(x), torch.dequantize(weight), b, stride, padding, dilation, False, [0], groups)
  if torch.__isnot__(residual, None):
    y = torch.add(y, torch.dequantize(unchecked_cast(Tensor, residual)))
  return __torch__.octet_int8.finish(y, act, scale, zero)
def linear(x: Tensor,
    weight: Tensor,
    bias: Optional[Tensor],
    unit: Optional[Tensor],
    residual: Optional[Tensor],
    act: int,
    scale: float,
    zero: int) -> Tensor:
  b = __torch__.octet_int8.real(bias, unit)
  y = torch.linear(torch.dequantize(x), torch.dequantize(weight), b)
  if torch.__isnot__(residual, None):
    y = torch.add(y, torch.dequantize(unchecked_cast(Tensor, residual)))
  return __torch__.octet_int8.finish(y, act, scale, zero)
def dynamic_linear(x: Tensor,
    weight: Tensor,
    bias: Optional[Tensor],
    residual: Optional[Tensor],
    rule: int,
    lo: int,
    hi: int,
    eps: float,
    act: int) -> Tensor:
  if torch.eq(rule, 0):
    least, most = torch.amin(x, [-1], True), torch.amax(x, [-1], True)
  else:
    least, most = torch.amin(x), torch.amax(x)
  low = torch.to(torch.clamp_max(least, 0.), 7)
  span = torch.sub(torch.to(torch.clamp_min(most, 0.), 7), low)
  step = torch.clamp_min(torch.to(torch.div(span, torch.sub(hi, lo)), 6), eps)
  step = torch.masked_fill(step, torch.eq(step, 0), 1)
  zero = torch.sub(lo, torch.clamp(torch.round(torch.div(low, step)), torch.sub(lo, hi), 0))
  q = torch.clamp(torch.add(torch.round(torch.mul(x, torch.reciprocal(step))), zero), lo, hi)
  y = torch.linear(torch.mul(torch.to(torch.sub(q, zero), 6), step), torch.dequantize(weight), bias)
  if torch.__isnot__(residual, None):
    y = torch.add(y, unchecked_cast(Tensor, residual))
  return __torch__.octet_int8.finish(y, act, 0., 0)
def embedding(table: Tensor,
    indices: Tensor) -> Tensor:
  rows = torch.index_select(torch.dequantize(table), 0, torch.flatten(indices))
  return torch.reshape(rows, torch.add(torch.size(indices), torch.slice(torch.size(table), 1)))
def table(x: Tensor,
    values: Tensor,
    scale: float,
    zero: int) -> Tensor:
  i = torch.to(torch.int_repr(x), 4)
  return torch._make_per_tensor_quantized_tensor(torch.index(values, annotate(List[Optional[Tensor]], [i])), scale, zero)
def binary(x: Tensor,
    y: Tensor,
    fn: int,
    act: int,
    scale: float,
    zero: int) -> Tensor:
  a = torch.dequantize(x)
  b = torch.dequantize(y)
  if torch.eq(fn, 0):
    z = torch.add(a, b)
  elif torch.eq(fn, 1):
    z = torch.sub(a, b)
  elif torch.eq(fn, 2):
    z = torch.mul(a, b)
  elif torch.eq(fn, 3):
    z = torch.maximum(a, b)
  else:
    z = torch.minimum(a, b)
  return __torch__.octet_int8.finish(z, act, scale, zero)
def avg_pool(x: Tensor,
    kernel: List[int],
    stride: List[int],
    padding: List[int],
    ceil: bool,
    include: bool,
    divisor: int,
    scale: float,
    zero: int) -> Tensor:
  a = torch.dequantize(x)
  by = annotate(Optional[int], None)
  if torch.ne(divisor, 0):
    by = divisor
  if torch.eq(torch.len(kernel), 1):
    y = torch.avg_pool1d(a, kernel, stride, padding, ceil, include)
  elif torch.eq(torch.len(kernel), 2):
    y = torch.avg_pool2d(a, kernel, stride, padding, ceil, include, by)
  else:
    y = torch.avg_pool3d(a, kernel, stride, padding, ceil, include, by)
  return torch.quantize_per_tensor(y, scale, zero, 13)
def adaptive_avg_pool(x: Tensor,
    size: List[int],
    scale: float,
    zero: int) -> Tensor:
  a = torch.dequantize(x)
  if torch.eq(torch.len(size), 1):
    y = torch.adaptive_avg_pool1d(a, size)
  elif torch.eq(torch.len(size), 2):
    y = torch.adaptive_avg_pool2d(a, size)
  else:
    y = torch.adaptive_avg_pool3d(a, size)
  return torch.quantize_per_tensor(y, scale, zero, 13)
def softmax(x: Tensor,
    axis: int,
    log: bool,
    scale: float,
    zero: int) -> Tensor:
  if log:
    y = torch.log_softmax(torch.dequantize(x), axis)
  else:
    y = torch.softmax(torch.dequantize(x), axis)
  return torch.quantize_per_tensor(y, scale, zero, 13)
def matmul(x: Tensor,
    y: Tensor,
    turn: bool,
    scale: float,
    zero: int) -> Tensor:
  b = torch.dequantize(y)
  if turn:
    b = torch.transpose(b, -2, -1)
  return torch.quantize_per_tensor(torch.matmul(torch.dequantize(x), b), scale, zero, 13)
def attention(q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Optional[Tensor],
    by: float,
    causal: bool,
    heads_last: bool,
    zero_masked: bool,
    scale: float,
    zero: int) -> Tensor:
  a, b, c = torch.dequantize(q), torch.dequantize(k), torch.dequantize(v)
  if heads_last:
    a, b, c = torch.transpose(a, -3, -2), torch.transpose(b, -3, -2), torch.transpose(c, -3, -2)
  f = by
  if torch.eq(by, 0.):
    f = torch.pow(torch.size(a, -1), -0.5)
  s = torch.mul(torch.matmul(a, torch.transpose(b, -2, -1)), f)
  if causal:
    s = torch.masked_fill(s, torch.logical_not(torch.tril(torch.ones_like(s))), -inf)
  if torch.__isnot__(mask, None):
    m = unchecked_cast(Tensor, mask)
    if torch.eq(ops.prim.dtype(m), 11):
      s = torch.masked_fill(s, torch.logical_not(m), -inf)
    else:
      s = torch.add(s, m)
  d = torch.round(torch.mul(torch.sub(s, torch.clamp_min(torch.amax(s, [-1], True), -3.4028234663852886e+38)), 40.90202125247646))
  w = torch.round(torch.mul(torch.exp(torch.mul(torch.clamp_min(d, -255.), 0.024448669512621063)), 255.))
  w = torch.masked_fill(w, torch.le(d, -255.), 0.)
  y = torch.div(torch.matmul(w, c), torch.clamp_min(torch.sum(w, [-1], True), 1.))
  if heads_last:
    y = torch.transpose(y, -3, -2)
  return torch.quantize_per_tensor(y, scale, zero, 13)

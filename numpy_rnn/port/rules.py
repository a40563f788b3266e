"""What torch's functions and methods become: one table for the tool, the guide and the tests.

A rule is a call in torch and its spelling in NumPy, both as Python expressions that share
names. In torch's side a name is a parameter, with a default where one is given, a number
matches itself alone, and ``*sizes`` takes sizes given apart or as one sequence. In NumPy's
side each name becomes what the call passes: ``axis=dim`` is left out where the call does not
pass `dim`, and a `sizes` that came apart becomes a tuple. `DTYPE` becomes the dtype that a new
array must have: the one that is passed, that of the arrays around it, or float32.

A rule for a method holds for torch's function of the same name as well, whose first argument
is the array. Rules are tried in their order.
"""

from __future__ import annotations

from dataclasses import dataclass

ARRAY, INTEGERS, PAIR, ARRAYS, SHAPE, NUMBER, SAME, OTHER = (
    "array",
    "integers",
    "pair",
    "arrays",
    "shape",
    "number",
    "same",
    "other",
)
"""The kinds of results: an array, one of integers, values and indices, a tuple of arrays, a
shape, a number, the receiver's kind, anything else."""


@dataclass(frozen=True)
class Rule:
    """How one call is written.

    Attributes
    ----------
    torch, here : str
        The call and its spelling.
    examples : tuple of str
        Calls that the rule rewrites, on the arrays that the guide names. The first is shown.
    assumes : str
        What must be true for the two to be equal, if they are not always.
    kind : str
        The kind of the result.
    shown : bool
        Whether the guide shows it.
    """

    torch: str
    here: str
    examples: tuple[str, ...]
    assumes: str = ""
    kind: str = ARRAY
    shown: bool = True


def _rule(torch: str, here: str, *examples: str, **options: object) -> Rule:
    return Rule(torch, here, examples, **options)  # type: ignore[arg-type]  # of Rule


MAKE: tuple[Rule, ...] = (
    _rule(
        "torch.zeros(*sizes, dtype=None)",
        "np.zeros(sizes, DTYPE)",
        "torch.zeros(2, 3)",
        "torch.zeros((2, 0))",
        "torch.zeros(5)",
        "torch.zeros(x.shape[0], 2, dtype=torch.int64)",
    ),
    _rule(
        "torch.ones(*sizes, dtype=None)",
        "np.ones(sizes, DTYPE)",
        "torch.ones(2, 3)",
        "torch.ones([2], dtype=torch.bool)",
    ),
    _rule(
        "torch.empty(*sizes, dtype=None)",
        "np.empty(sizes, DTYPE)",
        "torch.empty(2, 0)",
        shown=False,
    ),
    _rule(
        "torch.zeros_like(x, dtype=None)",
        "np.zeros_like(x, dtype=dtype)",
        "torch.zeros_like(x)",
        "torch.zeros_like(x, dtype=torch.long)",
    ),
    _rule(
        "torch.ones_like(x, dtype=None)",
        "np.ones_like(x, dtype=dtype)",
        "torch.ones_like(x)",
        shown=False,
    ),
    _rule(
        "torch.full_like(x, fill_value, dtype=None)",
        "np.full_like(x, fill_value, dtype=dtype)",
        "torch.full_like(x, 0.5)",
        shown=False,
    ),
    _rule(
        "torch.empty_like(x, dtype=None)",
        "np.empty_like(x, dtype=dtype)",
        "torch.empty_like(x[:0])",
        shown=False,
    ),
    _rule(
        "x.new_zeros(*sizes, dtype=None)",
        "np.zeros(sizes, NEW)",
        "x.new_zeros(2, 3)",
        "x.new_zeros((2, 3))",
        "x.new_zeros(x.size(0))",
        "x.new_zeros(2, dtype=torch.bool)",
    ),
    _rule(
        "x.new_ones(*sizes, dtype=None)", "np.ones(sizes, NEW)", "x.new_ones(2)", shown=False
    ),
    _rule(
        "x.new_empty(*sizes, dtype=None)", "np.empty(sizes, NEW)", "x.new_empty(0)", shown=False
    ),
    _rule(
        "x.new_full(size, fill_value, dtype=None)",
        "np.full(size, fill_value, NEW)",
        "x.new_full((2,), 3)",
        shown=False,
    ),
    _rule(
        "x.new_tensor(data, dtype=None)",
        "np.array(data, NEW)",
        "x.new_tensor([1, 2])",
        shown=False,
    ),
    _rule("x.new(*sizes)", "np.empty(sizes, x.dtype)", "x.new(2, 0)", shown=False),
    _rule(
        "torch.full(size, fill_value, dtype=None)",
        "np.full(size, fill_value, LITERAL)",
        "torch.full((2,), 7)",
        "torch.full([2, 1], 0.5)",
        "torch.full((2,), True)",
    ),
    _rule(
        "torch.eye(n, m=None, dtype=None)",
        "np.eye(n, M=m, dtype=DTYPE)",
        "torch.eye(3)",
        "torch.eye(2, 3)",
    ),
    _rule(
        "torch.tensor(data, dtype=None)",
        "np.array(data, LITERAL)",
        "torch.tensor([0.5, 2])",
        "torch.tensor([3, 1])",
        "torch.tensor(True)",
        "torch.tensor([[1, 2]], dtype=torch.float32)",
    ),
    _rule(
        "torch.as_tensor(data, dtype=None)",
        "np.asarray(data, LITERAL)",
        "torch.as_tensor([0.5, 2])",
        shown=False,
    ),
    _rule("torch.from_numpy(array)", "array", "torch.from_numpy(array)"),
    _rule(
        "torch.arange(*bounds, dtype=None)",
        "np.arange(*bounds, dtype=RANGE)",
        "torch.arange(9)",
        "torch.arange(1, 9, 2)",
        "torch.arange(0, 1, 0.25)",
        "torch.arange(3, dtype=torch.float32)",
    ),
    _rule(
        "torch.linspace(start, end, steps, dtype=None)",
        "np.linspace(start, end, steps, dtype=DTYPE)",
        "torch.linspace(0, 1, 5)",
    ),
    _rule(
        "torch.randn(*sizes, dtype=None)",
        "arrays.randn(*sizes, dtype=DTYPE)",
        "torch.randn(2, 3)",
        "torch.randn((2, 9))",
    ),
    _rule(
        "torch.rand(*sizes, dtype=None)", "arrays.rand(*sizes, dtype=DTYPE)", "torch.rand(2, 3)"
    ),
    _rule(
        "torch.randn_like(x)",
        "arrays.randn(x.shape, dtype=x.dtype)",
        "torch.randn_like(x)",
        shown=False,
    ),
    _rule(
        "torch.rand_like(x)",
        "arrays.rand(x.shape, dtype=x.dtype)",
        "torch.rand_like(x)",
        shown=False,
    ),
    _rule(
        "p.multinomial(num_samples, replacement=False)",
        "arrays.multinomial(p, num_samples, replacement=replacement)",
        "torch.multinomial(p, 1)",
        "p.multinomial(3, replacement=True)",
        assumes="other draws than torch's",
        kind=INTEGERS,
    ),
    _rule(
        "torch.FloatTensor(*data)",
        "TENSOR(data, np.float32)",
        "torch.FloatTensor([1, 2])",
        "torch.FloatTensor(2, 0)",
        "torch.FloatTensor(x.tolist())",
    ),
    _rule(
        "torch.Tensor(*data)",
        "TENSOR(data, np.float32)",
        "torch.Tensor([1, 2])",
        "torch.Tensor(2, 0)",
        shown=False,
    ),
    _rule(
        "torch.DoubleTensor(*data)",
        "TENSOR(data, np.float64)",
        "torch.DoubleTensor([1, 2])",
        shown=False,
    ),
    _rule(
        "torch.LongTensor(*data)",
        "TENSOR(data, np.int64)",
        "torch.LongTensor([1, 2])",
        kind=INTEGERS,
    ),
    _rule(
        "torch.IntTensor(*data)",
        "TENSOR(data, np.int32)",
        "torch.IntTensor([1, 2])",
        kind=INTEGERS,
        shown=False,
    ),
    _rule(
        "torch.BoolTensor(*data)",
        "TENSOR(data, np.bool_)",
        "torch.BoolTensor([True])",
        shown=False,
    ),
    _rule(
        "torch.ByteTensor(*data)",
        "TENSOR(data, np.uint8)",
        "torch.ByteTensor([1])",
        shown=False,
    ),
    _rule(
        "torch.tril(x, diagonal=0)",
        "np.tril(x, k=diagonal)",
        "torch.tril(x)",
        "x.tril(diagonal=-1)",
        shown=False,
    ),
    _rule("x.tril(diagonal=0)", "np.tril(x, k=diagonal)", "x.tril(1)", shown=False),
    _rule(
        "x.triu(diagonal=0)", "np.triu(x, k=diagonal)", "torch.triu(x, diagonal=1)", shown=False
    ),
    _rule("x.diag()", "np.diag(x)", "torch.diag(p)", shown=False),
    _rule(
        "torch.randint(high, size)",
        "np.random.default_rng().integers(high, size=size)",
        "torch.randint(5, (2, 3))",
        assumes="other draws than torch's",
        kind=INTEGERS,
        shown=False,
    ),
    _rule(
        "torch.randint(low, high, size)",
        "np.random.default_rng().integers(low, high, size)",
        "torch.randint(1, 5, (2, 3))",
        assumes="other draws than torch's",
        kind=INTEGERS,
        shown=False,
    ),
    _rule(
        "torch.hann_window(n, dtype=None)",
        "np.hanning(n + 1)[:-1].astype(DTYPE)",
        "torch.hann_window(8)",
        shown=False,
    ),
    _rule(
        "torch.meshgrid(*tensors, indexing='ij')",
        "np.meshgrid(*tensors, indexing='ij')",
        "torch.meshgrid(p, p, indexing='ij')",
        kind=ARRAYS,
        shown=False,
    ),
)

CONVERT: tuple[Rule, ...] = (
    _rule("x.long()", "x.astype(np.int64)", "x.long()", kind=INTEGERS),
    _rule("x.int()", "x.astype(np.int32)", "x.int()", kind=INTEGERS, shown=False),
    _rule("x.float()", "x.astype(np.float32)", "index.float()"),
    _rule("x.double()", "x.astype(np.float64)", "x.double()", shown=False),
    _rule("x.bool()", "x.astype(np.bool_)", "index.bool()", shown=False),
    _rule("x.byte()", "x.astype(np.uint8)", "index.byte()", shown=False),
    _rule(
        "x.type(dtype)",
        "x.astype(dtype)",
        "x.type(torch.float64)",
        "x.type(torch.LongTensor)",
        "x.type(y.dtype)",
    ),
    _rule("x.type_as(other)", "x.astype(other.dtype)", "index.type_as(x)"),
    _rule(
        "x.to(dtype=DTYPE_ONLY)",
        "x.astype(dtype)",
        "x.to(torch.float64)",
        "x.to(dtype=y.dtype)",
        shown=False,
    ),
    _rule("x.clone()", "x.copy()", "x.clone()"),
    _rule("x.detach()", "x", "x.detach()", kind=SAME),
    _rule("x.contiguous()", "x", "x.contiguous()", kind=SAME, shown=False),
    _rule("x.cpu()", "x", "x.cpu()", kind=SAME, shown=False),
    _rule("x.cuda(*device)", "x", kind=SAME, shown=False),
    _rule("x.numpy()", "x", "x.numpy()", shown=False),
    _rule("x.detach_()", "x", kind=SAME, shown=False),
    _rule("x.pin_memory()", "x", kind=SAME, shown=False),
    _rule("x.requires_grad_(*flag)", "x", kind=SAME, shown=False),
    _rule("torch.autograd.Variable(x)", "x", kind=SAME, shown=False),
    _rule("torch.jit.annotate(type, x)", "x", kind=SAME, shown=False),
    _rule("torch.jit.script(x)", "x", kind=SAME, shown=False),
    _rule("torch.compile(x)", "x", kind=SAME, shown=False),
    _rule("torch.nn.DataParallel(x)", "x", kind=SAME, shown=False),
    _rule("x.item()", "x.item()", "x[0, 0, 0].item()", kind=NUMBER),
    _rule("x.tolist()", "x.tolist()", "x.tolist()", kind=OTHER, shown=False),
    _rule(
        "torch.is_tensor(x)",
        "isinstance(x, np.ndarray)",
        "torch.is_tensor(3)",
        kind=OTHER,
        shown=False,
    ),
    _rule("torch.cuda.is_available()", "False", kind=OTHER, shown=False),
    _rule("torch.device(*name)", '"cpu"', kind=OTHER, shown=False),
    _rule("torch.save(obj, f)", "nn.save(obj, f)", kind=OTHER, shown=False),
    _rule("torch.manual_seed(seed)", "nn.manual_seed(seed)", kind=OTHER, shown=False),
    _rule("torch.load(f)", "nn.load(f)", kind=OTHER, shown=False),
)

SHAPES: tuple[Rule, ...] = (
    _rule(
        "x.size(dim)", "x.shape[dim]", "x.size(0)", "x.size(-1)", "x.size(dim=1)", kind=NUMBER
    ),
    _rule("x.size()", "x.shape", "x.size()", kind=SHAPE),
    _rule("x.dim()", "x.ndim", "x.dim()", kind=NUMBER),
    _rule("x.ndimension()", "x.ndim", "x.ndimension()", kind=NUMBER, shown=False),
    _rule("x.numel()", "x.size", "x.numel()", kind=NUMBER),
    _rule("x.nelement()", "x.size", "x.nelement()", kind=NUMBER, shown=False),
    _rule("x.view(dtype=DTYPE_ONLY)", "x.view(dtype)", "x.view(torch.int32)", shown=False),
    _rule(
        "x.view(*shape)", "x.reshape(*shape)", "x.view(2, -1)", "x.view(x.size())", "x.view(-1)"
    ),
    _rule("x.view_as(other)", "x.reshape(other.shape)", "x.view_as(y)", shown=False),
    _rule(
        "x.reshape(*shape)",
        "x.reshape(*shape)",
        "torch.reshape(x, (2, 12))",
        "x.reshape(24)",
        shown=False,
    ),
    _rule("x.reshape_as(other)", "x.reshape(other.shape)", "x.reshape_as(y)", shown=False),
    _rule("x.flatten()", "x.reshape(-1)", "x.flatten()", "torch.flatten(x)"),
    _rule(
        "x.flatten(start_dim=0, end_dim=-1)",
        "arrays.flatten(x, start_dim, end_dim=end_dim)",
        "x.flatten(1)",
        "torch.flatten(x, 0, 1)",
        "x.flatten(start_dim=1)",
        "x.flatten(end_dim=1)",
    ),
    _rule("x.ravel()", "x.ravel()", "x.ravel()", shown=False),
    _rule("x.unsqueeze(0)", "x[None]", "x.unsqueeze(0)"),
    _rule("x.unsqueeze(1)", "x[:, None]", "x.unsqueeze(1)", "torch.unsqueeze(x, 1)"),
    _rule("x.unsqueeze(2)", "x[:, :, None]", "x.unsqueeze(2)", shown=False),
    _rule("x.unsqueeze(-1)", "x[..., None]", "x.unsqueeze(-1)"),
    _rule("x.unsqueeze(-2)", "x[..., None, :]", "x.unsqueeze(dim=-2)", shown=False),
    _rule("x.unsqueeze(dim)", "np.expand_dims(x, dim)", "x.unsqueeze(3)", "x.unsqueeze(-3)"),
    _rule(
        "x.squeeze(dim=None)",
        "x.squeeze(axis=dim)",
        "x[:1].squeeze(0)",
        "x.squeeze()",
        "torch.squeeze(x[..., :1], dim=-1)",
        assumes="that axis has length 1",
    ),
    _rule(
        "x.transpose(dim0, dim1)",
        "x.swapaxes(dim0, dim1)",
        "x.transpose(1, 2)",
        "torch.transpose(x, 0, -1)",
    ),
    _rule("x.t()", "x.T", "x[0].t()", "p.t()"),
    _rule(
        "x.permute(*dims)",
        "x.transpose(*dims)",
        "x.permute(2, 0, 1)",
        "torch.permute(x, (0, 2, 1))",
    ),
    _rule(
        "x.movedim(source, destination)",
        "np.moveaxis(x, source, destination)",
        "x.movedim(0, 2)",
        shown=False,
    ),
    _rule(
        "x.repeat(*sizes)",
        "np.tile(x, sizes)",
        "x.repeat(1, 5, 1)",
        "x.repeat(2, 1, 1, 3)",
        "p.repeat(2)",
    ),
    _rule(
        "x.tile(*sizes)", "np.tile(x, sizes)", "x.tile(5)", "torch.tile(x, (1, 2))", shown=False
    ),
    _rule(
        "x.repeat_interleave(repeats, dim=None)",
        "x.repeat(repeats, axis=dim)",
        "x.repeat_interleave(5, dim=0)",
        "torch.repeat_interleave(x, 2, dim=1)",
    ),
    _rule(
        "x.expand(*sizes)",
        "arrays.expand(x, *sizes)",
        "x[:1].expand(5, -1, -1)",
        "x[0].expand((2, 3, 4))",
    ),
    _rule("x.expand_as(other)", "np.broadcast_to(x, other.shape)", "x[:1].expand_as(y)"),
    _rule(
        "torch.broadcast_to(x, shape)",
        "np.broadcast_to(x, shape)",
        "torch.broadcast_to(x[:1], (2, 3, 4))",
        shown=False,
    ),
    _rule(
        "x.unfold(dimension, size, step)",
        "arrays.unfold(x, dimension, size, step)",
        "x.unfold(2, 3, 1)",
        "x.unfold(-1, 2, 2)",
    ),
)

JOIN: tuple[Rule, ...] = (
    _rule(
        "torch.cat(tensors, dim=0)",
        "np.concatenate(tensors, axis=dim)",
        "torch.cat([x, y], dim=-1)",
        "torch.cat((x, y))",
        "torch.cat([x, y], 1)",
    ),
    _rule(
        "torch.concat(tensors, dim=0)",
        "np.concatenate(tensors, axis=dim)",
        "torch.concat([x, y], dim=-1)",
        shown=False,
    ),
    _rule("torch.hstack(tensors)", "np.hstack(tensors)", "torch.hstack([x, y])", shown=False),
    _rule("torch.vstack(tensors)", "np.vstack(tensors)", "torch.vstack([x, y])", shown=False),
    _rule(
        "torch.stack(tensors, dim=0)",
        "np.stack(tensors, axis=dim)",
        "torch.stack([x, y], dim=1)",
        "torch.stack((x, y))",
    ),
    _rule(
        "x.split(split_size, dim=0)",
        "arrays.split(x, split_size, dim=dim)",
        "x.split(2, dim=1)",
        "torch.split(x, [1, 2], dim=1)",
        "x.split(1)",
        kind=ARRAYS,
    ),
    _rule(
        "x.chunk(chunks, dim=0)",
        "arrays.chunk(x, chunks, dim=dim)",
        "x.chunk(2, dim=2)",
        "torch.chunk(x, 2, 1)",
        kind=ARRAYS,
    ),
    _rule("x.unbind(0)", "tuple(x)", "x.unbind(0)", kind=ARRAYS),
    _rule(
        "x.unbind(dim=0)",
        "tuple(np.moveaxis(x, dim, 0))",
        "x.unbind(dim=1)",
        "torch.unbind(x)",
        kind=ARRAYS,
    ),
    _rule("x.select(dim, index)", "x.take(index, axis=dim)", "x.select(1, 0)", shown=False),
    _rule(
        "x.narrow(dim, start, length)",
        "arrays.narrow(x, dim, start, length)",
        "x.narrow(1, 0, 2)",
    ),
    _rule(
        "x.index_select(dim, index)",
        "x.take(index, axis=dim)",
        "x.index_select(1, lengths[2:])",
        "torch.index_select(x, 0, lengths[2:])",
    ),
    _rule(
        "x.take_along_dim(index, dim)",
        "np.take_along_axis(x, index, dim)",
        "x.take_along_dim(index, dim=2)",
        shown=False,
    ),
    _rule(
        "x.gather(dim, index)",
        "arrays.gather(x, dim, index)",
        "x.gather(2, index)",
        "torch.gather(x, -1, index[:1, :2])",
    ),
    _rule(
        "x.scatter(dim, index, src)",
        "arrays.scatter(x, dim, index, src)",
        "x.scatter(2, index[..., :1], y)",
        "x.scatter(2, index, 0.5)",
    ),
    _rule(
        "x.flip(*dims)",
        "np.flip(x, dims)",
        "x.flip(1)",
        "torch.flip(x, [0, 2])",
        "x.flip(0, 1)",
    ),
    _rule(
        "x.roll(shifts, dims=None)",
        "np.roll(x, shifts, axis=dims)",
        "x.roll(1, dims=2)",
        "torch.roll(x, 2, 0)",
    ),
    _rule(
        "x.nonzero()", "np.argwhere(x)", "x.nonzero()", "torch.nonzero(index)", kind=INTEGERS
    ),
    _rule(
        "x.nonzero(as_tuple=True)",
        "np.nonzero(x)",
        "x.nonzero(as_tuple=True)",
        kind=ARRAYS,
        shown=False,
    ),
    _rule("x.masked_select(mask)", "x[mask]", "x.masked_select(x > 0)", shown=False),
    _rule("x.unique()", "np.unique(x)", "index.unique()", kind=ARRAY, shown=False),
)

SUMS: tuple[Rule, ...] = (
    _rule(
        "x.sum(dim=None, keepdim=False, dtype=None)",
        "x.sum(axis=dim, keepdims=keepdim, dtype=dtype)",
        "x.sum(dim=1, keepdim=True)",
        "torch.sum(x)",
        "x.sum(-1)",
        "x.sum((0, 1))",
        "x.sum(1, True)",
    ),
    _rule(
        "x.mean(dim=None, keepdim=False)",
        "x.mean(axis=dim, keepdims=keepdim)",
        "x.mean(dim=1)",
        "torch.mean(x)",
        "x.mean([0, 2])",
        "x.mean(-1, keepdim=True)",
    ),
    _rule(
        "x.prod(dim=None, keepdim=False)",
        "x.prod(axis=dim, keepdims=keepdim)",
        "x.prod(dim=1)",
        shown=False,
    ),
    _rule(
        "x.std(dim=None, unbiased=True, keepdim=False)",
        "x.std(axis=dim, ddof=1, keepdims=keepdim)",
        "x.std(dim=1)",
        "torch.std(x)",
        assumes="more than one element",
    ),
    _rule(
        "x.var(dim=None, unbiased=True, keepdim=False)",
        "x.var(axis=dim, ddof=1, keepdims=keepdim)",
        "x.var(dim=1)",
        assumes="more than one element",
        shown=False,
    ),
    _rule(
        "x.std(dim=None, unbiased=False, keepdim=False)",
        "x.std(axis=dim, keepdims=keepdim)",
        "x.std(dim=1, unbiased=False)",
        shown=False,
    ),
    _rule(
        "x.var(dim=None, unbiased=False, keepdim=False)",
        "x.var(axis=dim, keepdims=keepdim)",
        "x.var(dim=1, unbiased=False)",
        shown=False,
    ),
    _rule("x.norm()", "np.linalg.norm(x)", "torch.norm(x)", shown=False),
    _rule(
        "x.norm(p=2, dim=None, keepdim=False)",
        "np.linalg.norm(x, axis=dim, keepdims=keepdim)",
        "x.norm(dim=-1)",
        "torch.norm(x, dim=1, keepdim=True)",
        "x.norm(2, -1)",
        "x.norm(p=2, dim=1)",
    ),
    _rule(
        "x.norm(p, dim, keepdim=False)",
        "np.linalg.norm(x, p, axis=dim, keepdims=keepdim)",
        "x.norm(1, -1)",
        shown=False,
    ),
    _rule(
        "torch.linalg.norm(x, dim=None, keepdim=False)",
        "np.linalg.norm(x, axis=dim, keepdims=keepdim)",
        "torch.linalg.norm(x, dim=-1)",
        shown=False,
    ),
    _rule("x.cumsum(dim)", "x.cumsum(axis=dim)", "x.cumsum(dim=1)", "torch.cumsum(x, 0)"),
    _rule("x.cumprod(dim)", "x.cumprod(axis=dim)", "x.cumprod(dim=1)", shown=False),
    _rule(
        "x.logsumexp(dim, keepdim=False)",
        "np.logaddexp.reduce(x, axis=dim, keepdims=keepdim)",
        "x.logsumexp(1)",
        "torch.logsumexp(x, dim=-1)",
    ),
    _rule("x.max()", "x.max()", "x.max()", "torch.max(x)", shown=False),
    _rule(
        "x.max(dim, keepdim=False)",
        "arrays.max(x, dim, keepdim=keepdim)",
        "x.max(dim=1)",
        "torch.max(x, -1, keepdim=True)",
        kind=PAIR,
    ),
    _rule("x.min()", "x.min()", "x.min()", "torch.min(x)", shown=False),
    _rule(
        "x.min(dim, keepdim=False)",
        "arrays.min(x, dim, keepdim=keepdim)",
        "x.min(dim=1)",
        kind=PAIR,
        shown=False,
    ),
    _rule(
        "x.amax(dim, keepdim=False)",
        "x.max(axis=dim, keepdims=keepdim)",
        "x.amax(1)",
        shown=False,
    ),
    _rule(
        "x.amin(dim, keepdim=False)",
        "x.min(axis=dim, keepdims=keepdim)",
        "x.amin(1)",
        shown=False,
    ),
    _rule(
        "x.argmax(dim=None, keepdim=False)",
        "x.argmax(axis=dim, keepdims=keepdim)",
        "x.argmax(dim=1)",
        "torch.argmax(x, -1, True)",
        "x.argmax()",
        kind=INTEGERS,
    ),
    _rule(
        "x.argmin(dim=None, keepdim=False)",
        "x.argmin(axis=dim, keepdims=keepdim)",
        "x.argmin(dim=1)",
        kind=INTEGERS,
        shown=False,
    ),
    _rule(
        "x.argsort(dim=-1, descending=False)",
        "arrays.sort(x, dim=dim, descending=descending).indices",
        "x.argsort()",
        "torch.argsort(x, dim=1, descending=True)",
        kind=INTEGERS,
    ),
    _rule(
        "x.sort(dim=-1, descending=False)",
        "arrays.sort(x, dim=dim, descending=descending)",
        "x.sort(dim=1)",
        "torch.sort(x, 0, descending=True)",
        "lengths.sort(descending=True)",
        kind=PAIR,
    ),
    _rule(
        "x.topk(k, dim=-1, largest=True)",
        "arrays.topk(x, k, dim=dim, largest=largest)",
        "x.topk(2)",
        "torch.topk(x, 2, dim=1)",
        "x.topk(1, largest=False)",
        kind=PAIR,
    ),
    _rule(
        "x.any(dim=None, keepdim=False)",
        "x.any(axis=dim, keepdims=keepdim)",
        "(x > 0).any(dim=1)",
        "torch.any(x > 0)",
        shown=False,
    ),
    _rule(
        "x.all(dim=None, keepdim=False)",
        "x.all(axis=dim, keepdims=keepdim)",
        "(x > 0).all(1)",
        "torch.all(x > 0)",
        shown=False,
    ),
    _rule(
        "x.equal(other)",
        "np.array_equal(x, other)",
        "torch.equal(x, y)",
        kind=OTHER,
        shown=False,
    ),
)

ELEMENTS: tuple[Rule, ...] = (
    _rule(
        "x.masked_fill(mask, value)",
        "arrays.masked_fill(x, mask, value)",
        "x.masked_fill(x > 0, -1)",
        "x.masked_fill(x > 0, float('-inf'))",
        "torch.masked_fill(x, x > 0, 0.5)",
        "index.masked_fill(x > 0, 0)",
    ),
    _rule(
        "torch.where(condition, x, y)",
        "np.where(condition, x, y)",
        "torch.where(x > 0, x, y)",
        "torch.where(x > 0, x, 0)",
    ),
    _rule(
        "torch.where(condition)",
        "np.nonzero(condition)",
        "torch.where(x > 0)",
        kind=ARRAYS,
        shown=False,
    ),
    _rule(
        "x.clamp(min=None, max=None)",
        "x.clip(min, max)",
        "x.clamp(min=0)",
        "x.clamp(-0.5, 0.5)",
        "torch.clamp(x, max=1)",
        "index.clamp(0, 2)",
    ),
    _rule("x.clip(min=None, max=None)", "x.clip(min, max)", "x.clip(0, 1)", shown=False),
    _rule("x.clamp_min(min)", "x.clip(min)", "x.clamp_min(0)", shown=False),
    _rule("x.sigmoid()", "F.sigmoid(x)", "x.sigmoid()", "torch.sigmoid(x)"),
    _rule("x.tanh()", "F.tanh(x)", "torch.tanh(x)", "x.tanh()"),
    _rule("x.relu()", "F.relu(x)", "torch.relu(x)", "x.relu()"),
    _rule(
        "x.softmax(dim, dtype=None)",
        "F.softmax(x, dim)",
        "x.softmax(dim=-1)",
        "torch.softmax(x, 1)",
    ),
    _rule(
        "x.log_softmax(dim, dtype=None)",
        "F.log_softmax(x, dim)",
        "x.log_softmax(dim=-1)",
        shown=False,
    ),
    _rule("torch.nn.functional.relu_(x)", "F.relu(x)", shown=False),
    *(
        _rule(
            f"x.{name}()",
            f"np.{name}(x)",
            f"x.{name}()",
            f"torch.{name}(x)",
            shown=name in ("exp", "abs"),
        )
        for name in (
            "exp",
            "abs",
            "log1p",
            "expm1",
            "sin",
            "cos",
            "tan",
            "sinh",
            "cosh",
            "floor",
            "ceil",
            "sign",
            "isnan",
            "isinf",
            "isfinite",
            "square",
            "exp2",
        )
    ),
    *(
        _rule(
            f"x.{name}()",
            f"np.{name}(x)",
            f"x.abs().{name}()",
            f"torch.{name}(x.abs())",
            shown=False,
        )
        for name in ("sqrt", "log", "log2", "log10")
    ),
    _rule("x.absolute()", "np.abs(x)", "x.absolute()", shown=False),
    _rule("x.round()", "np.round(x)", "x.round()", shown=False),
    _rule("x.rsqrt()", "1 / np.sqrt(x)", "x.abs().rsqrt()", shown=False),
    _rule("x.reciprocal()", "1 / x", "x.reciprocal()", shown=False),
    _rule("x.neg()", "-x", "x.neg()", shown=False),
    _rule("torch.atan2(x, y)", "np.arctan2(x, y)", "torch.atan2(x, y)", shown=False),
    _rule("torch.maximum(x, y)", "np.maximum(x, y)", "torch.maximum(x, y)", shown=False),
    _rule("torch.minimum(x, y)", "np.minimum(x, y)", "torch.minimum(x, y)", shown=False),
    *(
        _rule(
            f"x.{name}(other)",
            f"x {operator} other",
            f"x.{name}(y)",
            f"torch.{name}(x, y)",
            f"x.{name}(2)",
            shown=name in ("eq", "mul"),
        )
        for name, operator in [
            ("add", "+"),
            ("sub", "-"),
            ("mul", "*"),
            ("div", "/"),
            ("eq", "=="),
            ("ne", "!="),
            ("gt", ">"),
            ("ge", ">="),
            ("lt", "<"),
            ("le", "<="),
            ("pow", "**"),
            ("fmod", "%"),
        ]
        if name not in ("fmod", "pow")
    ),
    _rule(
        "x.div(other, rounding_mode='floor')",
        "x // other",
        "torch.div(x, 2, rounding_mode='floor')",
        shown=False,
    ),
    _rule("x.floor_divide(other)", "x // other", "index.floor_divide(2)", shown=False),
    _rule("x.remainder(other)", "x % other", "index.remainder(2)", shown=False),
    _rule(
        "torch.allclose(x, y)",
        "np.allclose(x, y)",
        "torch.allclose(x, y)",
        kind=OTHER,
        shown=False,
    ),
    _rule("x.add(other, alpha=1)", "x + alpha * other", "x.add(y, alpha=2)", shown=False),
    _rule("x.pow(exponent)", "x**exponent", "x.pow(2)", "torch.pow(x, 3)"),
    _rule("x.logical_not()", "~x", "(x > 0).logical_not()", assumes="x is bool", shown=False),
    _rule(
        "x.logical_and(other)",
        "np.logical_and(x, other)",
        "torch.logical_and(x > 0, y > 0)",
        shown=False,
    ),
    _rule(
        "x.logical_or(other)",
        "np.logical_or(x, other)",
        "torch.logical_or(x > 0, y > 0)",
        shown=False,
    ),
    _rule("x.bitwise_not()", "~x", "(x > 0).bitwise_not()", shown=False),
    _rule("x.lerp(end, weight)", "x + weight * (end - x)", "x.lerp(y, 0.5)", shown=False),
)

PRODUCTS: tuple[Rule, ...] = (
    _rule(
        "x.matmul(other)",
        "x @ other",
        "torch.matmul(x, x[0].t())",
        "x.matmul(y.transpose(1, 2))",
    ),
    _rule("x.bmm(other)", "x @ other", "torch.bmm(x, y.transpose(1, 2))"),
    _rule("x.mm(other)", "x @ other", "torch.mm(x[0], y[0].t())", shown=False),
    _rule("x.mv(other)", "x @ other", "x[0].mv(y[0, 0])", shown=False),
    _rule("x.dot(other)", "x @ other", "torch.dot(p, p)", shown=False),
    _rule("x.ger(other)", "np.outer(x, other)", "p.ger(p)", shown=False),
    _rule("x.outer(other)", "np.outer(x, other)", "torch.outer(p, p)", shown=False),
    _rule(
        "x.addmm(a, b)", "x + a @ b", "torch.addmm(x[0, :, :3], x[0], y[0].t())", shown=False
    ),
    _rule(
        "x.baddbmm(a, b)",
        "x + a @ b",
        "torch.baddbmm(x[:, :, :3], x, y.transpose(1, 2))",
        shown=False,
    ),
    _rule(
        "torch.einsum(equation, *operands)",
        "np.einsum(equation, *operands)",
        'torch.einsum("bld,bmd->blm", x, y)',
    ),
)

SECTIONS: dict[str, tuple[Rule, ...]] = {
    "make": MAKE,
    "convert": CONVERT,
    "shapes": SHAPES,
    "join and take apart": JOIN,
    "sums and order": SUMS,
    "elements": ELEMENTS,
    "products": PRODUCTS,
}
"""The table, in the parts that the guide shows."""

RULES: tuple[Rule, ...] = tuple(rule for rules in SECTIONS.values() for rule in rules)

IN_PLACE = {
    "zero_()": "x[...] = 0",
    "fill_(value)": "x[...] = value",
    "copy_(other)": "x[...] = other",
    "masked_fill_(mask, value)": "x[...] = arrays.masked_fill(x, mask, value)",
    "add_(other)": "x += other",
    "sub_(other)": "x -= other",
    "mul_(other)": "x *= other",
    "div_(other)": "x /= other",
    "clamp_(min=None, max=None)": "np.clip(x, min, max, out=x)",
    "relu_()": "np.maximum(x, 0, out=x)",
    "tanh_()": "np.tanh(x, out=x)",
    "sigmoid_()": "x[...] = F.sigmoid(x)",
    "exp_()": "np.exp(x, out=x)",
    "scatter_(dim, index, src)": "x[...] = arrays.scatter(x, dim, index, src)",
    "uniform_(low=0.0, high=1.0)": "x[...] = low + (high - low) * arrays.rand(x.shape, "
    "dtype=x.dtype)",
    "normal_(mean=0.0, std=1.0)": "x[...] = mean + std * arrays.randn(x.shape, dtype=x.dtype)",
}
"""What methods that change a tensor become as statements."""

NAMES = {
    "torch.Tensor": "np.ndarray",
    "torch.FloatTensor": "np.float32",
    "torch.DoubleTensor": "np.float64",
    "torch.LongTensor": "np.int64",
    "torch.IntTensor": "np.int32",
    "torch.BoolTensor": "np.bool_",
    "torch.ByteTensor": "np.uint8",
    "torch.cuda.FloatTensor": "np.float32",
    "torch.cuda.LongTensor": "np.int64",
    "torch.float": "np.float32",
    "torch.float32": "np.float32",
    "torch.double": "np.float64",
    "torch.float64": "np.float64",
    "torch.half": "np.float16",
    "torch.float16": "np.float16",
    "torch.long": "np.int64",
    "torch.int64": "np.int64",
    "torch.int": "np.int32",
    "torch.int32": "np.int32",
    "torch.int16": "np.int16",
    "torch.int8": "np.int8",
    "torch.uint8": "np.uint8",
    "torch.bool": "np.bool_",
    "torch.pi": "np.pi",
    "torch.inf": "np.inf",
    "torch.nan": "np.nan",
    "torch.Size": "tuple",
    "torch.dtype": "np.dtype",
    "torch.device": "str",
}
"""What torch's names become where they are not called."""

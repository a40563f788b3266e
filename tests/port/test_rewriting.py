"""Source that uses torch, rewritten: what changes, what stays, what is left and why."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest
import torch

from numpy_rnn.port import port
from numpy_rnn.testing import assert_parity

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"


def rewritten(body: str, head: str = HEAD) -> str:
    """Return what a body becomes after `HEAD`, without the imports; nothing is left."""
    result = port(head + textwrap.dedent(body))
    assert result.left == []
    lines = result.source.splitlines()
    return "\n".join(line for line in lines if "import" not in line).strip()


def left(body: str) -> list[tuple[int, str]]:
    result = port(HEAD + textwrap.dedent(body))
    return [(entry.line, entry.reason) for entry in result.left]


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ("import torch\nimport torch.nn as nn\n", ["import numpy_rnn as nn"]),
        ("from torch import nn\n", ["import numpy_rnn as nn"]),
        ("from torch import nn as layers\n", ["import numpy_rnn as layers"]),
        ("import torch.nn.functional as F\n", ["from numpy_rnn import functional as F"]),
        ("from torch.nn import functional as F\n", ["from numpy_rnn import functional as F"]),
        (
            "from torch.nn import LSTM, Linear as L\n",
            ["from numpy_rnn import LSTM, Linear as L"],
        ),
        ("from torch.nn.parameter import Parameter\n", ["from numpy_rnn import Parameter"]),
        (
            "from torch.nn.utils.rnn import pad_packed_sequence\n",
            ["from numpy_rnn.utils.rnn import pad_packed_sequence"],
        ),
        ("from torch import Tensor, optim\nfrom torch.autograd import Variable\n", []),
        (
            "from torch.distributions import Categorical\n",
            ["from numpy_rnn.distributions import Categorical"],
        ),
        ("import os\nimport torch  # the framework\n", ["import os"]),
    ],
)
def test_port_imports_become_those_of_numpy_rnn(imports, expected):
    result = port(imports)
    assert [line for line in result.source.splitlines() if line.strip()] == expected
    assert result.left == []


def test_port_adds_the_imports_that_its_rules_need_after_docstring_and_future():
    source = '"""A model."""\n\nfrom __future__ import annotations\n\nimport torch\n\n'
    source += "def f(x: torch.Tensor):\n"
    source += "    return torch.nn.GRU(1, 2), x.sort(), torch.tanh(x).size()\n"
    assert port(source).source.splitlines()[:8] == [
        '"""A model."""',
        "",
        "from __future__ import annotations",
        "",
        "import numpy as np",
        "import numpy_rnn as nn",
        "from numpy_rnn import functional as F",
        "from numpy_rnn import arrays",
    ]


def test_port_keeps_the_name_under_which_numpy_was_imported():
    assert (
        "return numpy.ones(2, numpy.float32)"
        in port("import numpy\nimport torch\ndef f():\n    return torch.ones(2)\n").source
    )


def test_port_keeps_comments_strings_and_layout():
    body = '''
    def f(x, y):  # a comment
        """torch.cat(x) in a string stays."""
        return torch.cat(
            [x,  # the first
             y],
            dim=1,  # a lost place
        )
    '''
    assert rewritten(body) == textwrap.dedent('''\
        def f(x, y):  # a comment
            """torch.cat(x) in a string stays."""
            # a lost place
            return np.concatenate([x,  # the first
                 y], axis=1)''')


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("y = text.split(' ')", "y = text.split(' ')"),
        ("y = x.split(2)", "y = arrays.split(x, 2)"),
        ("y = x.split(2, dim=1)", "y = arrays.split(x, 2, dim=1)"),
        ("names = [1]; names.sort()", "names = [1]; names.sort()"),
        ("y = x.sort()", "y = arrays.sort(x)"),
        ("y, i = torch.sort(x, descending=True)", "y, i = arrays.sort(x, descending=True)"),
        ("for v in options.values(): pass", "for v in options.values(): pass"),
        ("_, i = x.max(1)", "i = x.argmax(axis=1)"),
        ("v, _ = x.max(dim=1, keepdim=True)", "v = x.max(axis=1, keepdims=True)"),
        ("v, i = x.max(1)", "v, i = arrays.max(x, 1)"),
        ("v = x.max(1)[0]", "v = x.max(axis=1)"),
        ("i = torch.max(x, 1)[1]", "i = x.argmax(axis=1)"),
        ("i = x.max(1).indices", "i = x.argmax(axis=1)"),
        ("v = torch.max(x, x)", "v = np.maximum(x, x)"),
        ("v = x.max()", "v = x.max()"),
        ("x = x.to(device)", "pass"),
        ("y = x.to(device)", "y = x"),
        ("y = x.to(torch.long)", "y = x.astype(np.int64)"),
        ("y = x.to(device, torch.float32)", "y = x.astype(np.float32)"),
        ("y = x.to(x)", "y = x.astype(x.dtype)"),
        ("y = x.detach().cpu().numpy()", "y = x"),
        ("y = torch.bmm(x, x).view(2, -1)", "y = (x @ x).reshape(2, -1)"),
        ("y = x * x.eq(0)", "y = x * (x == 0)"),
        ("y = -x.pow(2)", "y = -(x**2)"),
        ("y = (x + 1).unsqueeze(0)", "y = (x + 1)[None]"),
        ("y = x.view(*x.shape[:2], -1)", "y = x.reshape(*x.shape[:2], -1)"),
        ("y = torch.zeros(*x.shape)", "y = np.zeros((*x.shape,), np.float32)"),
        ("y = x.mean([0, 1])", "y = x.mean(axis=(0, 1))"),
        ("y = f'{x.size(0)} rows'", "y = f'{x.shape[0]} rows'"),
        ("x.zero_()", "x[...] = 0"),
        ("x[0].fill_(2)", "x[0] = 2"),
        ("x.add_(1)", "x += 1"),
        ("x.masked_fill_(x > 0, 1)", "x[...] = arrays.masked_fill(x, x > 0, 1)"),
        ("x.squeeze_(0)", "x = x.squeeze(axis=0)"),
        ("y = x.new(2, 3).zero_()", "y = np.zeros_like(np.empty((2, 3), x.dtype))"),
        ("y = x.new_zeros(2, x.size(1))", "y = np.zeros((2, x.shape[1]), x.dtype)"),
        ("y = torch.zeros(2, device=x.device)", "y = np.zeros(2, x.dtype)"),
        ("y = torch.zeros(2, dtype=torch.long)", "y = np.zeros(2, np.int64)"),
        ("y = x / x.argmax(1)", "y = x / x.argmax(axis=1).astype(x.dtype)"),
        ("y = isinstance(x, torch.Tensor)", "y = isinstance(x, np.ndarray)"),
        ("y = torch.device('cuda')", 'y = "cpu"'),
        (
            "y = [torch.tanh(part) for part in x.unbind(0)]",
            "y = [F.tanh(part) for part in tuple(x)]",
        ),
        ("y = Categorical(logits=x).sample()", "y = Categorical(logits=x).sample()"),
        ("y = [n.size(0) for n in x.chunk(2)]", "y = [n.shape[0] for n in arrays.chunk(x, 2)]"),
        ("torch.backends.cudnn.benchmark = True", "pass"),
        ("torch.set_num_threads(1)", "pass"),
        ("if torch.cuda.is_available(): x = x.cuda()", "pass"),
    ],
)
def test_port_line_becomes(line, expected):
    got = rewritten(f"def f(x: torch.Tensor, text: str, options: dict, device):\n    {line}\n")
    signature, _, body = got.partition("\n")
    assert signature == "def f(x: np.ndarray, text: str, options: dict, device):"
    assert body.strip() == expected


def test_port_gradient_blocks_are_dedented_around_strings():
    body = '''
    def f(x):
        with torch.no_grad(), torch.autocast("cpu"):
            # first
            y = """
            stays
            """
            if x.size(0):
                with torch.inference_mode(): y = torch.exp(x)
        return y
    '''
    assert rewritten(body) == textwrap.dedent('''\
        def f(x):
            # first
            y = """
                stays
                """
            if x.shape[0]:
                y = np.exp(x)
            return y''')


def test_port_decorators_and_training_are_removed_and_reported():
    source = HEAD + textwrap.dedent("""
        class Net(nn.Module):
            def __init__(self):
                super(Net, self).__init__()
                self.fc = nn.Linear(2, 2)
                self.fc.weight.data.uniform_(-1, 1)
                nn.init.zeros_(self.fc.bias)
                self.loss = nn.MSELoss().to("cuda")

            @torch.jit.export
            @torch.no_grad()
            def forward(self, x):
                return self.fc(x)

            def training_step(self, batch):
                self.loss(self(batch)).backward()
    """)
    result = port(source)
    assert result.left == []
    assert result.removed == ["training_step: training"]
    assert result.models == ["Net"]
    for word in ("uniform_", "MSELoss", "jit", "no_grad", "training_step"):
        assert word not in result.source
    for word in ("super(Net, self).__init__()", "nn.init.zeros_(self.fc.bias)"):
        assert word in result.source


def test_port_new_arrays_in_a_model_of_models_follow_its_parameters():
    """Not the tokens that they are on the device of."""
    source = HEAD + textwrap.dedent("""
        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.encoder = Encoder(3)

            def forward(self, tokens):
                return torch.zeros(2, tokens.size(0), device=tokens.device)
    """)
    assert (
        "np.zeros((2, tokens.shape[0]), next(self.parameters()).dtype)" in port(source).source
    )


def test_port_data_of_parameters_is_the_parameter():
    body = """
    def f(model, batch):
        for name, p in model.named_parameters():
            nn.init.orthogonal_(p.data)
        for p in model.parameters():
            nn.init.ones_(p.data)
        return name
    """
    new = rewritten(body)
    assert "orthogonal_(p)" in new
    assert "ones_(p)" in new
    ((_, reason),) = left("def f(batch):\n    return batch.data\n")
    assert reason == "it is not known whether batch is an array, which needs no .data"


def test_port_types_of_tensors_are_dtypes_but_in_annotations():
    new = rewritten(
        "def f(x: torch.LongTensor) -> torch.Tensor:\n    return x.type(torch.LongTensor)"
    )
    assert new == "def f(x: np.ndarray) -> np.ndarray:\n    return x.astype(np.int64)"


def test_port_annotations_without_a_numpy_form_are_deferred():
    result = port(HEAD + "def f(x: torch.jit.Final, y: torch.Tensor): pass\n")
    assert result.left == []
    assert result.source.startswith("from __future__ import annotations\n")
    assert "y: np.ndarray" in result.source


def test_port_new_arrays_follow_the_weights_of_a_module():
    source = HEAD + textwrap.dedent("""
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3))
                self.rnn = nn.GRU(2, 3)

            def forward(self, x):
                return self.rnn(x, torch.zeros(1, x.size(1), 3))[0] * self.scale
    """)
    new = port(source).source
    assert "np.ones(3, np.float32)" in new
    assert "np.zeros((1, x.shape[1], 3), self.rnn.weight_ih_l0.dtype)" in new


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("y = torch.fft.rfft(x)", "no rule for torch.fft.rfft"),
        ("y = nn.Transformer(2)", "numpy_rnn has no Transformer"),
        ("y = F.fold(x, 2, 2)", "numpy_rnn has no functional.fold"),
        ("y = x.histc()", "no rule for the method histc"),
        ("y = x.sum(out=x)", "no rule for the method sum with these arguments"),
        (
            "y = other.split(2)",
            "it is not known whether other is an array, whose split has a rule: annotate it",
        ),
        ("y = x.to(other)", "it is not known whether other is a device or a dtype"),
        ("y = g(x.add_(1))", "add_ changes x in place within an expression"),
    ],
)
def test_port_line_without_a_rule_is_left_and_listed(line, reason):
    body = f"def f(x: torch.Tensor, other):\n    {line}\n"
    ((number, found),) = left(body)
    assert number == 5
    assert found.startswith(reason)
    assert line in port(HEAD + body).source


def test_port_left_lines_have_the_numbers_of_the_input():
    body = "def f(x):\n    with torch.no_grad():\n        y = x\n    return torch.fft.rfft(y)\n"
    assert [number for number, _ in left(body)] == [7]


def test_port_missing_layers_are_named():
    assert port(HEAD + "a = nn.Transformer(1)\nb = nn.Conv3d(1, 1, 1)\n").missing == [
        "nn.Transformer",
        "nn.Conv3d",
    ]


def test_port_source_that_is_not_python_raises():
    with pytest.raises(SyntaxError, match="invalid syntax"):
        port("def f(:\n")


MODEL = '''
class Tagger(nn.Module):
    """Tags words; as many public models, with torch's functions around layers."""

    def __init__(self, words, device="cpu"):
        super(Tagger, self).__init__()
        self.hidden = 6
        self.embedding = nn.Embedding(words, 5, padding_idx=0)
        self.convolution = nn.Conv1d(5, 8, 3, padding=1)
        self.rnn = nn.LSTM(8, self.hidden, bidirectional=True, batch_first=True)
        self.attention = nn.Linear(12, 1)
        self.head = nn.Linear(12, 4)
        self.attention.weight.data.normal_(0, 0.1)
        self.criterion = nn.NLLLoss()
        self.to(device)

    def init_hidden(self, batch: int):
        return (torch.zeros(2, batch, self.hidden), torch.zeros(2, batch, self.hidden))

    def forward(self, tokens: torch.Tensor, lengths: torch.Tensor):
        batch, steps = tokens.size()
        x = F.relu(self.convolution(self.embedding(tokens).permute(0, 2, 1))).transpose(1, 2)
        packed = nn.utils.rnn.pack_padded_sequence(
            x.contiguous(), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        output, (h_n, c_n) = self.rnn(packed, self.init_hidden(batch))
        output, _ = nn.utils.rnn.pad_packed_sequence(output, batch_first=True)
        mask = torch.arange(output.size(1)).unsqueeze(0) >= lengths.unsqueeze(1)
        scores = self.attention(output).squeeze(-1).masked_fill(mask, float("-inf"))
        context = torch.bmm(torch.softmax(scores, dim=1).unsqueeze(1), output).squeeze(1)
        last = torch.cat([h_n[-2], h_n[-1]], dim=1)
        mean = output.sum(dim=1) / lengths.unsqueeze(1).float()
        first, second = self.head(context + last + mean).chunk(2, dim=-1)
        _, best = first.max(dim=1)
        return F.log_softmax(second, dim=-1).view(batch, -1), best
'''


def test_ported_model_equals_torch(rng):
    result = port(HEAD + MODEL)
    assert result.left == []
    theirs: dict[str, type] = {}
    ours: dict[str, type] = {}
    exec(HEAD + MODEL, theirs)
    exec(result.source, ours)
    torch.manual_seed(0)
    original, ported = theirs["Tagger"](9).eval(), ours["Tagger"](9).eval()
    ported.load_state_dict(original.state_dict())
    assert_parity(ported, original, rng.integers(1, 9, (3, 7)), np.array([7, 2, 5]))


@pytest.mark.parametrize("keyword", ["if", "elif"])
def test_port_question_for_cuda_is_removed_or_stays_python(keyword):
    first = "    if x is None:\n        return 1\n" if keyword == "elif" else ""
    body = f"def f(x):\n{first}    {keyword} torch.cuda.is_available():\n        x = x.cuda()\n"
    new = port(f"{HEAD}{body}    return x\n").source
    assert "cuda" not in new
    assert "return x" in new

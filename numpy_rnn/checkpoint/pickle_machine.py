"""A machine that reads pickles as data.

A pickle is a program. Python's own unpickler runs it and calls whatever it names; this
machine knows the instructions that build containers, strings and numbers. Those that
reach outside (a name, a call, a persistent id) are methods that a subclass defines by an
exact list. Nothing is imported and no attribute is looked up.

Source: the opcodes are documented in Python's ``pickletools``, which also decodes them.
"""

from __future__ import annotations

import io
import pickletools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from numpy_rnn.checkpoint.errors import CheckpointError, shown

__all__ = ["Global", "PickleMachine"]

_SIZED = (list, tuple, set, frozenset, dict, str, bytes, bytearray)

_ATOMS = {str, int, float, complex, bytes, bool, type(None)}


class Global(NamedTuple):
    """A name in a pickle that may stand for anything; nothing is imported for it."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class PickleMachine:
    """Builds the object that one pickle describes.

    By itself it builds containers, strings and numbers. A subclass decides what a name,
    a call and a persistent id mean.
    """

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._allowance = 0

    def find(self, name: Global) -> Any:
        """Return what a name stands for, if it is called the `Global` itself.

        Raises
        ------
        CheckpointError
            If the name is not allowed.
        """
        raise CheckpointError(f"the pickle names {name}, which is not allowed")

    def call(self, function: Global, _args: tuple[Any, ...]) -> Any:
        """Return what a call of a name gives.

        Raises
        ------
        CheckpointError
            If the name may not be called, or not with these arguments.
        """
        raise CheckpointError(f"the pickle calls {function}, which is not allowed")

    def load_persistent(self, identifier: Any) -> Any:
        """Return what a persistent id stands for.

        Raises
        ------
        CheckpointError
            If it stands for nothing.
        """
        raise CheckpointError(f"the pickle has the persistent id {shown(identifier)}")

    def run(self, pickle: bytes) -> Any:
        """Return the object that `pickle` describes.

        Raises
        ------
        CheckpointError
            If the pickle is damaged or wants something that is not allowed.
        """
        self._allowance = len(pickle)
        stream = io.BytesIO(pickle)
        position = 0
        try:
            while True:
                position = stream.tell()
                opcode = _OPCODES.get(stream.read(1).decode("latin-1"))
                if opcode is None:
                    raise CheckpointError("this is no pickle, or one without an end")
                if opcode.name == "STOP":
                    return self._result()
                instruction = _INSTRUCTIONS.get(opcode.name)
                if instruction is None:
                    raise CheckpointError(
                        f"the pickle instruction {opcode.name} is not allowed"
                    )
                instruction(self, opcode.arg.reader(stream) if opcode.arg else None)
        except CheckpointError as error:
            raise CheckpointError(f"{error} (at byte {position} of the pickle)") from None
        except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
            raise CheckpointError(
                f"the pickle is damaged at byte {position}: {type(error).__name__}: {error}"
            ) from error

    def _result(self) -> Any:
        if len(self._stack) != 1 or self._marked:
            raise CheckpointError("the pickle ends with more or less than one object")
        result = self._stack.pop()
        _refuse_names(result)
        return result

    # What the instructions below are made of

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop_to_mark(self) -> list[Any]:
        items = self._stack
        self._stack = self._marked.pop()
        return items

    def _top(self, kind: type) -> Any:
        value = self._stack[-1]
        if not isinstance(value, kind):
            raise CheckpointError(f"expected a {kind.__name__}, got a {type(value).__name__}")
        return value

    # Instructions

    def _mark(self, _: Any) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def _pop(self, _: Any) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._stack = self._marked.pop()

    def _discard_to_mark(self, _: Any) -> None:
        self._pop_to_mark()

    def _tuple(self, _: Any) -> None:
        items = self._pop_to_mark()
        self._push(tuple(items))

    def _tuple_of(self, length: int) -> None:
        if len(self._stack) < length:
            raise CheckpointError("the pickle's stack is too short")
        items = tuple(self._stack[-length:])
        del self._stack[-length:]
        self._push(items)

    def _list(self, _: Any) -> None:
        items = self._pop_to_mark()
        self._push(items)

    def _dict(self, _: Any) -> None:
        items = self._pop_to_mark()
        self._push({})
        self._set_pairs(items)

    def _append(self, _: Any) -> None:
        value = self._stack.pop()
        self._top(list).append(value)

    def _appends(self, _: Any) -> None:
        items = self._pop_to_mark()
        self._top(list).extend(items)

    def _set_item(self, _: Any) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set_pairs([key, value])

    def _set_items(self, _: Any) -> None:
        self._set_pairs(self._pop_to_mark())

    def _set_pairs(self, items: list[Any]) -> None:
        if len(items) % 2:
            raise CheckpointError("a key without a value")
        target = self._top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[checked_key(key)] = value

    def _add_items(self, _: Any) -> None:
        items = self._pop_to_mark()
        self._top(set).update(checked_key(item) for item in items)

    def _frozen_set(self, _: Any) -> None:
        self._push(frozenset(checked_key(item) for item in self._pop_to_mark()))

    def _get(self, index: int) -> None:
        self._push(self._memo[index])

    def _put(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    def _memoize(self, _: Any) -> None:
        self._put(len(self._memo))

    def _global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._push(self.find(Global(module, name)))

    def _stack_global(self, _: Any) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise CheckpointError("a global whose name is no string")
        self._push(self.find(Global(module, name)))

    def _reduce(self, _: Any) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        if not isinstance(function, Global) or type(arguments) is not tuple:
            raise CheckpointError(f"a call of a {type(function).__name__}")
        # A call copies what it is given. One item takes at least a byte of the pickle, but
        # the memo can give it to many calls.
        self._allowance -= sum(len(a) for a in arguments if isinstance(a, _SIZED))
        if self._allowance < 0:
            raise CheckpointError("the pickle builds far more than it holds")
        self._push(self.call(function, arguments))

    def _build(self, _: Any) -> None:
        """Accept the ``_metadata`` that a state_dict of torch's has as its only attribute.

        It holds the versions of the modules, which mean nothing here, and is left out.
        """
        state = self._stack.pop()
        self._top(OrderedDict)
        if type(state) is not dict or set(state) - {"_metadata"}:
            raise CheckpointError("an OrderedDict with attributes")

    def _persistent(self, _: Any) -> None:
        self._push(self.load_persistent(self._stack.pop()))


def _refuse_names(result: Any) -> None:
    """Raise `CheckpointError` if a name stands where a value should."""
    seen: set[int] = set()
    pending = [result]
    while pending:
        value = pending.pop()
        if isinstance(value, Global):
            raise CheckpointError(f"{value} stands where a value should")
        if isinstance(value, (dict, list, tuple)) and id(value) not in seen:
            seen.add(id(value))
            pending.extend(value.values() if isinstance(value, dict) else value)


def checked_key(key: Any) -> Any:
    """Return `key` if it is simple enough to be hashed safely: an atom, or a tuple of them."""
    atoms = key if type(key) is tuple else (key,)
    if not all(type(atom) in _ATOMS for atom in atoms):
        raise CheckpointError(f"a {type(key).__name__} as the key of a dict or item of a set")
    return key


Instruction = Callable[[PickleMachine, Any], None]


def _pushing(make: Callable[[], Any]) -> Instruction:
    return lambda machine, _: machine._push(make())


def _ignore(_machine: PickleMachine, _argument: Any) -> None:
    """Do nothing: what PROTO and FRAME say does not matter here."""


_OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}

_LITERALS = """
    INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT
    BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8
    BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8
"""

_INSTRUCTIONS: dict[str, Instruction] = {
    "PROTO": _ignore,
    "FRAME": _ignore,
    **dict.fromkeys(_LITERALS.split(), PickleMachine._push),
    "NONE": _pushing(lambda: None),
    "NEWTRUE": _pushing(lambda: True),
    "NEWFALSE": _pushing(lambda: False),
    "EMPTY_LIST": _pushing(list),
    "EMPTY_DICT": _pushing(dict),
    "EMPTY_TUPLE": _pushing(tuple),
    "EMPTY_SET": _pushing(set),
    "MARK": PickleMachine._mark,
    "POP": PickleMachine._pop,
    "POP_MARK": PickleMachine._discard_to_mark,
    "DUP": lambda machine, _: machine._push(machine._stack[-1]),
    "LIST": PickleMachine._list,
    "TUPLE": PickleMachine._tuple,
    "TUPLE1": lambda machine, _: machine._tuple_of(1),
    "TUPLE2": lambda machine, _: machine._tuple_of(2),
    "TUPLE3": lambda machine, _: machine._tuple_of(3),
    "DICT": PickleMachine._dict,
    "FROZENSET": PickleMachine._frozen_set,
    "APPEND": PickleMachine._append,
    "APPENDS": PickleMachine._appends,
    "SETITEM": PickleMachine._set_item,
    "SETITEMS": PickleMachine._set_items,
    "ADDITEMS": PickleMachine._add_items,
    **dict.fromkeys(["GET", "BINGET", "LONG_BINGET"], PickleMachine._get),
    **dict.fromkeys(["PUT", "BINPUT", "LONG_BINPUT"], PickleMachine._put),
    "MEMOIZE": PickleMachine._memoize,
    "GLOBAL": PickleMachine._global,
    "STACK_GLOBAL": PickleMachine._stack_global,
    "REDUCE": PickleMachine._reduce,
    "BUILD": PickleMachine._build,
    "BINPERSID": PickleMachine._persistent,
}

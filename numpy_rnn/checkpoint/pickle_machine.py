"""A machine that reads pickles as data.

A pickle is a program. Python's own unpickler runs it and calls whatever it names; this
machine knows the instructions that build containers, strings and numbers. Those that
reach outside (a name, a call, an object's state, a persistent id) are methods that a
subclass defines by an exact list. Nothing is imported and no attribute is looked up.

Source: the instructions are documented in Python's ``pickletools``.
"""

from __future__ import annotations

import codecs
import mmap
import pickle
import re
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from numpy_rnn.checkpoint.allowance import Allowance
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.stubs import Global, Stub, UnknownNameError

__all__ = ["PickleMachine", "checked_key"]

_ATOMS = {str, int, float, complex, bytes, bool, type(None), Global, Stub}

INSTRUCTION = 48
"""Bytes of memory that an instruction is counted to take: a small object or an entry of a
container, and its places on the stack and in the memo."""

LIST = 40
"""What one takes besides that builds a list or a tuple. It may be seen to be too much at the
end of the batch."""

LONG = 2**16
"""Bytes of a string that is not copied on its way."""

BATCH = 500
"""Instructions that are counted at a time."""

CONTAINER = 256
"""What one takes besides that builds a set or a dict, or calls."""

MOST_DIGITS = 4300
"""Of an integer in decimal: converting one takes the square of them."""

DAMAGE = (
    IndexError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What Python raises for an instruction that does not fit what is there."""


class PickleMachine:
    """Builds the object that one pickle describes.

    By itself it builds containers, strings and numbers. A subclass decides what a name,
    a call, an object's state and a persistent id mean.

    Parameters
    ----------
    data : bytes or mmap
        What the pickle stands in.
    allowance : Allowance
        For the memory of what is built.
    start : int
        Where the pickle begins.

    Attributes
    ----------
    position : int
        Where the next instruction stands, after `run` the end of the pickle.
    """

    def __init__(self, data: bytes | mmap.mmap, allowance: Allowance, start: int = 0) -> None:
        self.allowance = allowance
        self.position = start
        self._start = start
        self._data = data
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: list[Any] = []
        self._distant: dict[int, Any] = {}

    def find(self, name: Global) -> Any:
        """Return what a name stands for, if it is called or instantiated the `Global` itself.

        Raises
        ------
        CheckpointError
            If the name is not allowed.
        """
        raise CheckpointError(f"the pickle names {name}, which is not allowed")

    def call(self, function: Any, _arguments: tuple[Any, ...]) -> Any:
        """Return what a call gives.

        Raises
        ------
        CheckpointError
            If the function may not be called, or not with these arguments.
        """
        raise CheckpointError(f"the pickle calls {_named(function)}, which is not allowed")

    def instantiate(self, kind: Any, _arguments: tuple[Any, ...]) -> Any:
        """Return what stands for a new object.

        Raises
        ------
        CheckpointError
            If there may be none of the class, or not with these arguments.
        """
        raise CheckpointError(f"the pickle instantiates {_named(kind)}, which is not allowed")

    def set_state(self, target: Any, _state: Any) -> None:
        """Give an object its state.

        Raises
        ------
        CheckpointError
            If the object cannot have one, or not this one.
        """
        raise CheckpointError(f"the pickle gives a {type(target).__name__} attributes")

    def load_persistent(self, identifier: Any) -> Any:
        """Return what a persistent id stands for.

        Raises
        ------
        CheckpointError
            If it stands for nothing.
        """
        raise CheckpointError(f"the pickle has the persistent id {shown(identifier)}")

    def finish(self, result: Any) -> Any:
        """Return what the pickle describes, after a last look at it."""
        return result

    def run(self) -> Any:
        """Return the object that the pickle describes.

        Raises
        ------
        CheckpointError
            If the pickle is damaged or wants something that is not allowed.
        """
        data, instructions, at = self._data, _INSTRUCTIONS, self.position
        try:
            while True:
                self.allowance.take(BATCH * INSTRUCTION, "what the pickle builds")
                for _ in range(BATCH):
                    at = self.position
                    instruction = instructions[data[at]]
                    self.position = at + 1
                    if instruction is not None:
                        instruction(self)
                    elif data[at] == STOP:
                        return self._result()
                    else:
                        raise CheckpointError(
                            f"the pickle instruction {data[at : at + 1]!r} is not allowed"
                        )
        except UnknownNameError:
            raise
        except CheckpointError as error:
            place = f"at byte {at - self._start} of the pickle"
            raise CheckpointError(f"{error} ({place})") from None
        except DAMAGE as error:
            if at >= len(data):
                raise CheckpointError("this is no pickle, or one without an end") from None
            raise CheckpointError(
                f"the pickle is damaged at byte {at - self._start}: "
                f"{type(error).__name__}: {error}"
            ) from error

    def _result(self) -> Any:
        if len(self._stack) != 1 or self._marked:
            raise CheckpointError("the pickle ends with more or less than one object")
        return self.finish(self._stack.pop())

    # What the instructions below are made of

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop_to_mark(self) -> list[Any]:
        items = self._stack
        self._stack = self._marked.pop()
        return items

    def _take(self, count: int) -> bytes:
        start = self.position
        data = self._data[start : start + count]
        if len(data) != count:
            raise CheckpointError(f"the pickle ends within {shown(count)} bytes of a value")
        self.position = start + count
        return data

    def _view(self, count: int) -> memoryview:
        """Return as `_take` does, without a copy."""
        view = memoryview(self._data)[self.position : self.position + count]
        if len(view) != count:
            raise CheckpointError(f"the pickle ends within {shown(count)} bytes of a value")
        self.position += count
        return view

    def _number(self, layout: struct.Struct) -> Any:
        (number,) = layout.unpack_from(self._data, self.position)
        self.position += layout.size
        return number

    def _line(self) -> bytes:
        end = self._data.find(b"\n", self.position)
        if end < 0:
            raise CheckpointError("the pickle ends within a line")
        line = self._data[self.position : end]
        self.position = end + 1
        return line

    def _push_text(self, text: str) -> None:
        self.allowance.take(sys.getsizeof(text), "a string")
        self._stack.append(text)

    def _push_bytes(self, data: bytes) -> None:
        self.allowance.take(len(data), "a string of bytes")
        self._stack.append(data)

    # Instructions: literals

    def _counted_text(self, layout: struct.Struct) -> None:
        (count,) = layout.unpack_from(self._data, self.position)
        self.position += layout.size
        data = self._view(count) if count > LONG else self._take(count)
        self._push_text(str(data, "utf-8", "surrogatepass"))

    def _counted_bytes(self, layout: struct.Struct) -> None:
        self._push_bytes(self._take(self._number(layout)))

    def _counted_string(self, layout: struct.Struct) -> None:
        """Read a string of Python 2, which may be text or bytes: latin-1 keeps both."""
        self._push_text(self._take(self._number(layout)).decode("latin-1"))

    def _byte_array(self) -> None:
        data = self._view(self._number(UINT64))
        self.allowance.take(len(data), "a string of bytes")
        self._push(bytearray(data))

    def _counted_integer(self, layout: struct.Struct) -> None:
        data = self._take(self._number(layout))
        self.allowance.take(len(data), "an integer")
        self._push(int.from_bytes(data, "little", signed=True))

    def _decimal(self, digits: bytes) -> int:
        if len(digits) > MOST_DIGITS or not re.fullmatch(rb"\s*[-+]?[0-9]+\s*", digits):
            raise CheckpointError("a number that is none")
        return int(digits)

    def _integer_line(self) -> None:
        line = self._line()
        self._push(line == b"01" if line in (b"00", b"01") else self._decimal(line))

    def _long_line(self) -> None:
        self._push(self._decimal(self._line().removesuffix(b"L")))

    def _float_line(self) -> None:
        line = self._line()
        if len(line) > MOST_DIGITS:
            raise CheckpointError("a number that is none")
        self._push(float(line))

    def _text_line(self) -> None:
        self._push_text(self._line().decode("raw-unicode-escape"))

    def _string_line(self) -> None:
        line = self._line().strip()
        if len(line) < 2 or line[:1] not in (b"'", b'"') or line[:1] != line[-1:]:
            raise CheckpointError("a string without quotes")
        body = line[1:-1]
        if not STRING_LINE.fullmatch(body):
            raise CheckpointError("a string with an escape that is none")
        # escape_decode is what Python's own unpickler uses; a decode from "unicode_escape"
        # would take \u for more than two bytes.
        self._push_text(codecs.escape_decode(body)[0].decode("latin-1"))

    # Instructions: the stack, the memo, containers

    def _mark(self) -> None:
        self.allowance.left -= LIST
        self._marked.append(self._stack)
        self._stack = []

    def _pop(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._stack = self._marked.pop()

    def _discard_to_mark(self) -> None:
        self._pop_to_mark()

    def _duplicate(self) -> None:
        self._push(self._stack[-1])

    def _tuple(self) -> None:
        items = self._stack
        self._stack = self._marked.pop()
        self._stack.append(tuple(items))

    def _tuple_of_one(self) -> None:
        self.allowance.left -= LIST
        self._stack[-1] = (self._stack[-1],)

    def _tuple_of_two(self) -> None:
        self.allowance.left -= LIST
        self._stack[-2:] = [(self._stack[-2], self._stack[-1])]

    def _tuple_of_three(self) -> None:
        self._stack[-3:] = [(self._stack[-3], self._stack[-2], self._stack[-1])]

    def _list(self) -> None:
        items = self._pop_to_mark()
        self._push(items)

    def _empty_list(self) -> None:
        self.allowance.left -= LIST
        self._stack.append([])

    def _empty(self, kind: type) -> None:
        self.allowance.take(CONTAINER, "a container")
        self._push(kind())

    def _dict(self) -> None:
        items = self._pop_to_mark()
        self._empty(dict)
        self._set_pairs(items)

    def _append(self) -> None:
        value = self._stack.pop()
        self._list_on_top().append(value)

    def _appends(self) -> None:
        items = self._pop_to_mark()
        self._list_on_top().extend(items)

    def _list_on_top(self) -> list[Any]:
        value = self._stack[-1]
        if isinstance(value, Stub):
            return value.items
        if type(value) is not list:
            raise CheckpointError(f"expected a list, got a {type(value).__name__}")
        return value

    def _set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set_pairs([key, value])

    def _set_items(self) -> None:
        self._set_pairs(self._pop_to_mark())

    def _set_pairs(self, items: list[Any]) -> None:
        if len(items) % 2:
            raise CheckpointError("a key without a value")
        target = self._stack[-1]
        if isinstance(target, Stub):
            target = target.pairs
        if not isinstance(target, dict):
            raise CheckpointError(f"expected a dict, got a {type(target).__name__}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[checked_key(key)] = value

    def _add_items(self) -> None:
        items = self._pop_to_mark()
        target = self._stack[-1]
        if isinstance(target, Stub):
            target.items.extend(items)
        elif type(target) is set:
            target.update(checked_key(item) for item in items)
        else:
            raise CheckpointError(f"expected a set, got a {type(target).__name__}")

    def _frozen_set(self) -> None:
        items = self._pop_to_mark()
        self.allowance.take(CONTAINER, "a container")
        self._push(frozenset(checked_key(item) for item in items))

    def _get(self, index: int) -> None:
        # Picklers count from 0, so that a list has nearly all.
        if 0 <= index < len(self._memo):
            self._stack.append(self._memo[index])
        else:
            self._stack.append(self._distant[index])

    def _put(self, index: int) -> None:
        if index == len(self._memo):
            self._memo.append(self._stack[-1])
        elif 0 <= index < len(self._memo):
            self._memo[index] = self._stack[-1]
        else:
            self.allowance.left -= CONTAINER
            self._distant[index] = self._stack[-1]

    def _get_short(self) -> None:
        self._get(self._data[self.position])
        self.position += 1

    def _put_short(self) -> None:
        self._put(self._data[self.position])
        self.position += 1

    def _get_long(self) -> None:
        (index,) = UINT32.unpack_from(self._data, self.position)
        self.position += 4
        self._get(index)

    def _put_long(self) -> None:
        (index,) = UINT32.unpack_from(self._data, self.position)
        self.position += 4
        self._put(index)

    def _short_integer(self) -> None:
        self._stack.append(self._data[self.position])
        self.position += 1

    def _memoize(self) -> None:
        self._put(len(self._memo))

    # Instructions: what reaches outside

    def _global(self) -> None:
        module, name = self._line().decode("utf-8"), self._line().decode("utf-8")
        self._push(self.find(Global(module, name)))

    def _stack_global(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if type(name) is not str or type(module) is not str:
            raise CheckpointError("a global whose name is no string")
        self._push(self.find(Global(module, name)))

    def _checked_arguments(self, arguments: Any) -> tuple[Any, ...]:
        if type(arguments) is not tuple:
            raise CheckpointError(f"a call with a {type(arguments).__name__}")
        self.allowance.left -= CONTAINER
        return arguments

    def _reduce(self) -> None:
        arguments = self._checked_arguments(self._stack.pop())
        self._stack[-1] = self.call(self._stack[-1], arguments)

    def _new_object(self) -> None:
        arguments = self._checked_arguments(self._stack.pop())
        self._stack[-1] = self.instantiate(self._stack[-1], arguments)

    def _new_object_with_names(self) -> None:
        keywords, arguments = self._stack.pop(), self._stack.pop()
        kind = self._stack.pop()
        if type(keywords) is not dict or type(arguments) is not tuple:
            raise CheckpointError("an object without arguments")
        if keywords:
            arguments = (*arguments, keywords)
        self.allowance.take(CONTAINER + 8 * len(arguments), "a call")
        self._push(self.instantiate(kind, arguments))

    def _object(self) -> None:
        kind, *arguments = self._pop_to_mark()
        self._push(self.instantiate(kind, self._checked_arguments(tuple(arguments))))

    def _instance(self) -> None:
        arguments = self._checked_arguments(tuple(self._pop_to_mark()))
        self._global()
        kind = self._stack.pop()
        self._push(self.instantiate(kind, arguments))

    def _build(self) -> None:
        state = self._stack.pop()
        target = self._stack[-1]
        if isinstance(target, OrderedDict):
            _check_metadata(state)
        else:
            self.set_state(target, state)

    def _persistent(self) -> None:
        self._stack[-1] = self.load_persistent(self._stack[-1])

    def _persistent_line(self) -> None:
        self._push(self.load_persistent(self._line().decode("latin-1")))


def _check_metadata(state: Any) -> None:
    """Accept the ``_metadata`` that a state_dict of torch's has as its only attribute.

    It holds the versions of the modules, which mean nothing here, and is left out.
    """
    if type(state) is not dict or set(state) - {"_metadata"}:
        raise CheckpointError("an OrderedDict with attributes")


def _named(value: Any) -> str:
    return str(value) if isinstance(value, Global) else f"a {type(value).__name__}"


def checked_key(key: Any) -> Any:
    """Return `key` if it is simple enough to be hashed safely: an atom, or a tuple of them."""
    if type(key) is str:
        return key
    atoms = key if type(key) is tuple else (key,)
    if not all(type(atom) in _ATOMS for atom in atoms):
        raise CheckpointError(f"a {type(key).__name__} as the key of a dict or item of a set")
    return key


UINT8, UINT16, UINT32, UINT64 = (struct.Struct("<" + code) for code in "BHIQ")
INT32, FLOAT64 = struct.Struct("<i"), struct.Struct(">d")

# The codec warns of escapes that are none: only good ones get there.
STRING_LINE = re.compile(rb"[^\\]*(?:\\(?:[\\'\"abfnrtv]|x[0-9a-fA-F]{2})[^\\]*)*")

STOP = pickle.STOP[0]

Instruction = Callable[[PickleMachine], None]


def _pushing(value: Any) -> Instruction:
    return lambda machine: machine._stack.append(value)


def _skipping(count: int) -> Instruction:
    def skip(machine: PickleMachine) -> None:
        machine._take(count)

    return skip


def _numbering(layout: struct.Struct) -> Instruction:
    return lambda machine: machine._push(machine._number(layout))


_BY_CODE: dict[bytes, Instruction] = {
    pickle.PROTO: _skipping(1),  # what these say does not matter
    pickle.FRAME: _skipping(8),
    pickle.INT: PickleMachine._integer_line,
    pickle.LONG: PickleMachine._long_line,
    pickle.FLOAT: PickleMachine._float_line,
    pickle.BININT: _numbering(INT32),
    pickle.BININT1: PickleMachine._short_integer,
    pickle.BININT2: _numbering(UINT16),
    pickle.BINFLOAT: _numbering(FLOAT64),
    pickle.LONG1: lambda machine: machine._counted_integer(UINT8),
    pickle.LONG4: lambda machine: machine._counted_integer(INT32),
    pickle.STRING: PickleMachine._string_line,
    pickle.BINSTRING: lambda machine: machine._counted_string(INT32),
    pickle.SHORT_BINSTRING: lambda machine: machine._counted_string(UINT8),
    pickle.UNICODE: PickleMachine._text_line,
    pickle.BINUNICODE: lambda machine: machine._counted_text(UINT32),
    pickle.SHORT_BINUNICODE: lambda machine: machine._counted_text(UINT8),
    pickle.BINUNICODE8: lambda machine: machine._counted_text(UINT64),
    pickle.BINBYTES: lambda machine: machine._counted_bytes(UINT32),
    pickle.SHORT_BINBYTES: lambda machine: machine._counted_bytes(UINT8),
    pickle.BINBYTES8: lambda machine: machine._counted_bytes(UINT64),
    pickle.BYTEARRAY8: PickleMachine._byte_array,
    pickle.NONE: _pushing(None),
    pickle.NEWTRUE: _pushing(True),
    pickle.NEWFALSE: _pushing(False),
    pickle.EMPTY_LIST: PickleMachine._empty_list,
    pickle.EMPTY_DICT: lambda machine: machine._empty(dict),
    pickle.EMPTY_TUPLE: _pushing(()),
    pickle.EMPTY_SET: lambda machine: machine._empty(set),
    pickle.MARK: PickleMachine._mark,
    pickle.POP: PickleMachine._pop,
    pickle.POP_MARK: PickleMachine._discard_to_mark,
    pickle.DUP: PickleMachine._duplicate,
    pickle.LIST: PickleMachine._list,
    pickle.TUPLE: PickleMachine._tuple,
    pickle.TUPLE1: PickleMachine._tuple_of_one,
    pickle.TUPLE2: PickleMachine._tuple_of_two,
    pickle.TUPLE3: PickleMachine._tuple_of_three,
    pickle.DICT: PickleMachine._dict,
    pickle.FROZENSET: PickleMachine._frozen_set,
    pickle.APPEND: PickleMachine._append,
    pickle.APPENDS: PickleMachine._appends,
    pickle.SETITEM: PickleMachine._set_item,
    pickle.SETITEMS: PickleMachine._set_items,
    pickle.ADDITEMS: PickleMachine._add_items,
    pickle.GET: lambda machine: machine._get(machine._decimal(machine._line())),
    pickle.BINGET: PickleMachine._get_short,
    pickle.LONG_BINGET: PickleMachine._get_long,
    pickle.PUT: lambda machine: machine._put(machine._decimal(machine._line())),
    pickle.BINPUT: PickleMachine._put_short,
    pickle.LONG_BINPUT: PickleMachine._put_long,
    pickle.MEMOIZE: PickleMachine._memoize,
    pickle.GLOBAL: PickleMachine._global,
    pickle.STACK_GLOBAL: PickleMachine._stack_global,
    pickle.REDUCE: PickleMachine._reduce,
    pickle.NEWOBJ: PickleMachine._new_object,
    pickle.NEWOBJ_EX: PickleMachine._new_object_with_names,
    pickle.OBJ: PickleMachine._object,
    pickle.INST: PickleMachine._instance,
    pickle.BUILD: PickleMachine._build,
    pickle.BINPERSID: PickleMachine._persistent,
    pickle.PERSID: PickleMachine._persistent_line,
}

_INSTRUCTIONS: list[Instruction | None] = [_BY_CODE.get(bytes([code])) for code in range(256)]

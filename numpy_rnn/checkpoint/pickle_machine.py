"""A machine that reads pickles as data.

A pickle is a program. Python's own unpickler runs it and calls whatever it names; this
machine knows the instructions that build containers, strings and numbers. Those that
reach outside (a name, a call, an object's state, a persistent id) are methods that a
subclass defines by an exact list. Nothing is imported and no attribute is looked up.

Source: the instructions are documented in Python's ``pickletools``.
"""

from __future__ import annotations

import codecs
import itertools
import mmap
import pickle
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from numpy_rnn.checkpoint.errors import CheckpointError, shown, type_name
from numpy_rnn.checkpoint.memory_budget import MemoryBudget
from numpy_rnn.checkpoint.unknown_object import (
    ForeignError,
    Global,
    UnknownNameError,
    UnknownObject,
)

__all__ = ["PickleMachine"]

SAFE_KEYS: set[type] = {str, float, bytes, bool, type(None), Global, UnknownObject}
"""Types of keys that are hashed in a short time, and of which few have the same hash."""

OTHER_KEYS = (int, complex, np.generic, np.dtype)
"""Types of others: checked, and their hashes counted."""

MOST_KEY_BITS = 64
"""Bits of an integer in a key: with more, any number of them can have the same hash."""

MOST_KEY_PARTS = 1000
"""Parts of a key: a tuple is hashed with all that is in it, every time."""

MOST_EQUAL_HASHES = 100
"""Keys that may have the same hash: a dict compares them all with each other."""

NAME = 200
"""Characters of a class's name that are paid for as the instruction is."""

LONGEST_NAME = 1000
"""Characters of one: names are searched for every object of a class."""

POINTER = 16
"""Bytes that are paid for each part of a key, which is hashed every time."""

LONG = 4096
"""Bytes of a string from which on there must be memory to copy and to decode it."""

WIDEST = 4
"""Bytes that a byte of a string that is not ASCII may become."""

LATIN_1 = 0xC3
"""The highest byte in UTF-8 of characters that take one byte in memory."""

BATCH = 500
"""Instructions that are paid for at a time."""

MOST_DIGITS = 4300
"""Digits of a decimal number: converting an integer takes the square of them."""

DAMAGE = (LookupError, OverflowError, RecursionError, TypeError, ValueError, struct.error)
"""What Python raises for an instruction that its operands do not fit."""


class PickleMachine:
    """Builds the object that one pickle describes.

    By itself it builds containers, strings and numbers. A subclass decides what a name,
    a call, an object's state and a persistent id mean.

    Parameters
    ----------
    data : bytes or mmap
        What holds the pickle.
    budget : MemoryBudget
        For the memory of what is built.
    start : int
        Where the pickle begins.

    Attributes
    ----------
    position : int
        Where the next instruction begins; after `run` the end of the pickle.
    """

    def __init__(self, data: bytes | mmap.mmap, budget: MemoryBudget, start: int = 0) -> None:
        self.budget = budget
        self.position: int = start
        self._start = start
        self._data = data
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: list[Any] = []
        self._distant: dict[int, Any] = {}
        self._hashes: dict[int, int] = {}

    def find(self, name: Global) -> Any:
        """Return the value of a name, or the `Global` itself for what is called.

        Raises
        ------
        UnknownNameError
            If the name is not allowed.
        """
        raise UnknownNameError(name)

    def call(self, function: Any, _arguments: tuple[Any, ...]) -> Any:
        """Return the result of a call of a function, or of a class.

        Raises
        ------
        CheckpointError
            If it may not be called, or not with these arguments.
        """
        name = function if isinstance(function, Global) else type_name(function)
        raise CheckpointError(f"the pickle calls {name}, which is not allowed")

    def set_state(self, target: Any, _state: Any) -> None:
        """Set the state of an object.

        Raises
        ------
        CheckpointError
            If the object cannot have a state, or not this one.
        """
        raise CheckpointError(
            f"the pickle sets attributes of {type_name(target)}, which is not allowed"
        )

    def load_persistent(self, identifier: Any) -> Any:
        """Return the object that a persistent id means.

        Raises
        ------
        CheckpointError
            If there is none.
        """
        raise CheckpointError(
            f"the pickle has the persistent id {shown(identifier)}, which is not allowed"
        )

    def check_key(self, key: Any) -> Any:
        """Return `key`, or what takes its place, if it can be hashed safely.

        Raises
        ------
        CheckpointError
            If it cannot.
        """
        kind = type(key)
        if kind in SAFE_KEYS or (kind is int and key.bit_length() <= MOST_KEY_BITS):
            return key
        parts = _check_key_parts(key)
        self.budget.spend_containers()
        self.budget.spend(POINTER * parts, "a key in the pickle")
        hashed = hash(key)
        self._hashes[hashed] = self._hashes.get(hashed, 0) + 1
        if self._hashes[hashed] > MOST_EQUAL_HASHES:
            raise CheckpointError(
                f"the pickle has more than {MOST_EQUAL_HASHES} keys with the same hash"
            )
        return key

    def finish(self, result: Any) -> Any:
        """Return the result, checked."""
        return result

    def run(self) -> Any:
        """Return the object that the pickle describes.

        Raises
        ------
        CheckpointError
            If the pickle is damaged or wants something that is not allowed.
        """
        data, at = self._data, self.position
        try:
            while True:
                self.budget.spend_instructions(BATCH)
                for _ in range(BATCH):
                    at = self.position
                    instruction = _INSTRUCTIONS[data[at]]
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
            raise type(error)(f"{error} ({place})") from None
        except DAMAGE as error:
            if at >= len(data):
                raise CheckpointError(
                    "not a pickle, or it is cut short: its last instruction is missing"
                ) from None
            raise CheckpointError(
                f"the pickle is damaged at byte {at - self._start} "
                f"({type(error).__name__}: {error}): copy or download the file again"
            ) from error

    def _result(self) -> Any:
        if len(self._stack) != 1 or self._marked:
            raise CheckpointError("the pickle must end with exactly one object")
        return self.finish(self._stack.pop())

    # Parts of instructions

    def _pop_to_mark(self) -> list[Any]:
        items = self._stack
        self._stack = self._marked.pop()
        return items

    def _take(self, count: int) -> bytes:
        if count > LONG:
            self.budget.check(count, "a string in the pickle")
        start = self.position
        data = self._data[start : start + count]
        if len(data) != count:
            raise CheckpointError(
                f"the pickle is cut short within an object of {shown(count)} bytes"
            )
        self.position = start + count
        return data

    def _byte(self) -> int:
        byte = self._data[self.position]
        self.position += 1
        return byte

    def _number(self, layout: struct.Struct) -> Any:
        (number,) = layout.unpack_from(self._data, self.position)
        self.position += layout.size
        return number

    def _line(self) -> bytes:
        end = self._data.find(b"\n", self.position)
        if end < 0:
            raise CheckpointError("the pickle is cut short within a line")
        if end - self.position > LONG:
            self.budget.check(end - self.position, "a line of the pickle")
        line = self._data[self.position : end]
        self.position = end + 1
        return line

    def _unicode_line(self) -> None:
        line = self._line()
        self._check_escapes(line)
        self._push_text(line.decode("raw-unicode-escape"))

    def _check_width(self, data: bytes) -> None:
        """Check that there is memory to decode UTF-8: one wide character widens all."""
        highest = np.frombuffer(data, np.uint8).max()
        width = 1 if highest <= LATIN_1 else WIDEST
        self.budget.check(width * len(data), "a string in the pickle")

    def _check_escapes(self, data: bytes) -> None:
        """Check that there is memory to decode a string in which escapes may be wide."""
        if b"\\" in data:
            self.budget.check(WIDEST * len(data), "a string in the pickle")

    def _push_text(self, text: str) -> None:
        self.budget.spend_text(text)
        self._stack.append(text)

    def _push_bytes(self, data: bytes | bytearray) -> None:
        self.budget.spend(len(data), "a string of bytes in the pickle")
        self._stack.append(data)

    def _protocol(self) -> None:
        protocol = self._byte()
        if protocol > pickle.HIGHEST_PROTOCOL:
            raise CheckpointError(
                f"the pickle must be of protocol {pickle.HIGHEST_PROTOCOL} or lower, got "
                f"{protocol}: the file is damaged, or from a newer Python"
            )

    # Instructions: literals

    def _text(self, size: int) -> None:
        data = self._take(size)
        if size > LONG:
            self._check_width(data)
        self._push_text(str(data, "utf-8", "surrogatepass"))

    def _string(self, size: int) -> None:
        """Push a string of Python 2, which may be text or bytes: latin-1 keeps both."""
        self._push_text(self._take(size).decode("latin-1"))

    def _long(self, size: int) -> None:
        data = self._take(size)
        self.budget.spend(size, "an integer in the pickle")
        self._stack.append(int.from_bytes(data, "little", signed=True))

    def _decimal(self, digits: bytes) -> int:
        if len(digits) > MOST_DIGITS or not re.fullmatch(rb"\s*[-+]?[0-9]+\s*", digits):
            raise _not_a_number(digits)
        return int(digits)

    def _integer_line(self) -> None:
        line = self._line()
        self._stack.append(line == b"01" if line in (b"00", b"01") else self._decimal(line))

    def _float_line(self) -> None:
        line = self._line()
        if len(line) > MOST_DIGITS:
            raise _not_a_number(line)
        self._stack.append(float(line))

    def _string_line(self) -> None:
        line = self._line().strip()
        if len(line) < 2 or line[:1] not in (b"'", b'"') or line[:1] != line[-1:]:
            raise CheckpointError(f"a string must be in quotes, got {shown(line)}")
        body = line[1:-1]
        self._check_escapes(body)
        if INVALID_ESCAPE.search(body.replace(rb"\\", b"  ")):
            raise CheckpointError(f"a string has an invalid escape: {shown(line)}")
        # Python's own unpickler uses escape_decode; "unicode_escape" would decode \u too.
        self._push_text(codecs.escape_decode(body)[0].decode("latin-1"))

    # Instructions: the stack, the memo, containers

    def _mark(self) -> None:
        self.budget.spend_sequence()
        self._marked.append(self._stack)
        self._stack = []

    def _pop(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._stack = self._marked.pop()

    def _sequence(self, kind: type) -> None:
        items = self._pop_to_mark()
        self._stack.append(kind(items))

    def _tuple_of_one(self) -> None:
        self.budget.spend_sequence()
        self._stack[-1] = (self._stack[-1],)

    def _tuple_of_two(self) -> None:
        self.budget.spend_sequence()
        self._stack[-2:] = [(self._stack[-2], self._stack[-1])]

    def _tuple_of_three(self) -> None:
        self._stack[-3:] = [(self._stack[-3], self._stack[-2], self._stack[-1])]

    def _empty_list(self) -> None:
        self.budget.spend_sequence()
        self._stack.append([])

    def _empty(self, kind: type) -> None:
        self.budget.spend_containers()
        self._stack.append(kind())

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
        if isinstance(value, UnknownObject):
            return value.items
        if type(value) is not list:
            raise CheckpointError(f"expected a list, got {type(value).__name__}")
        return value

    def _set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set_pairs([key, value])

    def _set_pairs(self, items: list[Any]) -> None:
        if len(items) % 2:
            raise CheckpointError("the last key of a dict has no value")
        target = self._stack[-1]
        if isinstance(target, UnknownObject):
            target = target.pairs
        if not isinstance(target, dict):
            raise CheckpointError(f"expected a dict, got {type(target).__name__}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[self.check_key(key)] = value

    def _add_items(self) -> None:
        items = self._pop_to_mark()
        target = self._stack[-1]
        if isinstance(target, UnknownObject):
            target.items.extend(items)
        elif type(target) is set:
            target.update(map(self.check_key, items))
        else:
            raise CheckpointError(f"expected a set, got {type(target).__name__}")

    def _frozen_set(self) -> None:
        items = self._pop_to_mark()
        self.budget.spend_containers()
        self._stack.append(frozenset(map(self.check_key, items)))

    def _get(self, index: int) -> None:
        # Picklers count from 0, so that nearly all of the memo is a list, the smallest.
        is_near = 0 <= index < len(self._memo)
        self._stack.append(self._memo[index] if is_near else self._distant[index])

    def _put(self, index: int) -> None:
        if index == len(self._memo):
            self._memo.append(self._stack[-1])
        elif 0 <= index < len(self._memo):
            self._memo[index] = self._stack[-1]
        else:
            self.budget.spend_containers()
            self._distant[index] = self._stack[-1]

    # Instructions: what reaches outside

    def _global(self) -> None:
        module, name = self._line().decode("utf-8"), self._line().decode("utf-8")
        if len(module) + len(name) > NAME:
            self.budget.spend(len(module) + len(name), "a name in the pickle")
        self._push_global(module, name)

    def _stack_global(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if type(name) is not str or type(module) is not str:
            raise CheckpointError("the module and the name of a global must be strings")
        self._push_global(module, name)

    def _push_global(self, module: str, name: str) -> None:
        if len(module) + len(name) > LONGEST_NAME:
            raise CheckpointError(
                f"the name of a class must have at most {LONGEST_NAME} characters, got "
                f"{len(module) + len(name)}"
            )
        self._stack.append(self.find(Global(module, name)))

    def _called(self, function: Any, arguments: Any) -> Any:
        if type(arguments) is not tuple:
            raise CheckpointError(
                f"the arguments of a call must be a tuple, got {type(arguments).__name__}"
            )
        self.budget.spend_containers()
        return self.call(function, arguments)

    def _reduce(self) -> None:
        arguments = self._stack.pop()
        self._stack[-1] = self._called(self._stack[-1], arguments)

    def _new_object_with_names(self) -> None:
        keywords = self._stack.pop()
        if type(keywords) is not dict:
            raise CheckpointError(
                f"the keywords of a call must be a dict, got {type(keywords).__name__}"
            )
        arguments = self._stack[-1]
        if keywords and type(arguments) is tuple:
            self.budget.spend(8 * len(arguments), "the arguments of a call")
            self._stack[-1] = (*arguments, keywords)
        self._reduce()

    def _object(self) -> None:
        kind, *arguments = self._pop_to_mark()
        self._stack.append(self._called(kind, tuple(arguments)))

    def _instance(self) -> None:
        arguments = tuple(self._pop_to_mark())
        self._global()
        self._stack[-1] = self._called(self._stack[-1], arguments)

    def _build(self) -> None:
        state = self._stack.pop()
        self.set_state(self._stack[-1], state)

    def _persistent(self) -> None:
        self._stack[-1] = self.load_persistent(self._stack[-1])


def _not_a_number(line: bytes) -> CheckpointError:
    return CheckpointError(
        f"expected a number of at most {MOST_DIGITS} decimal digits, got {shown(line)}"
    )


def _check_key_parts(key: Any) -> int:
    """Check that `key` is an atom, or a small nest of tuples of atoms; return its parts."""
    parts = [key]
    for part in parts:  # which grows
        if len(parts) > MOST_KEY_PARTS:
            raise ForeignError(f"a key must have at most {MOST_KEY_PARTS} parts")
        if type(part) in (tuple, frozenset):
            parts += itertools.islice(part, MOST_KEY_PARTS)
        elif type(part) is int and part.bit_length() > MOST_KEY_BITS:
            raise ForeignError(
                f"an integer in a key must have at most {MOST_KEY_BITS} bits, got "
                f"{part.bit_length()}"
            )
        elif type(part) not in SAFE_KEYS and not isinstance(part, OTHER_KEYS):
            raise ForeignError(
                "a key of a dict or an item of a set must be a number, a string, bytes or a "
                f"tuple of them, got {type_name(part)}"
            )
    return len(parts)


UINT16, UINT32, UINT64 = (struct.Struct("<" + code) for code in "HIQ")
INT32, FLOAT64 = struct.Struct("<i"), struct.Struct(">d")

# The codec warns about invalid escapes: only valid ones get there.
INVALID_ESCAPE = re.compile(rb"\\(?!['\"abfnrtv]|x[0-9a-fA-F]{2})")

STOP = pickle.STOP[0]

Instruction = Callable[[PickleMachine], object]

# m is the machine.
_BY_CODE: dict[bytes, Instruction] = {
    pickle.PROTO: PickleMachine._protocol,
    pickle.FRAME: lambda m: m._take(8),  # of no use here
    pickle.INT: PickleMachine._integer_line,
    pickle.LONG: lambda m: m._stack.append(m._decimal(m._line().removesuffix(b"L"))),
    pickle.FLOAT: PickleMachine._float_line,
    pickle.BININT: lambda m: m._stack.append(m._number(INT32)),
    pickle.BININT1: lambda m: m._stack.append(m._byte()),
    pickle.BININT2: lambda m: m._stack.append(m._number(UINT16)),
    pickle.BINFLOAT: lambda m: m._stack.append(m._number(FLOAT64)),
    pickle.LONG1: lambda m: m._long(m._byte()),
    pickle.LONG4: lambda m: m._long(m._number(INT32)),
    pickle.STRING: PickleMachine._string_line,
    pickle.BINSTRING: lambda m: m._string(m._number(INT32)),
    pickle.SHORT_BINSTRING: lambda m: m._string(m._byte()),
    pickle.UNICODE: PickleMachine._unicode_line,
    pickle.BINUNICODE: lambda m: m._text(m._number(UINT32)),
    pickle.SHORT_BINUNICODE: lambda m: m._text(m._byte()),
    pickle.BINUNICODE8: lambda m: m._text(m._number(UINT64)),
    pickle.BINBYTES: lambda m: m._push_bytes(m._take(m._number(UINT32))),
    pickle.SHORT_BINBYTES: lambda m: m._push_bytes(m._take(m._byte())),
    pickle.BINBYTES8: lambda m: m._push_bytes(m._take(m._number(UINT64))),
    pickle.BYTEARRAY8: lambda m: m._push_bytes(bytearray(m._take(m._number(UINT64)))),
    pickle.NONE: lambda m: m._stack.append(None),
    pickle.NEWTRUE: lambda m: m._stack.append(True),
    pickle.NEWFALSE: lambda m: m._stack.append(False),
    pickle.EMPTY_LIST: PickleMachine._empty_list,
    pickle.EMPTY_DICT: lambda m: m._empty(dict),
    pickle.EMPTY_TUPLE: lambda m: m._stack.append(()),
    pickle.EMPTY_SET: lambda m: m._empty(set),
    pickle.MARK: PickleMachine._mark,
    pickle.POP: PickleMachine._pop,
    pickle.POP_MARK: PickleMachine._pop_to_mark,
    pickle.DUP: lambda m: m._stack.append(m._stack[-1]),
    pickle.LIST: lambda m: m._sequence(list),
    pickle.TUPLE: lambda m: m._sequence(tuple),
    pickle.TUPLE1: PickleMachine._tuple_of_one,
    pickle.TUPLE2: PickleMachine._tuple_of_two,
    pickle.TUPLE3: PickleMachine._tuple_of_three,
    pickle.DICT: PickleMachine._dict,
    pickle.FROZENSET: PickleMachine._frozen_set,
    pickle.APPEND: PickleMachine._append,
    pickle.APPENDS: PickleMachine._appends,
    pickle.SETITEM: PickleMachine._set_item,
    pickle.SETITEMS: lambda m: m._set_pairs(m._pop_to_mark()),
    pickle.ADDITEMS: PickleMachine._add_items,
    pickle.GET: lambda m: m._get(m._decimal(m._line())),
    pickle.BINGET: lambda m: m._get(m._byte()),
    pickle.LONG_BINGET: lambda m: m._get(m._number(UINT32)),
    pickle.PUT: lambda m: m._put(m._decimal(m._line())),
    pickle.BINPUT: lambda m: m._put(m._byte()),
    pickle.LONG_BINPUT: lambda m: m._put(m._number(UINT32)),
    pickle.MEMOIZE: lambda m: m._put(len(m._memo)),
    pickle.GLOBAL: PickleMachine._global,
    pickle.STACK_GLOBAL: PickleMachine._stack_global,
    pickle.REDUCE: PickleMachine._reduce,
    pickle.NEWOBJ: PickleMachine._reduce,  # a class is called like a function
    pickle.NEWOBJ_EX: PickleMachine._new_object_with_names,
    pickle.OBJ: PickleMachine._object,
    pickle.INST: PickleMachine._instance,
    pickle.BUILD: PickleMachine._build,
    pickle.BINPERSID: PickleMachine._persistent,
    pickle.PERSID: lambda m: m._stack.append(m.load_persistent(m._line().decode("latin-1"))),
}

_INSTRUCTIONS: list[Instruction | None] = [_BY_CODE.get(bytes([code])) for code in range(256)]

"""Lists, tuples, sets and dictionaries: what their items and methods give, and what they are afterwards."""

from __future__ import annotations

from omni.verify.dataflow.folding import literal, opaque
from omni.verify.dataflow.value import (
    MOST_ITEMS,
    NONE,
    UNKNOWN,
    Const,
    Instance,
    Sequence,
    Table,
    Value,
    constant,
    join,
    join_all,
    taints_in,
    united,
)


def key_of(value: Value) -> object:
    """A key that is written out, also a tuple of such; `...` when it is not."""
    if isinstance(value.shape, Const):
        return value.shape.value
    if isinstance(value.shape, Sequence) and value.shape.rest is None and value.shape.items:
        keys = tuple(key_of(item) for item in value.shape.items)
        return ... if ... in keys else keys
    return ...


def key_value(key: object) -> Value:
    return literal(key)


def element(container: Value) -> Value:
    """What a loop over it gives, whichever."""
    shape = container.shape
    if isinstance(shape, Sequence):
        found = join_all([*shape.items, *([shape.rest] if shape.rest is not None else [])])
    elif isinstance(shape, Table):
        keys = [key_value(key) for key in shape.entries]
        found = join_all([*keys, *([opaque(shape.rest)] if shape.rest is not None else [])])
    elif isinstance(shape, Const) and isinstance(shape.value, str) and len(shape.value) == 1:
        found = container
    else:
        found = UNKNOWN
    return _with(found, container)


def item(container: Value, index: Value) -> Value:
    """`container[index]`"""
    shape, key = container.shape, key_of(index)
    if isinstance(shape, Sequence):
        found = _at(shape, key)
    elif isinstance(shape, Table):
        found = _of_key(shape, key)
    elif isinstance(shape, Const) and isinstance(shape.value, str | bytes) and isinstance(key, int):
        try:
            found = literal(shape.value[key])
        except IndexError:
            found = UNKNOWN
    elif isinstance(shape, Instance):
        found = opaque(container)
    else:
        found = UNKNOWN
    return _with(found, container)


def _at(shape: Sequence, key: object) -> Value:
    if isinstance(key, int) and shape.rest is None and -len(shape.items) <= key < len(shape.items):
        return shape.items[key]
    if isinstance(key, int) and 0 <= key < len(shape.items) and shape.rest is not None:
        return shape.items[key]
    return join_all([*shape.items, *([shape.rest] if shape.rest is not None else [])])


def _of_key(shape: Table, key: object) -> Value:
    if key is not ... and key in shape.entries:
        return shape.entries[key]
    if key is not ...:
        return shape.rest if shape.rest is not None else UNKNOWN
    return join_all([*shape.entries.values(), *([shape.rest] if shape.rest is not None else [])])


def _with(value: Value, container: Value) -> Value:
    """What is taken out of something untrusted is untrusted."""
    return Value(value.shape, united(value.taints, container.taints)) if container.taints else value


def slice_of(container: Value, low: Value | None, high: Value | None) -> Value:
    shape = container.shape
    keys = [None if each is None else key_of(each) for each in (low, high)]
    ends = [each for each in keys if each is None or isinstance(each, int)]
    plain = len(ends) == len(keys)
    if plain and isinstance(shape, Const) and isinstance(shape.value, str | bytes):
        cut = shape.value[slice(*ends)]
        return Value(literal(cut).shape, container.taints)
    if plain and isinstance(shape, Sequence) and shape.rest is None:
        return Value(Sequence(shape.items[slice(*ends)]), container.taints)
    if isinstance(shape, Sequence):
        return Value(Sequence((), element(Value(shape))), container.taints)
    return opaque(container)


def with_item(container: Value, index: Value, value: Value) -> Value:
    """As `container[index] = value` leaves it."""
    shape, key = container.shape, key_of(index)
    if isinstance(shape, Table) and key is not ... and (len(shape.entries) < MOST_ITEMS or key in shape.entries):
        return Value(Table({**shape.entries, key: value}, shape.rest), container.taints)
    if isinstance(shape, Table):
        rest = value if shape.rest is None else join(shape.rest, value)
        return Value(Table({k: join(v, value) for k, v in shape.entries.items()}, rest), container.taints)
    if isinstance(shape, Sequence):
        if isinstance(key, int) and -len(shape.items) <= key < len(shape.items) and (shape.rest is None or key >= 0):
            items = list(shape.items)
            items[key] = value
            return Value(Sequence(tuple(items), shape.rest), container.taints)
        return _loosened(container, value)
    return Value(shape, united(container.taints, taints_in(value)))


def without(container: Value, index: Value) -> Value:
    """As `del container[index]` leaves it."""
    shape, key = container.shape, key_of(index)
    if isinstance(shape, Table) and key is not ...:
        return Value(Table({k: v for k, v in shape.entries.items() if k != key}, shape.rest), container.taints)
    if isinstance(shape, Sequence):
        return pop(shape, container, key)[1]
    return container


def _loosened(container: Value, *values: Value) -> Value:
    """Something was put in, or moved, at a place that is not known."""
    shape = container.shape
    if not isinstance(shape, Sequence):
        return container
    held = [*shape.items, *([shape.rest] if shape.rest is not None else []), *values]
    return Value(Sequence((), join_all(held) if held else None), container.taints)


def pop(shape: Sequence, container: Value, key: object) -> tuple[Value, Value]:
    items = shape.items
    if shape.rest is None and isinstance(key, int) and -len(items) <= key < len(items):
        left = list(items)
        taken = left.pop(key)
        return _with(taken, container), Value(Sequence(tuple(left)), container.taints)
    return element(container), _loosened(container)


Outcome = tuple[Value, Value]
"""What the call gives, and what the container is then."""


def call_list(container: Value, name: str, given: list[Value]) -> Outcome | None:
    """A method of a list, tuple, set or deque; None when it is not known."""
    shape = container.shape
    if not isinstance(shape, Sequence):
        return None
    first = given[0] if given else UNKNOWN
    if name in {"append", "add"}:
        return NONE, _appended(container, shape, first)
    if name == "appendleft":
        return NONE, _inserted(container, shape, 0, first)
    if name == "insert" and len(given) == 2:
        return NONE, _inserted(container, shape, key_of(first), given[1])
    if name in {"extend", "update"}:
        return NONE, added(container, first)
    if name == "pop":
        return pop(shape, container, key_of(first) if given else -1)
    if name == "popleft":
        return pop(shape, container, 0)
    if name == "remove":
        return NONE, _removed(container, shape, key_of(first))
    if name == "clear":
        return NONE, Value(Sequence())
    if name == "reverse" and shape.rest is None:
        return NONE, Value(Sequence(shape.items[::-1]), container.taints)
    if name in {"sort", "reverse", "discard"}:
        return NONE, _loosened(container)
    if name in {"copy", "__iter__"}:
        return container, container
    return (UNKNOWN, container) if name in {"index", "count", "isdisjoint", "issubset"} else None


def _appended(container: Value, shape: Sequence, value: Value) -> Value:
    if shape.rest is None and len(shape.items) < MOST_ITEMS:
        return Value(Sequence((*shape.items, value)), container.taints)
    rest = value if shape.rest is None else join(shape.rest, value)
    return Value(Sequence(shape.items, rest), container.taints)


def _inserted(container: Value, shape: Sequence, place: object, value: Value) -> Value:
    if shape.rest is None and isinstance(place, int) and len(shape.items) < MOST_ITEMS:
        items = list(shape.items)
        items.insert(place, value)
        return Value(Sequence(tuple(items)), container.taints)
    return _loosened(container, value)


def _removed(container: Value, shape: Sequence, wanted: object) -> Value:
    known = [key_of(each) for each in shape.items]
    if shape.rest is None and wanted is not ... and ... not in known and wanted in known:
        return pop(shape, container, known.index(wanted))[1]
    position = known.index(wanted) if wanted in known and wanted is not ... else None
    if shape.rest is None and position is not None and ... not in known[:position]:
        return pop(shape, container, position)[1]
    return _loosened(container)


def added(container: Value, more: Value) -> Value:
    """One sequence after the other."""
    one, other = container.shape, more.shape
    taints = united(container.taints, more.taints)
    if isinstance(one, Sequence) and isinstance(other, Sequence) and one.rest is None:  # noqa: SIM102 - types
        if len(one.items) + len(other.items) <= MOST_ITEMS:
            return Value(Sequence((*one.items, *other.items), other.rest), taints)
    if isinstance(one, Sequence):
        rest = element(more)
        return Value(Sequence(one.items, rest if one.rest is None else join(one.rest, rest)), taints)
    return opaque(Value(Sequence((container, more))))


def call_table(container: Value, name: str, given: list[Value], named: dict[str, Value]) -> Outcome | None:
    """A method of a dictionary; None when it is not known."""
    shape = container.shape
    if not isinstance(shape, Table):
        return None
    first = given[0] if given else UNKNOWN
    default = given[1] if len(given) > 1 else NONE
    key = key_of(first)
    if name == "get":
        return _got(container, shape, key, default), container
    if name == "pop":
        return _got(container, shape, key, default), without(container, first)
    if name == "setdefault":
        value = _got(container, shape, key, default)
        return value, with_item(container, first, value)
    if name == "update":
        return NONE, merged(container, [first] if given else [], named)
    if name == "values":
        rest = None if shape.rest is None else shape.rest
        return Value(Sequence(tuple(shape.entries.values()), rest), container.taints), container
    if name == "keys":
        keys = tuple(key_value(each) for each in shape.entries)
        return Value(Sequence(keys, None if shape.rest is None else opaque(shape.rest)), container.taints), container
    if name == "items":
        pairs = tuple(Value(Sequence((key_value(key), each))) for key, each in shape.entries.items())
        rest = None if shape.rest is None else Value(Sequence((opaque(shape.rest), shape.rest)))
        return Value(Sequence(pairs, rest), container.taints), container
    if name == "clear":
        return NONE, Value(Table({}))
    return (container, container) if name == "copy" else None


def _got(container: Value, shape: Table, key: object, default: Value) -> Value:
    if key is not ... and key in shape.entries:
        return _with(shape.entries[key], container)
    found = _of_key(shape, key)
    known = key is not ... and shape.rest is None
    return _with(default if known else join(found, default), container)


def merged(container: Value, others: list[Value], named: dict[str, Value]) -> Value:
    """`{**container, **other, name=value}`"""
    shape = container.shape
    if not isinstance(shape, Table):
        return Value(shape, united(container.taints, *(taints_in(each) for each in (*others, *named.values()))))
    entries, rest, taints = dict(shape.entries), shape.rest, container.taints
    for other in others:
        taints = united(taints, other.taints)
        if isinstance(other.shape, Table):
            entries |= other.shape.entries
            if other.shape.rest is not None:
                rest = other.shape.rest if rest is None else join(rest, other.shape.rest)
        elif isinstance(other.shape, Sequence):  # pairs
            pair = element(other)
            value = item(pair, constant(1))
            rest = value if rest is None else join(rest, value)
        else:
            rest = opaque(other) if rest is None else join(rest, opaque(other))
    return Value(Table(entries | named, rest), taints)

"""What a provider in Python is written with: reads lines, accounts for every byte, talks to the host.

A provider is a module with two classes: `Provider`, which says what is read and from where, and `Scan`, which is given
one record after the other. `emit` what a record means, `skip` it where it gives no row, or leave it alone where its kind
is not known: it is kept and counted then.
"""

import json
from dataclasses import fields
from datetime import datetime, timezone
from math import isfinite

from componentize_py_types import Err
from wit_world.exports import Provider as _Provider
from wit_world.exports import provider as contract
from wit_world.imports import inputs, sink, types

MESSAGES = "ai_gateway.projected_exchange"

# Nested deeper than this, a record is taken for damage: the parser's stack has an end.
_DEEPEST = 500

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WHITE = b" \t\r\n"

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


# Fields of the contract's records, all absent, by record.
_ABSENT = {}


def _make(kind, /, **known):
    """Makes a record of the contract; what is not given is absent."""
    absent = _ABSENT.get(kind)
    if absent is None:
        absent = _ABSENT[kind] = dict.fromkeys(field.name for field in fields(kind))
    return kind(**(absent | known))


# What a provider is.


def description(name, title, version, *, summary="", clients=(), roots=()):
    """Says what a provider of messages is and wants."""
    return contract.Description(
        name, title, version, summary, [MESSAGES], list(clients), list(roots), settings=[]
    )


def client(title, versions, checked=None):
    """Names a client, what of it is read, and the recordings that this was checked against."""
    return contract.Client(title, versions, checked)


def root(name, *candidates, globs=(), depth=1):
    """Declares a folder, the places to look for it, and the files in it."""
    return contract.Root(name, contract.Purpose.HISTORY, list(candidates), list(globs), depth, [])


def home(below):
    """A place below the home folder."""
    return contract.Candidate_Home(below)


def data_home(below):
    """A place below `XDG_DATA_HOME`, by default `~/.local/share`."""
    return contract.Candidate_DataHome(below)


def variable(name, below=""):
    """A place that an environment variable names; where it is set, no other is looked at."""
    return contract.Candidate_Environment(contract.EnvironmentCandidate(name, False, below, True))


# What a record means.


def plain(value):
    """Returns a string that can be stored: a lone surrogate becomes U+FFFD. Anything else is nothing."""
    if not isinstance(value, str) or not value:
        return None
    return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def text(value):
    """Returns text that a person or a model wrote, exactly."""
    try:
        value.encode()
        return types.Text(value, None)
    except UnicodeEncodeError:
        return types.Text(plain(value), json.dumps(value))


def time(value):
    """Returns microseconds since 1970 of a time in ISO 8601, or nothing."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def count(value):
    """Returns a number of tokens, or nothing."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
    return value if is_count else None


def raw(value):
    """Returns a value as JSON text, or nothing where there is none."""
    if value is None:
        return None
    return plain(_ENCODER.encode(value))


def context(**known):
    """Where work was done: `cwd`, `model`, `client_version`, …"""
    if "git" not in known:
        known["git"] = _make(types.Git)
    return _make(types.Context, **known)


def thread(thread_id, provider, client_name, **known):
    """The head of a main thread."""
    known.setdefault("session_id", thread_id)
    known.setdefault("kind", types.ThreadKind.MAIN)
    known.setdefault("may_start_with_copy", False)
    if "context" not in known:
        known["context"] = context()
    return _make(types.Thread, id=thread_id, provider=provider, client=client_name, **known)


def usage(**known):
    """Tokens of one response: `input` (net), `output`, `cache_read`, `cache_write`, `reasoning`, …"""
    return _make(types.Usage, **known)


def said(value):
    """A part of text."""
    return types.Part("text", types.Content_Text(text(value)))


def called(call_id, name, arguments):
    """A part that calls a tool."""
    call = types.ToolCall(plain(call_id), plain(name), raw(arguments), None)
    return types.Part("tool_use", types.Content_ToolCall(call))


def returned(call_id, value, is_error=None):
    """A part that a tool gave back."""
    gave = text(value) if isinstance(value, str) else None
    result = types.ToolResult(plain(call_id), gave, None, is_error)
    return types.Part("tool_result", types.Content_ToolResult(result))


class Provider(_Provider):
    """A provider whose units are files."""

    def plan(self, entries):
        """Makes one unit of every file, with its path as the id."""
        units = [contract.Unit(entry.path, [at], b"", None) for at, entry in enumerate(entries)]
        return contract.PlanResult(units, [])

    def counters(self, scan):
        """Returns the client's own totals."""
        return []


class LineScan(contract.Scan):
    """A unit of files that hold a JSON record a line."""

    def __init__(self, unit_id, entries):
        self._events = []
        self._inputs = len(entries)
        self._index = 0
        self._open = None
        self._claimed = False
        self.begin(unit_id, entries)

    # To be written by a provider.

    def begin(self, unit_id, entries):
        """Called before the first record."""

    def record(self, record, span):
        """Takes a record, which is a `dict`."""
        raise NotImplementedError

    def end(self):
        """Called after the last record."""

    # To be called by a provider.

    def thread_start(self, head):
        """Begins a thread; messages that follow are its own."""
        self._events.append(sink.Event_ThreadStart(head))

    def thread_end(self):
        """Ends the thread."""
        self._events.append(sink.Event_ThreadEnd())

    def message(self, span, role, parts, **known):
        """Emits a message."""
        known.setdefault("is_copy", False)
        message = _make(types.Message, span=span, role=role, parts=parts, **known)
        self._events.append(sink.Event_Message(message))
        self._claimed = True

    def fact(self, thread_id, name, value, rank=0):
        """Says something about a thread that is no message: `title`, …"""
        value = plain(value)
        if value is not None:
            about = types.Subject_Thread(thread_id)
            self._events.append(sink.Event_Fact(types.Fact(about, name, value, rank)))

    def skip(self, span, kind):
        """Accounts for a record of a known kind that gives no row."""
        self._events.append(sink.Event_Skip(types.Skip(span, kind, 1)))
        self._claimed = True

    # The contract.

    @classmethod
    def open(cls, unit_id, entries, context, checkpoint):
        if checkpoint is not None:
            raise Err(types.Fault_Source("this provider gives no checkpoints"))
        return cls(unit_id, entries)

    def advance(self, budget):
        is_done = self._step(max(budget // 4, 4096))
        if self._events:
            events, self._events = self._events, []
            sink.emit(events)
        return types.Progress(is_done, None)

    def _step(self, size):
        """Reads on a little; says whether this was the end."""
        try:
            if self._open is None:
                if self._index == self._inputs:
                    self.end()
                    return True
                self._open = inputs.Input.open(self._index, 0)
            chunk = self._open.read_lines(size)
        except Err as error:
            raise Err(types.Fault_Source(f"an input cannot be read: {error.value}")) from None
        if isinstance(chunk, inputs.Chunk_Lines):
            self._lines(chunk.value.offset, chunk.value.bytes)
        elif isinstance(chunk, inputs.Chunk_LongLine):
            line = chunk.value
            self._fail(types.Span(self._index, line.offset, line.length), types.FailureClass.TOO_LONG, "a long line")
        else:
            self._open.__exit__(None, None, None)
            self._open = None
            self._index += 1
        return False

    def _lines(self, offset, lines):
        start = 0
        while start < len(lines):
            end = lines.find(b"\n", start) + 1 or len(lines)
            self._line(types.Span(self._index, offset + start, end - start), lines[start:end])
            start = end

    def _line(self, span, line):
        # A byte order mark belongs to the first record; a run of NULs, left by a crash, is blank.
        if span.offset == 0:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        rest = line.lstrip(b"\0")
        if not rest.strip(_WHITE + b"\0"):
            return self.skip(span, "blank")
        if len(rest) < len(line):
            nuls = span.length - len(rest)
            self.skip(types.Span(span.input, span.offset, nuls), "blank")
            span = types.Span(span.input, span.offset + nuls, len(rest))
        try:
            record = _parse(rest.rstrip(_WHITE + b"\0").lstrip(_WHITE))
        except (ValueError, RecursionError):
            return self._fail(span, types.FailureClass.MALFORMED, "no JSON")
        if not isinstance(record, dict):
            return self._fail(span, types.FailureClass.UNKNOWN, "no object")
        self._claimed = False
        self.record(record, span)
        if not self._claimed:
            kind = plain(record.get("type")) or "record without a type"
            self._fail(span, types.FailureClass.UNKNOWN, kind[:64])

    def _fail(self, span, kind, reason):
        self._events.append(sink.Event_Failure(types.Failure(span, kind, reason)))
        self._claimed = True


def _parse(line):
    """Returns what a line of JSON says; what only Python takes for JSON is refused."""
    if line.count(b"[") + line.count(b"{") > _DEEPEST and _depth(line) > _DEEPEST:
        raise ValueError("nested too deep")
    # Bytes would be taken for UTF-16 where they look like it.
    return _DECODER.decode(line.decode())


def _refuse(word):
    """Refuses `NaN` and `Infinity`, which are no JSON."""
    raise ValueError(word)


def _finite(written):
    number = float(written)
    return number if isfinite(number) else _refuse(written)


# Made once: each would cost as much as a short record.
_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _depth(line):
    """Returns how deep values are nested, at least: brackets in strings count too."""
    depth = deepest = 0
    for byte in line:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest

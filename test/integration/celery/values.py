"""Values that a careless copy would change, and tasks that say what they were given."""
import datetime
import decimal
import uuid

from celery import Celery

app = Celery("values")


def nested(depth):
    value = "deep"
    for level in range(depth):
        value = [value] if level % 2 == 0 else {"k": value}
    return value


VALUES = {
    "integer beyond 2^53": 2**53 + 1,
    "integer of 200 digits": 10**200 + 7,
    "negative integer beyond 2^63": -(2**63) - 1,
    "one": 1,
    "one as a float": 1.0,
    "minus zero": -0.0,
    "the least float": 5e-324,
    "a float of 17 digits": 0.1 + 0.2,
    "NaN": float("nan"),
    "Infinity": [float("inf"), {"x": float("-inf")}],
    "a date and time": datetime.datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=datetime.timezone.utc),
    "a date": datetime.date(2026, 2, 28),
    "a time": datetime.time(1, 2, 3),
    "a decimal": decimal.Decimal("0.10000000000000000000000000000000001"),
    "a uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "bytes": b"plain",
    "bytes that are no text": bytes(range(256)),
    "unicode": "größer 漢字 🎼 e\u0301",
    "a lone surrogate": "\ud83d and \udc00",
    "control characters": "\x00\x01\x1f\x7f\u2028\u2029",
    "text that looks like JSON": '{"__type__": "datetime", "x": [1, NaN]}',
    "text with quotes and backslashes": 'a "b" \\ \\u0041 \\\\ / \b\f\n\r\t',
    "keys in their order": {"b": 1, "a": 2, "10": 3, "9": 4, "": 5},
    "the key __proto__": {"__proto__": {"x": 1}, "constructor": 2},
    "a depth of 50": nested(50),
    "a depth of 400": nested(400),
    "nothing": None,
    "false": False,
    "empty": [[], {}, ""],
    "a list that could be a list of results": [[1, None], [True]],
}


@app.task(name="value_names")
def value_names():
    return list(VALUES)


@app.task(name="give")
def give(name):
    return VALUES[name]


@app.task(name="same")
def same(value):
    return value


@app.task(name="pair")
def pair(value, other):
    return [value, other]


@app.task(name="said")
def said(value):
    """As text that travels safely."""
    return ascii(value)


@app.task(name="said_of")
def said_of(name):
    """What `said` says of the value itself."""
    return ascii(VALUES[name])


@app.task(name="said_args")
def said_args(*args, **kwargs):
    return ascii([args, kwargs])

"""The tasks of celery-runs-workflow.test.ts, as a user of Celery writes them."""
import json
import os
import signal

import redis
from celery import Celery

app = Celery("canvas")
app.conf.update(task_track_started=True)
notes = redis.Redis.from_url(os.environ["CELERY_BROKER_URL"])


def note(key, value):
    notes.rpush(f"test:{key}", json.dumps(value))


@app.task(name="add")
def add(x, y):
    return x + y


@app.task(name="square")
def square(x):
    return x * x


@app.task(name="total")
def total(numbers):
    return sum(numbers)


@app.task(name="same")
def same(value):
    return value


@app.task(name="kind")
def kind(value):
    return [type(value).__name__, repr(value)]


@app.task(name="greet")
def greet(greeting, name="nobody", times=1):
    return f"{greeting} {name}" * times


@app.task(name="divide")
def divide(x, y):
    return x / y


@app.task(name="die")
def die(why):
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(name="on_success")
def on_success(result, user_id):
    note(user_id, result)


@app.task(name="on_fail")
def on_fail(request, exc, traceback):
    note(
        f"failed:{request.id}",
        {
            "context": type(request).__name__,
            "id": request.id,
            "task": request.task,
            "args": list(request.args),
            "kwargs": dict(request.kwargs),
            "isException": isinstance(exc, Exception),
            "cause": repr(exc.__cause__) if exc.__cause__ is not None else repr(exc),
            "traceback": traceback,
        },
    )


@app.task(name="cleanup")
def cleanup(outcome):
    note("cleanup", outcome)

"""The benchmark's tasks for Celery, and what a client of Celery does with them: prints one JSON object."""
import json
import math
import sys
import time
from datetime import datetime, timezone

from celery import Celery, chain, chord, group

app = Celery("bench_app")
# Results are stored, as Arpeggio needs them; everything else is Celery's default.
app.conf.update(task_default_queue="bench-celery")


def now():
    return time.monotonic_ns() / 1e6


@app.task(name="noop")
def noop(*_):
    return None


@app.task(name="count")
def count(items):
    return len(items)


@app.task(name="late")
def late(due_ms):
    return time.time() * 1000 - due_ms


@app.task(name="stamp")
def stamp(stamps=None):
    began = now()
    return [*(stamps or []), [began, now()]]


def chains(times, length):
    """Ids of the final results of chains of no-ops that ran one after the other."""
    ids = []
    for _ in range(times):
        result = chain(*[noop.si() for _ in range(length)]).apply_async()
        result.get(timeout=60)
        ids.append(result.id)
    return {"ids": ids}


def stamped(times, length):
    """Milliseconds from each task's end to the next one's beginning."""
    gaps = []
    for _ in range(times):
        stamps = chain(*[stamp.s() for _ in range(length)]).apply_async().get(timeout=60)
        gaps.extend(after[0] - before[1] for before, after in zip(stamps, stamps[1:]))
    return {"gaps": gaps}


def groups(members, *_):
    began = now()
    group(noop.si() for _ in range(members)).apply_async().get(timeout=900)
    return {"ms": now() - began}


def chords(members, *_):
    began = now()
    chord((noop.si() for _ in range(members)), count.s()).apply_async().get(timeout=900)
    return {"ms": now() - began}


def many(tasks, *_):
    began = now()
    results = [noop.apply_async() for _ in range(tasks)]
    posted = now()
    for result in results:
        result.get(timeout=300)
    return {"postMs": posted - began, "endedMs": now() - posted}


def countdowns(tasks, seconds):
    for _ in range(tasks):
        noop.apply_async(countdown=seconds)
    return {}


def lateness(tasks, between_ms, after_ms):
    first = time.time() * 1000 + after_ms
    due = [first + index * between_ms for index in range(tasks)]
    results = [late.apply_async([at], eta=datetime.fromtimestamp(at / 1000, timezone.utc)) for at in due]
    found = sorted(result.get(timeout=300) for result in results)
    return {"late99": found[math.ceil(len(found) * 0.99) - 1]}


def publish(messages, *_):
    noop.apply_async(queue="bench-nobody")
    began = now()
    for _ in range(messages):
        noop.apply_async(queue="bench-nobody")
    took = now() - began
    with app.connection_or_acquire() as connection:
        connection.default_channel.queue_purge("bench-nobody")
    return {"perSecond": messages / took * 1000}


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    known = {f.__name__: f for f in (chains, stamped, groups, chords, many, countdowns, lateness, publish)}
    print(json.dumps(known[what](*map(int, numbers))))

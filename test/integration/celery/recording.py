"""Tasks that note every call of theirs, and the canvases made of them, built as a user of Celery builds them.

A task is known by its keyword argument `at`: "<run>/<name>". Its calls are in the Redis list test:calls:<run>.
"""
import json
import os

import redis
from celery import Celery, chain, chord, group, signature

app = Celery("recording")
notes = redis.Redis.from_url(os.environ["CELERY_BROKER_URL"])


def note(at, **what):
    run, name = at.split("/")
    notes.rpush(f"test:calls:{run}", json.dumps({"at": name, **what}))
    return name


@app.task(name="succeed", bind=True)
def succeed(self, *args, at, gives=None):
    name = note(at, args=args, id=self.request.id)
    return name if gives is None else gives["value"]


@app.task(name="fail", bind=True)
def fail(self, *args, at):
    raise ValueError(note(at, args=args, id=self.request.id))


@app.task(name="told")
def told(request, exc, traceback, *args, at):
    # Celery may call an errback for a composite, which has no name of ours.
    failed = (request.kwargs or {}).get("at")
    note(at, args=args, failed=failed and failed.split("/")[1])


def built(tree):
    """The signature of an element of a Workflow."""
    if "chain" in tree:
        made = chain(*[built(each) for each in tree["chain"]])
    elif "group" in tree:
        made = group([built(each) for each in tree["group"]])
    elif "chord" in tree:
        made = chord([built(each) for each in tree["chord"]["header"]], built(tree["chord"]["body"]))
    else:
        made = signature(tree["task"], tree.get("args", []), tree["kwargs"], immutable=tree.get("immutable", False), app=app)
    for each in tree.get("link", []):
        made.link(built(each))
    for each in tree.get("linkError", []):
        made.link_error(built(each))
    return made


def apply_all(canvases):
    """Applies each canvas by its run; notes where its result is to be found, or why Celery refused it."""
    for run, canvas in canvases.items():
        try:
            said = {"result": built(canvas).apply_async().as_tuple()}
        except Exception as refusal:  # whatever a client may get
            said = {"refused": f"{type(refusal).__name__}: {refusal}"}
        notes.set(f"test:applied:{run}", json.dumps(said))

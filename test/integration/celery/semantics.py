"""What tasks can do besides returning and raising, as users of Celery write it; calls are noted as in recording.py."""
import os
import signal
import time

from celery.exceptions import Ignore, Reject
from recording import app, note, notes


def die(task_id):
    """As the kernel kills a process; first its worker has to know who runs the task, or Celery gives it to another."""
    while any(task_id.encode() in message for message in notes.hvals("unacked")):
        time.sleep(0.005)
    os.kill(os.getpid(), signal.SIGKILL)


def times_called(at):
    """Counts in Redis, for a retried task may run in any process."""
    return notes.incr(f"test:times:{at}")


@app.task(name="lineage", bind=True)
def lineage(self, *args, at):
    request = self.request
    known = {"id": request.id, "root": request.root_id, "parent": request.parent_id}
    note(at, args=args, time=time.time(), priority=request.delivery_info.get("priority"), **known)
    return at.split("/")[1]


@app.task(name="named")
def named(*args, at, **kwargs):
    note(at, args=args, kwargs=kwargs)
    return kwargs


@app.task(name="retries", bind=True, max_retries=3)
def retries(self, *args, at, failures):
    """Asks Celery to run it again until it has failed so often."""
    note(at, args=args, id=self.request.id, retries=self.request.retries)
    if times_called(at) <= failures:
        raise self.retry(countdown=0)
    return self.request.retries


@app.task(name="retries_with", bind=True, max_retries=1)
def retries_with(self, *args, at):
    note(at, args=args)
    raise self.retry(exc=KeyError("gone"), countdown=0)


@app.task(
    name="autoretry",
    bind=True,
    autoretry_for=(Exception,),
    dont_autoretry_for=(KeyError,),
    max_retries=2,
    retry_backoff=False,
    default_retry_delay=0,
)
def autoretry(self, *args, at, failures, exc="ValueError"):
    note(at, args=args)
    if times_called(at) <= failures:
        raise {"ValueError": ValueError, "KeyError": KeyError}[exc]("not yet")
    return "at last"


@app.task(name="retries_with_args", bind=True, default_retry_delay=0)
def retries_with_args(self, *args, at, **kwargs):
    """Asks Celery to run it again with other arguments; of keyword arguments it says nothing."""
    note(at, args=args, kwargs=kwargs)
    if self.request.retries == 0:
        raise self.retry(args=["other"])
    return list(args)


@app.task(name="fails_until")
def fails_until(*args, at, failures, exc="ValueError"):
    """Fails plainly, for a retry of the Workflow's."""
    note(at, args=args)
    if times_called(at) <= failures:
        raise {"ValueError": ValueError, "KeyError": KeyError}[exc]("not yet")
    return "at last"


@app.task(name="replaced", bind=True)
def replaced(self, *args, at, by):
    note(at, args=args)
    from celery import chain, group

    a, b, c = [app.signature("succeed", kwargs={"at": f"{at}{name}"}, immutable=True) for name in "abc"]
    by_what = {
        "task": lambda: a,
        "failure": lambda: app.signature("fail", kwargs={"at": f"{at}a"}, immutable=True),
        "chain": lambda: chain(a, b),
        "group": lambda: group(a, b),
        "chain of a group": lambda: chain(a, group(b, c)),
    }
    raise self.replace(by_what[by]())


@app.task(name="ignores")
def ignores(*args, at):
    note(at, args=args)
    raise Ignore()


@app.task(name="rejects")
def rejects(*args, at):
    note(at, args=args)
    raise Reject("no", requeue=False)


@app.task(name="result_ignored", ignore_result=True)
def result_ignored(*args, at):
    note(at, args=args)
    return "kept all the same"


@app.task(name="unencodable")
def unencodable(*args, at):
    note(at, args=args)
    return object()


@app.task(name="killed", bind=True)
def killed(self, *args, at, deaths):
    note(at, args=args)
    if times_called(at) <= deaths:
        die(self.request.id)
    return "alive"


@app.task(name="killed_and_retried", bind=True, retry_on_worker_lost=True, default_retry_delay=0)
def killed_and_retried(self, *args, at, deaths):
    note(at, args=args)
    if times_called(at) <= deaths:
        die(self.request.id)
    return "alive"


@app.task(name="too_long", time_limit=1)
def too_long(*args, at):
    note(at, args=args)
    time.sleep(30)


@app.task(name="sleeps", bind=True)
def sleeps(self, *args, at, seconds):
    note(at, args=args, id=self.request.id)
    time.sleep(seconds)
    return "slept"


@app.task(name="sleeps_at_first")
def sleeps_at_first(*args, at, seconds):
    note(at, args=args)
    if times_called(at) == 1:
        time.sleep(seconds)
    return "at last"


@app.task(name="retries_later", bind=True)
def retries_later(self, *args, at, seconds):
    note(at, args=args, id=self.request.id)
    if self.request.retries == 0:
        raise self.retry(countdown=seconds)
    return "later"


@app.task(name="told_by_id")
def told_by_id(task_id, *, at):
    note(at, args=[], failed_id=task_id)


@app.task(name="told_bound", bind=True)
def told_bound(self, task_id, *, at):
    note(at, args=[], failed_id=task_id)


@app.task(name="told_and_raises")
def told_and_raises(request, exc, traceback, *, at):
    note(at, args=[])
    raise RuntimeError("an errback of its own trouble")


@app.task(name="told_all")
def told_all(request, exc, traceback, *args, at):
    """All that an errback can ask of what it is told."""
    note(
        at,
        args=args,
        context=type(request).__name__,
        id=request.id,
        task=request.task,
        taskArgs=list(request.args),
        taskKwargs={key: value for key, value in request.kwargs.items() if key != "at"},
        isException=isinstance(exc, Exception),
        cause=repr(exc.__cause__ or exc),
        traceback=traceback,
    )


@app.task(name="doubled")
def doubled(x):
    return x * 2


@app.task(name="added")
def added(x, y):
    return x + y

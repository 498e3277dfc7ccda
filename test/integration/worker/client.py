"""A Celery application that knows none of the tasks it calls."""

import os

from celery import Celery

app = Celery("client", broker=os.environ["CELERY_BROKER_URL"], backend=os.environ["CELERY_RESULT_BACKEND"])


@app.task(name="python.noop")
def noop():
    return None

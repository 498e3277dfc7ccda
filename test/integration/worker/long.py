"""A Celery application whose one task takes its time."""

import time

from celery import Celery

app = Celery("long")


@app.task(name="long")
def long(seconds):
    time.sleep(seconds)
    return "rested"

"""A Celery application whose tasks take their time."""

import os
import time

from celery import Celery

app = Celery("long")


@app.task(name="held")
def held(path):
    while not os.path.exists(path):
        time.sleep(0.02)
    return "rested"


@app.task(name="long")
def long(seconds):
    time.sleep(seconds)
    return "rested"

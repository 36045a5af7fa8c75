"""A shop in two services of one program: `/order` asks `/payment` of the service named by
PAYMENT_URL, so a trace is a tree over both. Some payments fail and some are slow, as the environment
says. Telemetry is set up by document.py and telemetry.py, which are imported first: Flask is
instrumented before the application is made.
"""

import os
import random
import threading
import time
import uuid

import document
import telemetry
import flask
import requests
from opentelemetry import trace

PAYMENT_URL = os.environ.get("PAYMENT_URL", "http://payment:8080/payment")
PAYMENT_WITHIN = 10
SLOW_SECONDS = float(os.environ.get("SLOW_SECONDS", "0"))
# Most items of one order: each is a span, for loads of many spans and few requests.
MOST_ITEMS = 1000
# Probes are no customers.
UNCOUNTED = "/healthz"


class Share:
    """Says yes to this share of the questions, evenly spread: of any hundred in a row, a share of
    0.05 gets five, so that what was sent and what is measured can be compared."""

    def __init__(self, name):
        self._share = float(os.environ.get(name, "0"))
        self._due = 0.0
        self._lock = threading.Lock()

    def take(self):
        with self._lock:
            self._due += self._share
            taken = self._due >= 1
            self._due -= taken
            return taken


fails = Share("ERROR_SHARE")
is_slow = Share("SLOW_SHARE")
answers = telemetry.Requests()
log = telemetry.logger("shop")
app = flask.Flask("shop")


@app.before_request
def begin():
    flask.g.begun = time.monotonic()


@app.after_request
def count(response):
    rule = flask.request.url_rule
    route = rule.rule if rule else "unknown"
    if route != UNCOUNTED:
        seconds = time.monotonic() - flask.g.begun
        answers.answered(flask.request.method, response.status_code, route, seconds)
    return response


@app.get("/healthz")
def healthz():
    return "ok\n"


@app.post("/order")
def order():
    """Takes an order. Answers with its id and where to find its trace."""
    asked = flask.request.args
    order_id = asked.get("id") or str(uuid.uuid4())
    items = min(max(asked.get("items", 0, int), 0), MOST_ITEMS)
    total = asked.get("total", round(random.uniform(5, 500), 2), float)
    span = trace.get_current_span().get_span_context()
    answer = {
        "order": order_id,
        "total": total,
        "trace": trace.format_trace_id(span.trace_id),
        # Of the request, the order, its items, the payment's two sides.
        "spans": 4 + items,
    }
    try:
        document.order(order_id, total, lambda order_id: process_order(order_id, items))
    except requests.RequestException as error:
        log.error("order %s failed: %s", order_id, error, extra={"order.id": order_id})
        return answer | {"error": str(error)}, 502
    return answer


def process_order(order_id, items):
    for item in range(items):
        with document.tracer.start_as_current_span("pick-item", attributes={"item": item}):
            pass
    paid = requests.post(PAYMENT_URL, params={"order": order_id}, timeout=PAYMENT_WITHIN)
    paid.raise_for_status()
    log.info("order %s processed", order_id, extra={"order.id": order_id})


@app.post("/payment")
def payment():
    """Takes the money, or does not."""
    order_id = flask.request.args.get("order", "")
    if is_slow.take():
        time.sleep(SLOW_SECONDS)
    if fails.take():
        log.error("payment of order %s declined", order_id, extra={"order.id": order_id})
        return {"error": "declined"}, 503
    log.info("payment of order %s accepted", order_id, extra={"order.id": order_id})
    return {"paid": order_id}

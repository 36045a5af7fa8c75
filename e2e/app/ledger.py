"""Sends spans at a steady rate through the SDK and keeps the account of them: what was made, what
the exporter was told was accepted, what failed; then asks Jaeger for every accepted one.

It prints one JSON object a line: {"event": "started"}, then {"event": "sent", ...}, and at the end
{"event": "done", "made", "accepted", "failed", "dropped", "missing"}. SIGTERM ends the sending
early, as the end of its pod does: everything made is still exported and accounted for.
"""

import argparse
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

# Spans of one trace: few enough that Jaeger's answer for one is small.
SPANS_OF_A_TRACE = 200


class Ledger(SpanExporter):
    """Writes down what the exporter behind it answered for each batch."""

    def __init__(self, exporter):
        self._exporter = exporter
        self._lock = threading.Lock()
        self.accepted = {}
        self.failed = 0
        self.failures = []

    def export(self, spans):
        began = time.time()
        result = self._exporter.export(spans)
        with self._lock:
            if result is SpanExportResult.SUCCESS:
                for span in spans:
                    context = span.get_span_context()
                    trace = f"{context.trace_id:032x}"
                    self.accepted.setdefault(trace, set()).add(f"{context.span_id:016x}")
            else:
                self.failed += len(spans)
                lasted = time.time() - began
                self.failures.append({"at": round(began, 3), "seconds": round(lasted, 3)})
        return result

    def shutdown(self):
        self._exporter.shutdown()

    def force_flush(self, timeout_millis=30000):
        return self._exporter.force_flush(timeout_millis)


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def send(tracer, rate, until, stopped):
    """Makes `rate` spans a second, in ticks of a fiftieth of a second; returns how many."""
    made, started = 0, time.monotonic()
    while time.monotonic() < until and not stopped.is_set():
        due = int((time.monotonic() - started) * rate)
        while made + SPANS_OF_A_TRACE <= due:
            with tracer.start_as_current_span("ledger", attributes={"ledger.number": made}):
                for number in range(1, SPANS_OF_A_TRACE):
                    tracer.start_span("entry", attributes={"ledger.number": made + number}).end()
            made += SPANS_OF_A_TRACE
        time.sleep(0.02)
    return made


def spans_in_jaeger(jaeger, trace):
    """The ids of the spans of a trace that Jaeger holds."""
    try:
        with urllib.request.urlopen(f"{jaeger}/api/traces/{trace}", timeout=30) as answer:
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return set()
        raise
    return {span["spanID"] for data in found["data"] for span in data["spans"]}


def missing(jaeger, accepted, patience):
    """How many accepted spans Jaeger does not have, once so long none arrives any more."""
    open_traces, lost = dict(accepted), None
    deadline = time.monotonic() + patience
    while True:
        for trace, spans in list(open_traces.items()):
            left = spans - spans_in_jaeger(jaeger, trace)
            if left:
                open_traces[trace] = left
            else:
                del open_traces[trace]
        before, lost = lost, sum(len(spans) for spans in open_traces.values())
        if lost != before:
            deadline = time.monotonic() + patience
        if not lost or time.monotonic() > deadline:
            return lost
        time.sleep(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=2000, help="spans a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--jaeger", default="http://jaeger:16686")
    parser.add_argument("--patience", type=float, default=60, help="seconds without a span more in Jaeger")
    parser.add_argument("--linger", action="store_true", help="stay after the end, for whoever reads the log")
    options = parser.parse_args()

    ledger = Ledger(OTLPSpanExporter(endpoint="otel-collector:4317"))
    provider = TracerProvider(shutdown_on_exit=False)
    # Holds what is made while a collector is replaced; the SDK drops silently what exceeds it.
    room = options.rate * 30
    processor = BatchSpanProcessor(ledger, max_queue_size=room, max_export_batch_size=512)
    provider.add_span_processor(processor)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    say("started", pid=os.getpid(), rate=options.rate)
    until = time.monotonic() + options.seconds
    made = send(provider.get_tracer("ledger"), options.rate, until, stopped)
    provider.shutdown()
    accepted = sum(len(spans) for spans in ledger.accepted.values())
    say("sent", made=made, accepted=accepted, failed=ledger.failed, failures=ledger.failures)
    lost = missing(options.jaeger, ledger.accepted, options.patience)
    say(
        "done",
        made=made,
        accepted=accepted,
        failed=ledger.failed,
        dropped=made - accepted - ledger.failed,
        missing=lost,
    )
    while options.linger:
        signal.pause()


if __name__ == "__main__":
    main()

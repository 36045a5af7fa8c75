"""Customers: orders at a steady rate, each counted once by how it was answered. Prints its totals as
a line of JSON every few seconds and at the end. Uses nothing but Python itself.
"""

import argparse
import collections
import json
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

ANSWER_WITHIN = 20


class Totals:
    """What was sent and how it was answered. `sent` = answered + failed + under way."""

    def __init__(self):
        self._lock = threading.Lock()
        self._begun = time.time()
        self._sent = 0
        self._failed = 0
        self._spans = 0
        self._by_status = collections.Counter()

    def send(self):
        with self._lock:
            self._sent += 1

    def answer(self, status, spans):
        with self._lock:
            self._by_status[str(status)] += 1
            self._spans += spans

    def fail(self):
        with self._lock:
            self._failed += 1

    def line(self, final):
        """Times in seconds since 1970."""
        with self._lock:
            return json.dumps(
                {
                    "begun": self._begun,
                    "now": time.time(),
                    "sent": self._sent,
                    "answered": sum(self._by_status.values()),
                    "byStatus": dict(self._by_status),
                    "failed": self._failed,
                    "spans": self._spans,
                    "final": final,
                }
            )


class Customers:
    """A few threads that share one timetable: order number n is sent n / rate seconds after the
    start. Who is late catches up, so the rate is kept as long as there are threads enough."""

    def __init__(self, arguments):
        self._url = arguments.url
        self._rate = arguments.rate
        self._most = int(arguments.rate * arguments.seconds) if arguments.seconds else None
        self._next = 0
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self.stop = threading.Event()
        self.totals = Totals()

    def run(self):
        while not self.stop.is_set():
            with self._lock:
                if self._most is not None and self._next >= self._most:
                    return
                due = self._begun + self._next / self._rate
                self._next += 1
            if self.stop.wait(max(0.0, due - time.monotonic())):
                return
            self._order()

    def _order(self):
        self.totals.send()
        request = urllib.request.Request(self._url, method="POST", headers={"connection": "close"})
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_WITHIN) as response:
                self._answered(response)
        except urllib.error.HTTPError as response:
            with response:
                self._answered(response)
        except OSError as error:
            self.totals.fail()
            print(f"no answer: {error}", file=sys.stderr, flush=True)

    def _answered(self, response):
        try:
            spans = json.load(response).get("spans", 0)
        except (ValueError, AttributeError):
            spans = 0
        self.totals.answer(response.status, spans)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="where orders are posted")
    parser.add_argument("--rate", type=float, default=10, help="orders in a second")
    parser.add_argument("--seconds", type=float, default=0, help="how long; 0 is until SIGTERM")
    parser.add_argument("--threads", type=int, default=16, help="most orders under way")
    parser.add_argument("--report", type=float, default=5, help="seconds between two lines of totals")
    arguments = parser.parse_args()

    customers = Customers(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: customers.stop.set())
    threads = [threading.Thread(target=customers.run) for _ in range(arguments.threads)]
    for thread in threads:
        thread.start()
    due = time.monotonic() + arguments.report
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.1)
        if time.monotonic() >= due:
            due += arguments.report
            print(customers.totals.line(final=False), flush=True)
    print(customers.totals.line(final=True), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

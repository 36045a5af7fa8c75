"""Metrics and logs over OTLP, beside the traces of document.py and to the same collector. Knows
nothing of orders.
"""

import logging
import os

from opentelemetry import metrics
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

ENDPOINT = "otel-collector:4317"
# The SDK's own bounds are made for milliseconds.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Requests:
    """What the document's dashboard and alerts are about: requests answered, and how long each took."""

    def __init__(self):
        if os.environ.get("OTEL_METRICS_EXPORTER") != "none":
            reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=ENDPOINT))
            metrics.set_meter_provider(MeterProvider([reader]))
        meter = metrics.get_meter(__name__)
        self._count = meter.create_counter("http_requests_total", description="Requests answered")
        self._duration = meter.create_histogram(
            "http_request_duration_seconds",
            unit="s",
            description="Time until a request was answered",
            explicit_bucket_boundaries_advisory=SECONDS,
        )

    def answered(self, method, status, route, seconds):
        """Counts one request. Called within its span, which becomes the exemplar."""
        labels = {"method": method, "status": str(status), "route": route}
        self._count.add(1, labels)
        self._duration.record(seconds, labels)


def logger(name):
    """A logger whose lines go to the collector, each with the trace and span it was written in."""
    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=ENDPOINT)))
    made = logging.getLogger(name)
    made.setLevel(logging.INFO)
    made.addHandler(LoggingHandler(logger_provider=provider))
    # Standard error is for what goes wrong with telemetry itself.
    made.propagate = False
    return made

"""One order of a shop, told with the OpenTelemetry SDK over OTLP.

A span `checkout` around a span `process-order` (attributes, an event, a status), a log
record and two metrics recorded inside it, so that the record carries its ids and the
metrics an exemplar. Prints one JSON line: the trace's id, the spans' ids, and what was
flushed. What the exporters complain of goes to standard error.
"""

import argparse
import json
import sys
import time

from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider, TraceBasedExemplarFilter
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

SIGNALS = ("traces", "metrics", "logs")


def exporters(protocol, endpoint):
    """The exporters of the three signals, in the order of SIGNALS."""
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        settings = dict.fromkeys(SIGNALS, {"endpoint": endpoint, "insecure": True})
    else:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        base = endpoint.rstrip("/")
        settings = {signal: {"endpoint": f"{base}/v1/{signal}"} for signal in SIGNALS}
    return (
        OTLPSpanExporter(**settings["traces"]),
        OTLPMetricExporter(**settings["metrics"]),
        OTLPLogExporter(**settings["logs"]),
    )


def order(tracer, meter, logger, arguments):
    """Processes one order; returns the contexts of the two spans."""
    requests = meter.create_counter("http.requests", unit="1", description="Requests answered")
    duration = meter.create_histogram(
        "http.request.duration", unit="s", description="Time until a request was answered"
    )
    with tracer.start_as_current_span("checkout", kind=SpanKind.SERVER) as checkout:
        with tracer.start_as_current_span("process-order") as process:
            process.set_attribute("order.id", arguments.order)
            process.set_attribute("order.total", 42.5)
            process.add_event("payment.accepted", {"payment.method": "card"})
            process.set_status(Status(StatusCode.OK))
            logger.emit(
                timestamp=time.time_ns(),
                severity_number=SeverityNumber.INFO,
                severity_text="INFO",
                body=f"order {arguments.order} processed",
                attributes={"order.id": arguments.order},
            )
            labels = {"http.route": "/checkout", "status": "200"}
            requests.add(1, labels)
            duration.record(0.123, labels)
    return checkout.get_span_context(), process.get_span_context()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--protocol", choices=("grpc", "http"), required=True)
    parser.add_argument("--endpoint", required=True, help="host:port, or for http the base URL")
    parser.add_argument("--service", default="shop", help="service.name of the resource")
    parser.add_argument("--order", default="A-17", help="order.id")
    arguments = parser.parse_args()

    spans, metrics, logs = exporters(arguments.protocol, arguments.endpoint)
    resource = Resource.create(
        {"service.name": arguments.service, "service.instance.id": f"{arguments.service}-1"}
    )
    traces = TracerProvider(resource=resource)
    traces.add_span_processor(BatchSpanProcessor(spans))
    # One export of metrics, the flush below: another one, at an interval or at the end, would
    # repeat the points without exemplars, and the last one is what a page for scrapes shows.
    reader = PeriodicExportingMetricReader(metrics, export_interval_millis=3_600_000)
    exemplars = TraceBasedExemplarFilter()
    meters = MeterProvider([reader], resource, exemplars, shutdown_on_exit=False)
    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(BatchLogRecordProcessor(logs))

    scope = "obspipe.emit"
    checkout, process = order(
        traces.get_tracer(scope), meters.get_meter(scope), loggers.get_logger(scope), arguments
    )
    flushed = {
        "traces": traces.force_flush(),
        "metrics": meters.force_flush(),
        "logs": loggers.force_flush(),
    }
    print(
        json.dumps(
            {
                "trace_id": trace.format_trace_id(checkout.trace_id),
                "checkout_span_id": trace.format_span_id(checkout.span_id),
                "process_span_id": trace.format_span_id(process.span_id),
                "flushed": flushed,
            }
        )
    )
    for provider in (traces, loggers):
        provider.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How gunicorn serves the shop: several processes, each a writer of telemetry of its own."""

import os

bind = f"{os.environ.get('LISTEN', '0.0.0.0')}:{os.environ.get('PORT', '8080')}"
workers = int(os.environ.get("WORKERS", "2"))
worker_class = "gthread"
threads = 4
# Beats of a worker's heart are written to a file; the root is read-only.
worker_tmp_dir = "/dev/shm"
control_socket_disable = True
graceful_timeout = 10


def post_fork(server, worker):
    """Names this process before its telemetry is set up. The document's TracerProvider() is given no
    resource, so the SDK takes it from the environment; two processes of one pod would otherwise
    share the pod's id, and their counters would be one series that jumps."""
    given = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    instance = f"service.instance.id={os.environ.get('POD_UID', 'local')}.{worker.pid}"
    os.environ["OTEL_RESOURCE_ATTRIBUTES"] = ",".join(filter(None, [given, instance]))

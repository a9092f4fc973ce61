"""A flow that listens to a service through the gateway, by a WebSocket, as docs/how-to/service-websockets.md shows it."""

from pathlib import Path

from prefect import flow


@flow(log_prints=True)
def listens() -> None:
    exec(Path(__file__).with_name("docs_socket.txt").read_text(), {})
    print("listener is through")

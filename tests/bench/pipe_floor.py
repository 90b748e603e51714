"""The floor of accepting signals: a bare Starlette that appends the body it gets and answers when the broker has it.

No routing key, no checks, no schema, no metrics, no logs. Run as a script: PORT BOOTSTRAP TOPIC.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvicorn
import uvloop
from confluent_kafka import Producer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def main(port: int, bootstrap: str, topic: str) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 2})

    async def enqueue(request: Request) -> Response:
        body = await request.body()
        loop = asyncio.get_running_loop()
        acked: asyncio.Future[Any] = loop.create_future()
        producer.produce(topic, body, on_delivery=lambda error, _: acked.set_result(error))
        while not acked.done():
            producer.poll(0)
            await asyncio.sleep(0.001)
        return JSONResponse({"status": "success"}, 202 if acked.result() is None else 503)

    app = Starlette(routes=[Route("/v2/enqueue", enqueue, methods=["POST"])])
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="off")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])

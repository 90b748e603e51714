"""The HTTP receivers of all sources, as routes of the API process."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from infra.runtime.services import Services
from sources.alertmanager import AlertmanagerReceiver
from sources.base import Inlet
from sources.cloudevents import CloudEventsReceiver
from sources.datadog import DatadogReceiver
from sources.opsgenie_receiver import OpsgenieReceiver
from sources.pagerduty import PagerDutyReceiver
from sources.receipts import ReceiptsReceiver


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes. Each request is authenticated by its own routing key."""
    inlet = Inlet(services.gate, services.log)
    pagerduty = PagerDutyReceiver(inlet)
    opsgenie = OpsgenieReceiver(inlet, services.db)
    alertmanager = AlertmanagerReceiver(inlet)
    datadog = DatadogReceiver(inlet)
    cloudevents = CloudEventsReceiver(inlet)
    receipts = ReceiptsReceiver(inlet, services.db)
    post, get = ["POST"], ["GET"]
    return [
        Route("/v2/enqueue", pagerduty.pagerduty_enqueue, methods=post),
        Route("/v2/receipts/{signal_id}", receipts.signal_receipt, methods=get),
        Route("/v2/alerts", opsgenie.opsgenie_create, methods=post),
        Route("/v2/alerts/requests/{request_id}", opsgenie.opsgenie_request, methods=get),
        # An alias may hold slashes.
        Route("/v2/alerts/{identifier:path}/acknowledge", opsgenie.opsgenie_acknowledge, methods=post),
        Route("/v2/alerts/{identifier:path}/close", opsgenie.opsgenie_close, methods=post),
        Route("/v2/alerts/{identifier:path}", opsgenie.opsgenie_alert, methods=get),
        *(
            Route(path, endpoint, methods=post)
            for name, endpoint in (
                ("alertmanager", alertmanager.alertmanager_webhook),
                ("datadog", datadog.datadog_webhook),
                ("cloudevents", cloudevents.cloudevents_receive),
            )
            for path in (f"/sources/{name}", f"/sources/{name}/{{routing_key}}")
        ),
    ]

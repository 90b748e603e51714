"""Kafka's own command-line tools, with the jars of the embedded broker and a Java from a wheel.

`python -m infra.engines.kafka_tools console-consumer ARGUMENTS`, and so on: what Kafka's `bin/kafka-console-consumer.sh` takes.
"""

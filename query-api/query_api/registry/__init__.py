"""The read half of the Confluent Schema Registry interface: with it Kafka tools decode our records."""

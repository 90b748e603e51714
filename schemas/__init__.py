"""The wire: Avro schemas, their ids, the codec, the topic catalogue."""

"""The gRPC API: protos, and the code that is generated from them (`make protos`)."""

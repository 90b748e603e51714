"""The command API over gRPC: thin servicers over the operations that REST uses as well."""

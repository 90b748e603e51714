"""What the API does, without HTTP or gRPC: async functions of the services, the caller, what his request asks besides
its content, and typed arguments. They return what was written as the views show it, or raise a Problem whose fields are
the names of these arguments.
"""

"""What can be read, apart from how it is asked: REST and gRPC are thin over these.

Each is an async function of (readers, caller, typed arguments). It returns plain values and rows of the views, which
`schemas.rest` renders, or raises `infra.runtime.problems.Problem`; `Transient` where a store is away.
"""

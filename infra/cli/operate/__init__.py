"""Commands of `case-cli` for operators: they talk to the engines, not to the API."""

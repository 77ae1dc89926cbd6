"""The version of the package and of the binary in its wheel: they are released together."""

__version__ = "0.1.0"

"""The version of the addon, as clients and registries are told it."""

VERSION = "1.0.0"

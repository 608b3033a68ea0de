"""The local stack: a real Kafka, registry, Redis, database and mail sink on this machine, without containers and without root.

Everything runs as a child process on loopback, ends with the process that started it, and keeps its files under ``.treaty/``.
"""

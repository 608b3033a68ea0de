"""The registry as a process, or as several on one socket."""

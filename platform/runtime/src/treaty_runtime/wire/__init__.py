"""A record's bytes, ids and headers: how events are framed, named, copied after a failure, and read again."""

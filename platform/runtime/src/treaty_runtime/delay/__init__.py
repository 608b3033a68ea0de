"""Jobs that run later, once: the table knows (`jobs`), Redis hints (`redis`), workers run (`queue`)."""

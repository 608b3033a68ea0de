"""The runtime's side of a service's database: tables, engines, and the inbox that makes effects happen once."""

"""What the commands do: each command parses, calls one function here, and prints. Git, registry and broker are reached only from here."""

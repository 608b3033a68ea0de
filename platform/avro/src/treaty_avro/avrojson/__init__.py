"""Events as JSON and back, in Avro's style and in one for people."""

"""Events leave: at once (`publisher`), or staged in a transaction (`outbox`) and carried to Kafka in order (`relay`)."""

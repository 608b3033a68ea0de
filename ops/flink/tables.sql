-- What the jobs read and where their results go. Addresses are those of docker-compose.yml.
-- Enumerations are left out: Avro gives no enumeration to a reader that asks for text. Times are microseconds since 1970 in UTC.

SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '10 s';
-- A partition that nobody writes to holds no window back.
SET 'table.exec.source.idle-timeout' = '10 s';

CREATE TABLE recorded (
  name STRING,
  source STRING,
  subject STRING,
  event_time BIGINT,
  happened_at AS TO_TIMESTAMP_LTZ(event_time / 1000, 3),
  WATERMARK FOR happened_at AS happened_at - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'analytics.events',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'flink-hot-goods',
  'properties.auto.offset.reset' = 'earliest',
  'scan.startup.mode' = 'group-offsets',
  'value.format' = 'avro-confluent',
  'value.avro-confluent.url' = 'http://registry:8081'
);

CREATE TABLE payment_succeeded (
  payment_id STRING,
  amount BIGINT,
  currency STRING,
  event_time BIGINT,
  happened_at AS TO_TIMESTAMP_LTZ(event_time / 1000, 3),
  WATERMARK FOR happened_at AS happened_at - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'payment.success',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'flink-failed-payments',
  'properties.auto.offset.reset' = 'earliest',
  'scan.startup.mode' = 'group-offsets',
  'value.format' = 'avro-confluent',
  'value.avro-confluent.url' = 'http://registry:8081'
);

CREATE TABLE payment_failed (
  payment_id STRING,
  amount BIGINT,
  currency STRING,
  failure_code STRING,
  event_time BIGINT,
  happened_at AS TO_TIMESTAMP_LTZ(event_time / 1000, 3),
  WATERMARK FOR happened_at AS happened_at - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'payment.failed',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'flink-failed-payments',
  'properties.auto.offset.reset' = 'earliest',
  'scan.startup.mode' = 'group-offsets',
  'value.format' = 'avro-confluent',
  'value.avro-confluent.url' = 'http://registry:8081'
);

CREATE TABLE hot_goods (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  place BIGINT,
  subject STRING,
  times BIGINT
) WITH (
  'connector' = 'filesystem',
  'path' = 'file:///var/lib/flink/results/hot_goods',
  'format' = 'json'
);

CREATE TABLE failed_payments (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  ended BIGINT,
  failed BIGINT,
  share DOUBLE
) WITH (
  'connector' = 'filesystem',
  'path' = 'file:///var/lib/flink/results/failed_payments',
  'format' = 'json'
);

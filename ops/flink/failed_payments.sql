-- Five minutes in which more than a fifth of the payments that ended have failed; looked at every minute.

CREATE TEMPORARY VIEW ended AS
SELECT payment_id, happened_at, 0 AS has_failed FROM payment_succeeded
UNION ALL
SELECT payment_id, happened_at, 1 AS has_failed FROM payment_failed;

INSERT INTO failed_payments
SELECT window_start, window_end, ended, failed, CAST(failed AS DOUBLE) / ended AS share
FROM (
  SELECT window_start, window_end, COUNT(*) AS ended, CAST(SUM(has_failed) AS BIGINT) AS failed
  FROM TABLE(HOP(TABLE ended, DESCRIPTOR(happened_at), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE))
  GROUP BY window_start, window_end
)
WHERE failed * 5 > ended;

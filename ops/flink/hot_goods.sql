-- The ten goods about which most was recorded, minute by minute, with their places.

INSERT INTO hot_goods
SELECT window_start, window_end, place, subject, times
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY times DESC, subject) AS place
  FROM (
    SELECT window_start, window_end, subject, COUNT(*) AS times
    FROM TABLE(TUMBLE(TABLE recorded, DESCRIPTOR(happened_at), INTERVAL '1' MINUTE))
    WHERE subject LIKE 'goods:%'
    GROUP BY window_start, window_end, subject
  )
)
WHERE place <= 10;

-- Microseconds since 1970 to an instant, exact in all years. `micros * interval` went through a double: from the year
-- 2255 on it was off, and the last microsecond of 9999 became the first of 10000, which no reader of the views can load.
CREATE OR REPLACE FUNCTION instant(micros bigint) RETURNS timestamptz
  LANGUAGE sql STABLE STRICT PARALLEL SAFE
  RETURN timestamptz 'epoch' + micros / 1000000 * interval '1 second' + micros % 1000000 * interval '1 microsecond';

-- Committed answers, given again when a caller repeats itself under the same key. Written in the transaction of what
-- they made; kept for a day.
CREATE TABLE idempotency_keys (
    -- SHA-256 over tenant, method, path and the caller's key.
    key_sha256     bytea PRIMARY KEY,
    -- SHA-256 over the body.
    request_sha256 bytea NOT NULL,
    -- Sealed: status, headers and body.
    answer         bytea NOT NULL,
    created_at     timestamptz NOT NULL
);
ALTER TABLE idempotency_keys ALTER COLUMN answer SET STORAGE EXTERNAL;
CREATE INDEX idempotency_keys_by_created_at ON idempotency_keys (created_at);

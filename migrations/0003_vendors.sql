-- Vendor accounts, the calls made to them, and the hooks they send.

CREATE TABLE vendor_accounts (
    -- vendor/account
    key              text PRIMARY KEY,
    provider         text NOT NULL GENERATED ALWAYS AS (split_part(key, '/', 1)) STORED,
    -- An operator stopped sending.
    paused_at        timestamptz,
    paused_by        text,
    paused_reason    text,
    -- The vendor asked for a rest (429, Retry-After).
    rest_until       timestamptz,
    circuit          text NOT NULL DEFAULT 'closed' CHECK (circuit IN ('closed', 'open', 'half_open')),
    circuit_until    timestamptz,
    -- The account was seen to give back a reference of ours; never taken back.
    echoes           boolean NOT NULL DEFAULT false,
    last_error_code  text,
    last_error_at    timestamptz,
    -- Somebody scans the account until then.
    scan_lease_until timestamptz,
    CHECK ((paused_at IS NULL) = (paused_by IS NULL)),
    CHECK ((last_error_code IS NULL) = (last_error_at IS NULL))
) WITH (fillfactor = 50);

-- Rate budgets (GCRA): when the next turn would come if nobody saved any up. Unlogged: worth nothing after a crash, and
-- a commit that touches nothing else does not wait for the disk.
CREATE UNLOGGED TABLE vendor_turns (
    account text NOT NULL,
    share   text NOT NULL,
    next_at timestamptz NOT NULL,
    PRIMARY KEY (account, share)
) WITH (fillfactor = 50);

-- Create calls. A row in `sending` is durable before the request is written.
CREATE TABLE submissions (
    id          uuid PRIMARY KEY,
    tenant      text NOT NULL,
    account     text NOT NULL,
    state       text NOT NULL CHECK (state IN ('sending', 'accepted', 'rejected', 'not_sent', 'unknown', 'mixed')),
    started_at  timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    ended_at    timestamptz,
    http_status integer,
    -- The answer's first bytes, sealed.
    answer      bytea,
    CHECK ((state = 'sending') = (ended_at IS NULL))
);
ALTER TABLE submissions ALTER COLUMN answer SET STORAGE EXTERNAL;
-- The dead are found among those in flight alone.
CREATE INDEX submissions_sending ON submissions (lease_until) WHERE state = 'sending';

-- The checks of a create call, in its order.
CREATE TABLE submission_checks (
    submission_id uuid NOT NULL REFERENCES submissions (id) ON DELETE CASCADE,
    position      integer NOT NULL,
    check_id      uuid NOT NULL,
    order_id      uuid NOT NULL,
    -- The attempt that the reference names.
    attempt       integer NOT NULL CHECK (attempt > 0),
    PRIMARY KEY (submission_id, position)
);
CREATE INDEX submission_checks_by_check ON submission_checks (check_id);

-- Hooks, stored before they are answered. Taking one moves due_at to the end of the lease.
CREATE TABLE inbox (
    id          uuid PRIMARY KEY,
    account     text NOT NULL,
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'buried')),
    due_at      timestamptz NOT NULL,
    attempts    integer NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL,
    -- Headers and body, sealed.
    headers     bytea NOT NULL,
    body        bytea NOT NULL,
    -- Why it was given up.
    why         text
);
ALTER TABLE inbox ALTER COLUMN headers SET STORAGE EXTERNAL;
ALTER TABLE inbox ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX inbox_due ON inbox (due_at) WHERE state = 'waiting';
-- What was never tried, by account: absence is not decided over unread news.
CREATE INDEX inbox_unread ON inbox (account) WHERE state = 'waiting' AND attempts = 0;
CREATE INDEX inbox_by_received_at ON inbox (received_at) WHERE state <> 'waiting';

-- News that was seen already, by the SHA-256 of the key that the adapter gives it.
CREATE TABLE inbox_news (
    account    text NOT NULL,
    key_sha256 bytea NOT NULL,
    seen_at    timestamptz NOT NULL,
    PRIMARY KEY (account, key_sha256)
);
CREATE INDEX inbox_news_by_seen_at ON inbox_news (seen_at);

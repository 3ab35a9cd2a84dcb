-- Monitors: orders that are run again and again. No personal data.
CREATE TABLE monitors (
    id                uuid PRIMARY KEY,
    tenant            text NOT NULL,
    -- Run 0. No foreign keys to orders here: they outlive neither each other's rows nor each other's locks.
    order_id          uuid NOT NULL,
    -- An ISO 8601 period of one unit.
    frequency         text NOT NULL,
    end_date          date NOT NULL,
    status            text NOT NULL CHECK (status IN ('enabled', 'paused', 'ended')),
    pause_reason      text,
    -- What due times are counted from.
    anchor_at         timestamptz NOT NULL,
    next_run_at       timestamptz,
    -- The number of the latest run.
    runs              integer NOT NULL DEFAULT 0 CHECK (runs >= 0),
    -- vendor/account of the vendor's own monitor, and the check that it repeats; null: the gateway orders again.
    account           text,
    check_id          uuid,
    vendor_monitor_id text,
    -- What the vendor has been told.
    told_frequency    text,
    told_enabled      boolean,
    -- A create call was begun and what it made is not known: when it, or its lease, has ended. Durable before the call.
    in_doubt_since    timestamptz,
    was_refused       boolean NOT NULL DEFAULT false,
    failures          integer NOT NULL DEFAULT 0,
    -- When a worker has something to do for it. Taking it moves this to the end of the lease.
    due_at            timestamptz,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    -- Shown to nobody from then on. The row stays until nothing is left to be told to the vendor, and after that as the
    -- memory of its runs.
    deleted_at        timestamptz,
    CHECK ((status = 'paused') = (pause_reason IS NOT NULL)),
    CHECK ((account IS NULL) = (check_id IS NULL)),
    CHECK (account IS NOT NULL OR (vendor_monitor_id IS NULL AND in_doubt_since IS NULL AND told_enabled IS NULL)),
    CHECK ((told_frequency IS NULL) = (told_enabled IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX monitors_by_tenant ON monitors (tenant, id) WHERE deleted_at IS NULL;
-- An order is monitored once at a time.
CREATE UNIQUE INDEX monitors_of_order ON monitors (order_id) WHERE deleted_at IS NULL AND status <> 'ended';
CREATE INDEX monitors_by_check ON monitors (check_id) WHERE check_id IS NOT NULL;
CREATE UNIQUE INDEX monitors_by_vendor ON monitors (account, vendor_monitor_id) WHERE vendor_monitor_id IS NOT NULL;
CREATE INDEX monitors_due_here ON monitors (due_at) WHERE account IS NULL AND due_at IS NOT NULL;
CREATE INDEX monitors_due_at_vendor ON monitors (account, due_at) WHERE account IS NOT NULL AND due_at IS NOT NULL;

CREATE TABLE monitor_runs (
    monitor_id      uuid NOT NULL REFERENCES monitors (id) ON DELETE CASCADE,
    number          integer NOT NULL CHECK (number >= 0),
    state           text NOT NULL CHECK (state IN ('open', 'ended', 'skipped')),
    order_id        uuid,
    -- The vendor's object that made it a run, of the vendor's own monitors.
    vendor_order_id text,
    -- When it was due, or when the vendor made it.
    due_at          timestamptz NOT NULL,
    ended_at        timestamptz,
    -- Whether its result differs from the one before; null: there was nothing to compare.
    changed         boolean,
    -- Each due time makes one run, and each of the vendor's objects as well.
    PRIMARY KEY (monitor_id, number),
    UNIQUE (monitor_id, vendor_order_id),
    CHECK ((state = 'skipped') = (order_id IS NULL)),
    CHECK ((state = 'open') = (ended_at IS NULL))
);
CREATE INDEX monitor_runs_open ON monitor_runs (order_id) WHERE state = 'open';
CREATE INDEX monitor_runs_by_order ON monitor_runs (order_id) WHERE order_id IS NOT NULL;

-- What happened, for the outside and for the record. No personal data.
--
-- Rows are written without a position, in the transaction of their cause. One sequencer at a time gives them positions
-- after they are committed, so that a reader who goes by position neither misses a late commit nor waits for a long one.

CREATE TABLE events (
    id       uuid PRIMARY KEY,
    -- The order of writing; within one order it is the order of happening, since its writers hold its row.
    serial   bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    tenant   text NOT NULL,
    order_id uuid NOT NULL,
    check_id uuid,
    type     text NOT NULL,
    -- The order's version after the change.
    version  bigint NOT NULL,
    at       timestamptz NOT NULL,
    data     jsonb NOT NULL,
    -- Its place in the feed, from 1 without gaps; null until the sequencer has been there.
    position bigint
) WITH (fillfactor = 90);

CREATE INDEX events_of_order ON events (order_id, serial);
CREATE INDEX events_to_place ON events (serial) WHERE position IS NULL;
CREATE UNIQUE INDEX events_by_position ON events (position) WHERE position IS NOT NULL;
CREATE INDEX events_of_tenant ON events (tenant, position) WHERE position IS NOT NULL;

-- Append-only. Positions from 1 without gaps; each hash covers the one before it and the entry.
CREATE TABLE audit_entries (
    id       uuid PRIMARY KEY,
    serial   bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    at       timestamptz NOT NULL,
    -- Whose data it is about; null for what concerns the gateway alone.
    tenant   text,
    actor    text NOT NULL,
    action   text NOT NULL,
    target   text NOT NULL,
    data     jsonb NOT NULL,
    position bigint,
    hash     bytea,
    CHECK ((position IS NULL) = (hash IS NULL))
);

CREATE INDEX audit_to_place ON audit_entries (serial) WHERE position IS NULL;
CREATE UNIQUE INDEX audit_by_position ON audit_entries (position) WHERE position IS NOT NULL;
CREATE INDEX audit_of_tenant ON audit_entries (tenant, id);

-- How far each sequence is. Its row is locked by whoever places rows; others step aside.
CREATE TABLE sequencers (
    name          text PRIMARY KEY,
    last_position bigint NOT NULL,
    last_hash     bytea
);
INSERT INTO sequencers (name, last_position, last_hash) VALUES
    ('events', 0, NULL),
    ('audit', 0, '\x0000000000000000000000000000000000000000000000000000000000000000');

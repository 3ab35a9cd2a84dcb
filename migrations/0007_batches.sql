-- Batches: many orders that were accepted together, or not at all; and what came of create calls that were made in part.

CREATE TABLE batches (
    id                  uuid PRIMARY KEY,
    tenant              text NOT NULL,
    external_id         text,
    -- Kept by the folder; in_progress until it has seen the last check end.
    status              text NOT NULL CHECK (status IN ('in_progress', 'completed', 'canceled')),
    orders              integer NOT NULL CHECK (orders >= 0),
    -- Rows that were left out; the first of them are listed in batch_rejected_rows.
    rejected            integer NOT NULL CHECK (rejected >= 0),
    cancel_requested_at timestamptz,
    -- Sealed: the caller's own words.
    cancel_reason       bytea,
    -- The last order that was told of the cancel, and whether every one was.
    cancel_walked_to    uuid,
    cancel_walked       boolean NOT NULL DEFAULT false,
    created_at          timestamptz NOT NULL,
    completed_at        timestamptz,
    CHECK ((cancel_requested_at IS NULL) = (cancel_reason IS NULL)),
    CHECK ((completed_at IS NULL) = (status = 'in_progress'))
) WITH (fillfactor = 80);
ALTER TABLE batches ALTER COLUMN cancel_reason SET STORAGE EXTERNAL;
CREATE INDEX batches_by_tenant ON batches (tenant, id);
CREATE INDEX batches_by_status ON batches (tenant, status, id);
CREATE INDEX batches_by_external_id ON batches (tenant, external_id, id) WHERE external_id IS NOT NULL;
CREATE INDEX batches_to_cancel ON batches (cancel_requested_at, id)
    WHERE cancel_requested_at IS NOT NULL AND NOT cancel_walked;

-- How many checks stand where, as far as the moves below are folded in. Every status has its row from the beginning.
CREATE TABLE batch_counts (
    batch_id uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    status   text NOT NULL,
    count    bigint NOT NULL,
    PRIMARY KEY (batch_id, status)
) WITH (fillfactor = 50);

-- Checks of a batch that went from one status to another. Appended with the change itself, so that thousands of checks
-- may change at once without waiting for one row of counts; one folder at a time adds them up and removes them.
-- No foreign key: each insert would lock the batch's one row.
CREATE TABLE batch_moves (
    batch_id uuid NOT NULL,
    id       bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    was      text NOT NULL,
    became   text NOT NULL,
    count    integer NOT NULL,
    PRIMARY KEY (batch_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

-- Whoever folds holds this row; it has no position.
INSERT INTO sequencers (name, last_position) VALUES ('batch_moves', 0);

-- What was wrong with the rows that were left out: where and what, never the values.
CREATE TABLE batch_rejected_rows (
    batch_id uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    position integer NOT NULL,
    -- As a person counts it in the file.
    row      bigint NOT NULL,
    faults   jsonb NOT NULL,
    PRIMARY KEY (batch_id, position)
);

-- An event tells of an order or of a batch. A batch's version is 1 when it is made and 2 when it has ended.
ALTER TABLE events ALTER COLUMN order_id DROP NOT NULL;
ALTER TABLE events ADD COLUMN batch_id uuid;
ALTER TABLE events ADD CONSTRAINT events_of_one_thing CHECK (num_nonnulls(order_id, batch_id) = 1);

-- Sending goes by lanes: each batch is one, and all single orders are one (nil), so that a batch of 50,000 holds nobody
-- up. Following has no lanes, only a part that is kept for single orders.
ALTER TABLE work ADD COLUMN lane uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
-- All of a batch is due at once, and taken from the front: entries of equal keys that share one tuple of the index could
-- only be skipped once all of them were taken.
CREATE INDEX work_by_lane ON work (account, lane, due_at) WITH (deduplicate_items = off) WHERE kind = 'send';
CREATE INDEX work_single_looks ON work (account, due_at)
    WHERE kind = 'follow' AND lane = '00000000-0000-0000-0000-000000000000';

-- Bound by position in a batch's answer only, until the vendor's object was seen to carry our reference: whose object it
-- is stays open, so a scan must read it.
ALTER TABLE checks ADD COLUMN provisional boolean NOT NULL DEFAULT false;
DROP INDEX checks_by_submitted_at;
CREATE INDEX checks_by_submitted_at ON checks (account, submitted_at) INCLUDE (vendor_order_id)
    WHERE vendor_order_id IS NOT NULL AND NOT provisional;

-- Objects that are shown to operators have an id (UUIDv7, of when they came to be shown) and may be canceled.
ALTER TABLE vendor_objects
    ADD COLUMN id             uuid,
    -- When the vendor made it, where it says so.
    ADD COLUMN created_at     timestamptz,
    -- wanted: the vendor is to be asked. canceled, refused: it answered.
    ADD COLUMN cancel         text CHECK (cancel IN ('wanted', 'canceled', 'refused')),
    ADD COLUMN cancel_actor   text,
    ADD COLUMN cancel_tries   integer NOT NULL DEFAULT 0,
    ADD COLUMN cancel_due_at  timestamptz,
    ADD COLUMN cancel_told_at timestamptz;
UPDATE vendor_objects
SET id = (lpad(to_hex((extract(epoch FROM seen_at) * 1000)::bigint), 12, '0')
          || '7000a000' || substr(md5(account || ' ' || vendor_order_id), 1, 12))::uuid
WHERE standing <> 'dismissed';
-- A duplicate may be found by a sweep: there is no case then. An orphan whose reference is of our form keeps it.
ALTER TABLE vendor_objects DROP CONSTRAINT vendor_objects_check;
ALTER TABLE vendor_objects
    ADD CHECK (standing <> 'duplicate' OR (check_id IS NOT NULL AND attempt IS NOT NULL)),
    ADD CHECK ((standing = 'dismissed') = (id IS NULL)),
    ADD CHECK (cancel IS NULL OR (standing = 'duplicate' AND cancel_actor IS NOT NULL AND cancel_due_at IS NOT NULL));
DROP INDEX vendor_objects_to_show;
CREATE INDEX vendor_objects_to_show ON vendor_objects (account, standing, id) WHERE standing <> 'dismissed';
CREATE INDEX vendor_objects_to_cancel ON vendor_objects (cancel_due_at) WHERE cancel = 'wanted';

ALTER TABLE vendor_accounts
    -- Everything up to then was looked through by a sweep.
    ADD COLUMN swept_through     timestamptz,
    ADD COLUMN sweep_next_at     timestamptz,
    -- Somebody sweeps the account until then.
    ADD COLUMN sweep_lease_until timestamptz;

-- A scan's list of objects is long, and evidence only while a case is open.
ALTER TABLE scans ADD COLUMN has_list boolean NOT NULL DEFAULT true;
CREATE INDEX scans_with_list ON scans (account, started_at) WHERE has_list;
CREATE INDEX scans_by_started_at ON scans (started_at);

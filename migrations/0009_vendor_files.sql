-- Vendors' own batches: many like checks of one of our batches go to the vendor as a file, in steps.

-- Checks with the same one may share a file, as their vendor's adapter said when they were accepted. Null: it goes in a
-- create call like any other. It is taken away from what turns out to have too few of its kind, and by the first sending.
ALTER TABLE work ADD COLUMN kin bytea;
DROP INDEX work_by_lane;
CREATE INDEX work_by_lane ON work (account, lane, due_at, order_id DESC) WHERE kind = 'send' AND kin IS NULL;
CREATE INDEX work_by_kin ON work (account, lane, kin, due_at, order_id DESC) WHERE kind = 'send' AND kin IS NOT NULL;

-- One row for each file. The checks in it are those of its submission, which is `sending` for as long as the file goes
-- on, with the file's deadline for its lease.
--
-- Taking a row moves due_at to the end of the lease, sets calling_until to the same, and adds one to calls: it is the
-- durable word that a call of the stage is about to be made. Whoever records what came of it names the number.
CREATE TABLE vendor_files (
    submission_id    uuid PRIMARY KEY REFERENCES submissions (id) ON DELETE CASCADE,
    tenant           text NOT NULL,
    account          text NOT NULL,
    -- The batch of ours that its checks are of.
    batch_id         uuid NOT NULL,
    rows             integer NOT NULL CHECK (rows > 0),
    stage            text NOT NULL CHECK (stage IN ('create', 'upload', 'start', 'run', 'report', 'read')),
    entered_at       timestamptz NOT NULL,
    -- What the adapter wants to know at the next step, sealed.
    memory           bytea NOT NULL,
    -- The vendor's own id of it, once it is known.
    vendor_batch_id  text,
    -- A call was begun, and what came of it is not recorded yet.
    calling_until    timestamptz,
    -- When the latest call whose outcome is not known ended, or its lease did.
    doubtful_since   timestamptz,
    calls            bigint NOT NULL DEFAULT 0,
    -- Calls in a row that brought it no further.
    tries            integer NOT NULL DEFAULT 0,
    -- The vendor is asked to stop when all of it was canceled: how often it was tried, and when again.
    stop_tries       integer NOT NULL DEFAULT 0,
    stop_due_at      timestamptz,
    stop_answered_at timestamptz,
    due_at           timestamptz NOT NULL,
    created_at       timestamptz NOT NULL,
    -- When the last of its rows was taken in.
    ended_at         timestamptz
) WITH (fillfactor = 70);
ALTER TABLE vendor_files ALTER COLUMN memory SET STORAGE EXTERNAL;
CREATE INDEX vendor_files_due ON vendor_files (account, due_at) WHERE ended_at IS NULL;
CREATE INDEX vendor_files_by_batch ON vendor_files (batch_id, created_at, submission_id);

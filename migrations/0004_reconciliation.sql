-- Create calls whose outcome is unknown, and what was found out about them.

CREATE TABLE cases (
    id             uuid PRIMARY KEY,
    tenant         text NOT NULL,
    account        text NOT NULL,
    provider       text NOT NULL GENERATED ALWAYS AS (split_part(account, '/', 1)) STORED,
    submission_id  uuid NOT NULL,
    state          text NOT NULL CHECK (state IN ('open', 'needs_review', 'resolved')),
    -- Why the outcome is unknown, in a word.
    why_code       text NOT NULL,
    -- Sealed: why in a sentence, and what is known of each item.
    details        bytea NOT NULL,
    -- When the create call began, the end of the settle window, and when a person must look.
    sent_at        timestamptz NOT NULL,
    window_ends_at timestamptz NOT NULL,
    deadline       timestamptz NOT NULL,
    next_scan_at   timestamptz,
    opened_at      timestamptz NOT NULL,
    resolved_at    timestamptz
);
ALTER TABLE cases ALTER COLUMN details SET STORAGE EXTERNAL;
CREATE INDEX cases_by_tenant ON cases (tenant, id);
CREATE INDEX cases_by_submission ON cases (submission_id);
CREATE INDEX cases_unresolved ON cases (account, id) WHERE state <> 'resolved';
CREATE INDEX cases_to_scan ON cases (next_scan_at) WHERE state <> 'resolved' AND next_scan_at IS NOT NULL;

CREATE TABLE case_items (
    case_id  uuid NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    position integer NOT NULL,
    check_id uuid NOT NULL,
    state    text NOT NULL CHECK (state IN ('unknown', 'proven', 'bound', 'absent', 'duplicate')),
    PRIMARY KEY (case_id, position)
);
CREATE INDEX case_items_by_check ON case_items (check_id, case_id);

-- The log of a case, append-only.
CREATE TABLE case_decisions (
    id      bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    -- The identity of the sealed details.
    row_id  uuid NOT NULL,
    case_id uuid NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    at      timestamptz NOT NULL,
    actor   text NOT NULL,
    what    text NOT NULL,
    -- Sealed: the note and the data.
    details bytea NOT NULL
);
CREATE INDEX case_decisions_of_case ON case_decisions (case_id, id);

-- Every scan of an account, kept. Ids and times of the vendor's objects, no personal data.
CREATE TABLE scans (
    id         uuid PRIMARY KEY,
    account    text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz NOT NULL,
    complete   boolean NOT NULL,
    pages      integer NOT NULL,
    calls      integer NOT NULL,
    objects    integer NOT NULL,
    seen       jsonb NOT NULL
);
CREATE INDEX scans_by_account ON scans (account, started_at);

-- What is known of vendors' objects that no check is bound to.
CREATE TABLE vendor_objects (
    account         text NOT NULL,
    vendor_order_id text NOT NULL,
    -- dismissed: read in full, none of ours. duplicate: carries a reference of ours, another object is bound.
    -- orphan: found by a sweep, belongs to no check here.
    standing        text NOT NULL CHECK (standing IN ('dismissed', 'duplicate', 'orphan')),
    -- Of a duplicate: whose it would be, and where it was found.
    check_id        uuid,
    attempt         integer,
    case_id         uuid,
    seen_at         timestamptz NOT NULL,
    PRIMARY KEY (account, vendor_order_id),
    CHECK (standing <> 'duplicate' OR (check_id IS NOT NULL AND attempt IS NOT NULL AND case_id IS NOT NULL))
);
CREATE INDEX vendor_objects_by_seen_at ON vendor_objects (account, seen_at);
-- Duplicates and orphans are shown to operators; the dismissed are many and never are.
CREATE INDEX vendor_objects_to_show ON vendor_objects (account, seen_at) WHERE standing <> 'dismissed';

-- Orders, their checks, what is to be done for them, and how they are found.
--
-- Habits of every table here:
--   * ids are UUIDv7: they sort by time, so that keyset pages run along primary keys and inserts go to the right edge;
--   * times are timestamptz in UTC, words are text with a CHECK, other units stand in the column's name;
--   * columns that hold personal data are bytea and sealed by the gateway; what stands in the clear beside them is a
--     projection for queries. Sealed bytes do not compress, so Postgres is told not to try (STORAGE EXTERNAL).

CREATE TABLE orders (
    id              uuid PRIMARY KEY,
    tenant          text NOT NULL,
    external_id     text,
    batch_id        uuid,
    parent_order_id uuid,
    status          text NOT NULL CHECK (status IN
        ('queued', 'submitting', 'in_progress', 'unconfirmed', 'action_required', 'needs_review', 'completed', 'canceled', 'failed')),
    outcome         text CHECK (outcome IN ('clear', 'consider', 'unresolved')),
    version         bigint NOT NULL,
    metadata        jsonb NOT NULL DEFAULT '{}',
    -- The order's own key, sealed under a main key; null once it was destroyed to erase the order.
    data_key        bytea,
    -- The main key that it is sealed under: what a change of main keys has still to rewrap.
    data_key_id     text NOT NULL,
    -- Sealed with the data key: subject, position, purpose, consent.
    input           bytea,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    completed_at    timestamptz
) WITH (fillfactor = 90);
ALTER TABLE orders ALTER COLUMN input SET STORAGE EXTERNAL;

-- Every list is newest first within a tenant; each filter has an index that ends in the id, so that a page costs the
-- same however many orders lie behind it.
CREATE INDEX orders_by_tenant ON orders (tenant, id);
CREATE INDEX orders_by_status ON orders (tenant, status, id);
CREATE INDEX orders_by_outcome ON orders (tenant, outcome, id) WHERE outcome IS NOT NULL;
CREATE INDEX orders_by_external_id ON orders (tenant, external_id, id) WHERE external_id IS NOT NULL;
CREATE INDEX orders_by_batch ON orders (batch_id, id) WHERE batch_id IS NOT NULL;
CREATE INDEX orders_by_parent ON orders (parent_order_id, id) WHERE parent_order_id IS NOT NULL;

CREATE TABLE checks (
    id              uuid PRIMARY KEY,
    order_id        uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    tenant          text NOT NULL,
    -- Its place in the order, from 0.
    position        smallint NOT NULL CHECK (position >= 0),
    type            text NOT NULL,
    -- vendor/account. No foreign key: each insert would lock the account's one row.
    account         text NOT NULL,
    provider        text NOT NULL GENERATED ALWAYS AS (split_part(account, '/', 1)) STORED,
    -- 1, and one more for each retry with corrections.
    attempt         integer NOT NULL CHECK (attempt > 0),
    status          text NOT NULL CHECK (status IN
        ('queued', 'submitting', 'unconfirmed', 'in_progress', 'action_required', 'needs_review', 'completed', 'canceled', 'failed')),
    outcome         text CHECK (outcome IN ('clear', 'consider', 'unresolved')),
    -- How many different results were seen; 0 before the first.
    revision        integer NOT NULL DEFAULT 0,
    submission_id   uuid,
    vendor_order_id text,
    vendor_check_id text,
    -- Sealed with the order's data key: the product that is asked for; and the state with every result seen.
    input           bytea,
    state           bytea,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    -- When the vendor's object was first known.
    submitted_at    timestamptz,
    ended_at        timestamptz,
    UNIQUE (order_id, position)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE checks ALTER COLUMN input SET STORAGE EXTERNAL;
ALTER TABLE checks ALTER COLUMN state SET STORAGE EXTERNAL;

CREATE INDEX checks_by_status ON checks (tenant, status, order_id);
CREATE INDEX checks_by_provider ON checks (tenant, provider, order_id);
CREATE INDEX checks_by_type ON checks (tenant, type, order_id);
-- Who holds a vendor's object: several checks may.
CREATE INDEX checks_by_vendor_order ON checks (account, vendor_order_id) WHERE vendor_order_id IS NOT NULL;
-- What a scan need not read again.
CREATE INDEX checks_by_submitted_at ON checks (account, submitted_at) INCLUDE (vendor_order_id)
    WHERE vendor_order_id IS NOT NULL;

-- What workers have to do: one row for each check that is not at rest, and none for the others, so that the cost of
-- finding work grows with what is open and a poll without news rewrites a row of a hundred bytes.
--
-- Taking a row moves its due_at to the end of the lease: a worker that dies lets it come due again by itself.
CREATE TABLE work (
    check_id uuid PRIMARY KEY,
    order_id uuid NOT NULL,
    tenant   text NOT NULL,
    account  text NOT NULL,
    -- send: make the create call. follow: look at the vendor's object, or cancel it.
    kind     text NOT NULL CHECK (kind IN ('send', 'follow')),
    due_at   timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

CREATE INDEX work_due ON work (account, kind, due_at);

-- Equality search: a term stands for tenant, field and value. For personal data it is an HMAC (a blind index), for
-- metadata a plain hash. Ends in the order's id, so that a page of hits is read in the order of the list.
CREATE TABLE search_terms (
    term     bytea NOT NULL,
    order_id uuid NOT NULL,
    PRIMARY KEY (term, order_id)
);
-- To erase the terms of an order.
CREATE INDEX search_terms_by_order ON search_terms (order_id);

-- The vendor's own last answer about a check, sealed with the order's data key.
CREATE TABLE vendor_payloads (
    check_id uuid PRIMARY KEY REFERENCES checks (id) ON DELETE CASCADE,
    order_id uuid NOT NULL,
    payload  bytea NOT NULL,
    seen_at  timestamptz NOT NULL
);
ALTER TABLE vendor_payloads ALTER COLUMN payload SET STORAGE EXTERNAL;

-- Documents that vendors hold. Locator, filename and the rest are sealed with the order's data key.
CREATE TABLE documents (
    id             uuid PRIMARY KEY,
    check_id       uuid NOT NULL REFERENCES checks (id) ON DELETE CASCADE,
    order_id       uuid NOT NULL,
    tenant         text NOT NULL,
    -- SHA-256 over the adapter's locator: the same document is kept once.
    locator_sha256 bytea NOT NULL,
    document       bytea NOT NULL,
    seen_at        timestamptz NOT NULL,
    UNIQUE (check_id, locator_sha256)
);
CREATE INDEX documents_by_order ON documents (order_id, id);

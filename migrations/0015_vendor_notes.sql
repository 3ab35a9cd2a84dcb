-- What vendors say that they did for a check, step by step.

-- Which of it the timeline has. Kept for as long as the check: a vendor tells all of it again each time it is asked, however
-- old it is, unlike a hook that is repeated for some days only.
CREATE TABLE vendor_notes (
    check_id   uuid NOT NULL REFERENCES checks (id) ON DELETE CASCADE,
    -- Of the key that the adapter gives it.
    key_sha256 bytea NOT NULL,
    PRIMARY KEY (check_id, key_sha256)
);

-- Checks that have ended and whose vendor could not be asked for them yet.
CREATE TABLE unread_notes (
    check_id uuid PRIMARY KEY REFERENCES checks (id) ON DELETE CASCADE,
    failures integer NOT NULL
);

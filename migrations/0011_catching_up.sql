-- Hooks that were lost on their way are read in the vendor's own log afterwards.

-- Where an entry of the inbox came from: a hook that showed who sent it, one that showed nothing, or the vendor's log.
ALTER TABLE inbox ADD COLUMN source text NOT NULL DEFAULT 'hook' CHECK (source IN ('hook', 'log'));
-- The last hook of an account.
CREATE INDEX inbox_hooks ON inbox (account, received_at) WHERE source = 'hook';

ALTER TABLE vendor_accounts
    -- Everything that the vendor had to say up to then was received, or read in its log.
    ADD COLUMN hooks_through        timestamptz,
    -- When it is looked at whether hooks still come.
    ADD COLUMN catch_up_next_at     timestamptz,
    -- Somebody reads the log until then.
    ADD COLUMN catch_up_lease_until timestamptz;

-- The last change of an account's settings, which some vendors cannot be asked for.
CREATE INDEX audit_of_settings ON audit_entries (target, serial)
    WHERE action = 'provider.settings.change' AND data ->> 'outcome' = 'done';

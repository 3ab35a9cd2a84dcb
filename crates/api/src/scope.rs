//! What a token may do.

macro_rules! scopes {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// A right that a token can carry in its `scope` claim.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Scope { $($(#[doc = $doc])+ $name,)+ }

        impl Scope {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// What it allows.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+)),+ }
            }
        }
    };
}

/// A type for each scope that an operation asks for as its first.
macro_rules! required {
    ($($name:ident),+ $(,)?) => {$(
        #[derive(Debug, Clone, Copy)]
        pub struct $name;
        impl Required for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )+};
}

/// The scope that an operation asks of its [caller](crate::caller::Caller).
pub trait Required: Send + Sync + 'static {
    const SCOPE: Scope;
}

scopes! {
    /// Read orders and checks, masked.
    OrdersRead = "orders:read",
    /// Make, cancel and refresh orders.
    OrdersWrite = "orders:write",
    /// See identifiers, documents and findings unmasked. Audited.
    PiiRead = "pii:read",
    /// Erase the subject of an order.
    PiiErase = "pii:erase",
    /// Read a vendor's own answers. Audited.
    VendorRead = "vendor:read",
    /// Call a vendor's API through the gateway. Audited.
    VendorPassthrough = "vendor:passthrough",
    /// Make and change packages.
    PackagesManage = "packages:manage",
    /// Make and change monitors, which order checks again and again.
    MonitorsManage = "monitors:manage",
    /// Make and change webhook endpoints.
    WebhooksManage = "webhooks:manage",
    /// Read reconciliation cases.
    ReconciliationRead = "reconciliation:read",
    /// Scan for and decide reconciliation cases. Audited.
    ReconciliationResolve = "reconciliation:resolve",
    /// See vendors and their state.
    ProvidersRead = "providers:read",
    /// Pause and resume vendors, and set up what is a vendor account's own. Audited.
    ProvidersManage = "providers:manage",
    /// Read the audit log.
    AuditRead = "audit:read",
    /// Act across all tenants.
    TenantsAll = "tenants:all",
}

required!(
    OrdersRead,
    OrdersWrite,
    PiiRead,
    VendorRead,
    MonitorsManage,
    VendorPassthrough,
    ReconciliationRead,
    ReconciliationResolve,
    ProvidersRead,
    ProvidersManage,
    AuditRead,
);

/// The scopes of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u32);

impl Scopes {
    /// Reads a space-separated list. Words that are not known here are left out: they may be meant for somebody else.
    pub fn parse(words: &str) -> Self {
        let known = words.split_ascii_whitespace();
        Self(
            known
                .filter_map(|word| Scope::ALL.iter().find(|scope| scope.as_str() == word))
                .fold(0, |bits, scope| bits | bit(*scope)),
        )
    }

    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & bit(scope) != 0
    }
}

const fn bit(scope: Scope) -> u32 {
    1 << scope as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_left_out_and_similar_words_do_not_count() {
        let scopes = Scopes::parse("orders:read  billing:read orders:writes ORDERS:WRITE pii:*");
        assert!(scopes.contains(Scope::OrdersRead));
        assert_eq!(scopes, Scopes::parse("orders:read"));
    }

    #[test]
    fn every_scope_stands_for_itself_only() {
        for scope in Scope::ALL {
            let held = Scopes::parse(scope.as_str());
            assert!(Scope::ALL.iter().all(|other| held.contains(*other) == (other == scope)), "{scope:?}");
        }
    }
}

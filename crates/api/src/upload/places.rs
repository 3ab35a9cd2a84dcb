//! Places for uploads: each holds a connection to the database for as long as it takes to arrive.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::TenantId;

use crate::problem::{Kind, Problem};

/// How long a caller should wait for another upload's place.
const REST: Duration = Duration::from_secs(5);

/// So many uploads at once, and at most half of them one tenant's.
pub struct Places {
    most: usize,
    held: Mutex<HashMap<TenantId, usize>>,
}

/// A place, which is free again when it is dropped.
pub struct Place<'a> {
    places: &'a Places,
    tenant: TenantId,
}

impl Places {
    pub fn new(most: usize) -> Self {
        Self { most, held: Mutex::default() }
    }

    pub fn take(&self, tenant: &TenantId) -> Result<Place<'_>, Problem> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.values().sum::<usize>() >= self.most {
            let detail = "As many batches as can be taken in at once are being taken in.";
            return Err(Problem::new(Kind::Unavailable, detail).retry_after(REST));
        }
        let own = held.get(tenant).copied().unwrap_or_default();
        if own >= (self.most / 2).max(1) {
            let detail = "As many batches of this tenant as can be taken in at once are being taken in.";
            return Err(Problem::new(Kind::RateLimited, detail).retry_after(REST));
        }
        held.insert(tenant.clone(), own + 1);
        Ok(Place { places: self, tenant: tenant.clone() })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut held = self.places.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = held.get_mut(&self.tenant) {
            *own -= 1;
        }
        held.retain(|_, own| *own > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_holds_at_most_half_of_the_places() {
        for (most, each) in [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2)] {
            let places = Places::new(most);
            let mut held = Vec::new();
            for tenant in ["a", "b", "c", "d", "e"].map(TenantId::new) {
                for _ in 0..each {
                    held.extend(places.take(&tenant).ok());
                }
                let refused = places.take(&tenant).err().expect("no more").kind();
                let expected = if held.len() == most { Kind::Unavailable } else { Kind::RateLimited };
                assert_eq!(refused, expected, "{most}");
            }
            assert_eq!(held.len(), most);
            held.pop();
            assert!(places.take(&TenantId::new("f")).is_ok(), "{most}");
            held.clear();
            assert!(places.held.lock().expect("a lock").is_empty());
        }
    }
}

//! What a panic leaves behind. On its own, since the hook is the whole process's.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps all fields of all events.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = writeln!(self.0, "{field}={value:?}");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Line(&mut self.0.lock().expect("a lock")));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_panic_logs_where_it_was_and_not_what_it_said() {
    let log = Log::default();
    api::quiet_panics();
    let panicked = tracing::subscriber::with_default(log.clone(), || {
        std::panic::catch_unwind(|| panic!("the number 123-45-6789 is not valid"))
    });
    let _ = std::panic::take_hook();
    assert!(panicked.is_err());
    let log = log.0.lock().expect("a lock");
    assert!(log.contains("tests/panics.rs:") && !log.contains("123-45-6789"), "{log}");
}

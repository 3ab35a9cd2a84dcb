//! What can be set up at the made-up vendor. It says yes to everything, unless the name asks for something else.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use domain::{Sensitive, Timestamp};
use provider::{
    Administration, AdministrationFault, CallContext, CallError, CustomType, LostReason, Objection, SettingsChange,
    Source, SourceHour,
};

/// The names by which a fault is asked for.
fn fault(name: &str) -> Result<(), AdministrationFault> {
    match name {
        "missing" => Err(AdministrationFault::NotFound),
        "taken" => Err(AdministrationFault::Exists),
        "wrong" => Err(AdministrationFault::Refused(vec![
            Objection::new("/name", "invalid", "Choose another."),
            Objection::new("/weights/criminal_record", "invalid", "Choose another."),
        ])),
        "denied" => Err(AdministrationFault::Denied("the API key is wrong")),
        "away" => Err(AdministrationFault::NotDone(CallError::Lost { why: LostReason::TimedOut })),
        "lost" => Err(AdministrationFault::Unclear("nothing is to be seen")),
        _ => Ok(()),
    }
}

#[derive(Default)]
pub struct Desk {
    secrets: Mutex<Vec<Sensitive<BTreeMap<String, String>>>>,
}

#[async_trait]
impl Administration for Desk {
    async fn sources(
        &self,
        _: &CallContext,
        country: &str,
        now: Timestamp,
    ) -> Result<Vec<Source>, AdministrationFault> {
        if country == "XX" {
            let objection = Objection::new("/country", "not_supported", "Not there.");
            return Err(AdministrationFault::Refused(vec![objection]));
        }
        let hours = vec![SourceHour { at: now, status: "operational".to_owned() }];
        Ok(vec![Source { id: "DBI1".to_owned(), name: country.to_owned(), datasets: Vec::new(), hours }])
    }

    async fn custom_types(&self, _: &CallContext) -> Result<Vec<CustomType>, AdministrationFault> {
        Ok(Vec::new())
    }

    async fn create_custom_type(
        &self,
        _: &CallContext,
        wanted: &CustomType,
    ) -> Result<CustomType, AdministrationFault> {
        fault(&wanted.name).map(|()| wanted.clone())
    }

    async fn replace_custom_type(
        &self,
        _: &CallContext,
        wanted: &CustomType,
    ) -> Result<CustomType, AdministrationFault> {
        fault(&wanted.name).map(|()| wanted.clone())
    }

    async fn delete_custom_type(&self, _: &CallContext, _: &str, name: &str) -> Result<(), AdministrationFault> {
        fault(name)
    }

    async fn change_settings(&self, _: &CallContext, _: &SettingsChange) -> Result<(), AdministrationFault> {
        Ok(())
    }

    async fn credentials(&self, _: &CallContext) -> Result<Vec<String>, AdministrationFault> {
        Ok(vec!["DBI1".to_owned()])
    }

    async fn put_credentials(
        &self,
        _: &CallContext,
        database_id: &str,
        secrets: &Sensitive<BTreeMap<String, String>>,
    ) -> Result<(), AdministrationFault> {
        self.secrets.lock().expect("no panic").push(secrets.clone());
        fault(database_id)
    }

    async fn delete_credentials(&self, _: &CallContext, database_id: &str) -> Result<(), AdministrationFault> {
        fault(database_id)
    }
}

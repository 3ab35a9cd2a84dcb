//! What was asked, and on what ground.

use domain::input::BackgroundCheck;
use domain::result::Facts;
use domain::{
    Check, CheckId, CheckInput, CheckSpec, CheckType, Consent, ConsentDocument, OrderInput, Position, Purpose,
    Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

/// Why the subject may be asked about.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportGround)]
pub struct GroundView {
    pub purpose: Purpose,
    pub consent: ConsentView,
    /// The job that the subject is screened for.
    #[schema(required)]
    pub position: Option<PositionView>,
}

/// The subject's agreement. The signed release itself is not shown.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportConsent)]
pub struct ConsentView {
    pub obtained_at: Timestamp,
    /// Which wording the subject agreed to.
    #[schema(required)]
    pub text_version: Option<String>,
    #[schema(required)]
    pub expires_at: Option<Timestamp>,
    /// How the signed release was handed in: `link` or `file`.
    #[schema(required, examples("link"))]
    pub document: Option<&'static str>,
}

/// A job, without its pay.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportPosition)]
pub struct PositionView {
    #[schema(required)]
    pub title: Option<String>,
    #[schema(required)]
    pub company: Option<String>,
    #[schema(required)]
    pub city: Option<String>,
    #[schema(required)]
    pub region: Option<String>,
    #[schema(required)]
    pub country: Option<String>,
}

/// What a check asks.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportQuestion)]
pub struct AskedView {
    pub check_id: CheckId,
    #[serde(rename = "type")]
    pub kind: CheckType,
    /// What the subject says, and the check is to verify.
    #[schema(required)]
    pub facts: Option<Facts>,
    /// The country whose records are asked.
    #[schema(required)]
    pub country: Option<String>,
    #[schema(required)]
    pub region: Option<String>,
}

impl GroundView {
    pub fn of(input: &OrderInput) -> Self {
        Self {
            purpose: input.purpose,
            consent: ConsentView::of(&input.consent),
            position: input.position.as_ref().map(PositionView::of),
        }
    }
}

impl ConsentView {
    fn of(consent: &Consent) -> Self {
        let document = consent.document.as_ref().map(|document| match document {
            ConsentDocument::Link { .. } => "link",
            ConsentDocument::Inline { .. } => "file",
        });
        Self {
            obtained_at: consent.obtained_at,
            text_version: consent.text_version.clone(),
            expires_at: consent.expires_at,
            document,
        }
    }
}

impl PositionView {
    fn of(position: &Position) -> Self {
        let Position { title, company, city, region, country, .. } = position.clone();
        Self { title, company, city, region, country }
    }
}

impl AskedView {
    pub fn of(check: &Check) -> Self {
        let input = check.input.expose();
        // A vendor's product may leave the employer out; what the caller gave is with one of the others, then.
        let legs = check.state.legs.iter().map(|leg| &leg.input);
        let facts = legs.chain(std::iter::once(input)).filter_map(facts).max_by_key(count);
        Self {
            check_id: check.id,
            kind: check.kind,
            facts,
            country: input.spec.country().map(str::to_owned),
            region: match &input.spec {
                CheckSpec::BackgroundCheck(BackgroundCheck { region, .. }) => region.clone(),
                _ => None,
            },
        }
    }
}

fn facts(input: &CheckInput) -> Option<Facts> {
    let employment = |employer: &Option<domain::input::Employer>, title: &Option<String>, start_date, end_date| {
        let written = |date: Option<domain::Date>| date.map(|date| date.to_string());
        Facts {
            employer: employer.as_ref().map(|employer| employer.name.clone()),
            title: title.clone(),
            start_date: written(start_date),
            end_date: written(end_date),
            ..Facts::default()
        }
    };
    match &input.spec {
        CheckSpec::EmploymentVerification(asked) => {
            Some(employment(&asked.employer, &asked.title, asked.start_date, asked.end_date))
        }
        CheckSpec::IncomeVerification(asked) => {
            Some(employment(&asked.employer, &asked.title, asked.start_date, asked.end_date))
        }
        CheckSpec::EducationVerification(asked) => Some(Facts {
            institution: Some(asked.institution.name.clone()),
            qualification: asked.qualification.clone(),
            field_of_study: asked.field_of_study.clone(),
            graduation_date: asked.graduation_date.map(|date| date.to_string()),
            ..Facts::default()
        }),
        CheckSpec::BackgroundCheck(_) | CheckSpec::IdentityVerification(_) => None,
    }
}

fn count(facts: &Facts) -> usize {
    facts.named().filter(|(_, value)| value.is_some()).count()
}

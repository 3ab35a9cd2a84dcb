//! Our rows in the vendor's report.
//!
//! A row of the report is ours by our reference, exactly as it was given. Where it shows none, it is ours by the numbers
//! that the subject is searched by (names, where it is searched by names), if exactly one row of ours and exactly one of
//! the report agree. Everything else is left open: nothing is guessed.

use std::collections::{BTreeMap, HashMap};

use domain::{Reason, Reference, Timestamp, VendorRef};
use provider::{Accepted, Carries, RowOutcome, SubmissionItem};

use super::report::{Id, Line, Report};
use crate::inputs::{Input, plain_number};
use crate::mapping::{self, Asked};
use crate::submit::CLEARLY_OLDER;

/// By which a subject is searched, or told from others.
const NUMBERS: [Input; 9] = [
    Input::NationalId,
    Input::ForeignId,
    Input::Ptp,
    Input::Pep,
    Input::Passport,
    Input::TaxId,
    Input::LicensePlate,
    Input::VehicleId,
    Input::DriverLicense,
];

/// For whom there is no number.
const NAMES: [Input; 3] = [Input::FirstName, Input::LastName, Input::CompanyName];

/// What the rows of one file are told apart by.
#[derive(Default)]
pub struct Marks {
    numbers: Vec<(Input, String)>,
    /// Where there are no numbers.
    names: Vec<(Input, String)>,
    born: Option<String>,
}

impl Marks {
    /// `None`: there is nothing to tell it by.
    pub fn of(asked: &Asked) -> Option<Self> {
        let inputs = asked.inputs.iter().filter_map(|(field, value)| Some((Input::of_field(field)?, value.as_str())));
        let marks = Self::among(inputs);
        (!marks.numbers.is_empty() || !marks.names.is_empty()).then_some(marks)
    }

    fn among<'a>(inputs: impl Iterator<Item = (Input, &'a str)>) -> Self {
        let mut marks = Self::default();
        for (input, value) in inputs {
            if NUMBERS.contains(&input) {
                let number = plain_number(value);
                marks.numbers.extend((!number.is_empty()).then_some((input, number)));
            } else if NAMES.contains(&input) {
                let name = plain_name(value);
                marks.names.extend((!name.is_empty()).then_some((input, name)));
            } else if input == Input::DateOfBirth {
                // Dates come back as midnight.
                marks.born = value.get(..10).map(str::to_owned);
            }
        }
        marks.names.sort_unstable();
        marks
    }

    /// Each with the field that it stands in.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let names = self.names.iter().filter(|_| self.numbers.is_empty());
        let born = self.born.as_deref().filter(|_| self.numbers.is_empty());
        self.numbers.iter().chain(names).flat_map(|(input, text)| [input.field(), text.as_str()]).chain(born)
    }

    /// A number in which the two differ.
    fn contradict(&self, shown: &Self) -> bool {
        let differs = |(input, ours): &(Input, String)| {
            shown.numbers.iter().any(|(field, theirs)| field == input && theirs != ours)
        };
        self.numbers.iter().any(differs)
    }

    /// Whether what is shown can only be of this one, or of another with the same.
    fn agree(&self, shown: &Self) -> bool {
        if self.contradict(shown) {
            return false;
        }
        if !self.numbers.is_empty() {
            return self.numbers.iter().any(|number| shown.numbers.contains(number));
        }
        let same_day = self.born.as_ref().zip(shown.born.as_ref()).is_none_or(|(ours, theirs)| ours == theirs);
        !self.names.is_empty() && same_day && self.names.iter().all(|name| shown.names.contains(name))
    }

    /// Every choice of its names, of which there are three at most.
    fn choices_of_names(&self) -> impl Iterator<Item = Vec<(Input, String)>> {
        let is_chosen = |choice: usize, at: usize| choice >> at & 1 == 1;
        (1..1 << self.names.len()).map(move |choice| {
            let chosen = self.names.iter().enumerate().filter(|(at, _)| is_chosen(choice, *at));
            chosen.map(|(_, name)| name.clone()).collect()
        })
    }
}

fn plain_name(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// What was found of the rows of a file.
pub struct Found {
    /// `None`: the report does not say.
    rows: Vec<Option<RowOutcome>>,
    /// The report accounts for everything that the vendor made of the file: what is not in it was not made.
    accounts_for_all: bool,
    /// If not, the vendor may still come to a row: neither a report nor a search can show that it was not made.
    has_ended: bool,
}

impl Found {
    /// Whether it matters if rows keep their references.
    pub fn needs_proof(&self) -> bool {
        self.has_ended && !self.accounts_for_all && self.rows.iter().any(Option::is_none)
    }

    /// `references_kept`: a check that was made carries its row's reference, so that looking for it proves something.
    pub fn outcomes(self, references_kept: bool) -> Vec<RowOutcome> {
        let open = || {
            let why = Reason::new("not_in_report", "The vendor's report does not account for this check.");
            let can_be_found = self.has_ended && (self.accounts_for_all || references_kept);
            if can_be_found { RowOutcome::Missing(why) } else { RowOutcome::Ambiguous(why) }
        };
        self.rows.into_iter().map(|row| row.unwrap_or_else(open)).collect()
    }
}

/// What the report says of one row of ours.
#[derive(Default)]
struct Claims<'r> {
    by_reference: Vec<&'r Line>,
    by_marks: Vec<&'r Line>,
    errors: usize,
    /// A row of the report speaks of this one or of another, or contradicts itself.
    is_unclear: bool,
}

/// `made_at`: when the batch was made, by the vendor's clock. `has_ended`: the vendor has said that it works on none of
/// the rows any more, so that the report is the whole of it.
pub fn find(report: &Report, items: &[SubmissionItem], made_at: Option<Timestamp>, has_ended: bool) -> Found {
    let rows = Rows::of(items);
    let mut claims: Vec<Claims<'_>> = items.iter().map(|_| Claims::default()).collect();
    let mut loose = 0;
    for line in &report.results {
        let shown = shown(line);
        let alike = rows.agreeing(line, &shown);
        match line.carries.ours().and_then(|reference| rows.by_reference.get(&reference).copied()) {
            Some(at) if rows.fits(at, line) && !rows.marks[at].contradict(&shown) => claims[at].by_reference.push(line),
            Some(at) => alike.iter().chain([&at]).for_each(|at| claims[*at].is_unclear = true),
            None => match alike.as_slice() {
                [] => loose += 1,
                [at] => claims[*at].by_marks.push(line),
                several => several.iter().for_each(|at| claims[*at].is_unclear = true),
            },
        }
    }
    for line in &report.errors {
        let known = line.carries.ours().and_then(|reference| rows.by_reference.get(&reference).copied());
        let alike = rows.agreeing(line, &shown(line));
        if let Some(at) = known.or_else(|| <[usize; 1]>::try_from(alike).ok().map(|[at]| at)) {
            claims[at].errors += 1;
        }
    }
    let mut outcomes: Vec<_> =
        claims.iter().zip(items).map(|(claims, item)| claims.outcome(item.reference, made_at)).collect();
    part(&mut outcomes);
    let says_something = !(report.results.is_empty() && report.errors.is_empty());
    let accounts_for_all = has_ended && report.has_results && loose == 0 && says_something;
    Found { rows: outcomes, accounts_for_all, has_ended }
}

/// Two rows of different subjects cannot have the same check.
fn part(outcomes: &mut [Option<RowOutcome>]) {
    let mut holders: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, outcome) in outcomes.iter().enumerate() {
        if let Some(RowOutcome::Made(made)) = outcome {
            holders.entry(made.vendor.order_id.clone()).or_default().push(at);
        }
    }
    for at in holders.into_values().filter(|holders| holders.len() > 1).flatten() {
        outcomes[at] = Some(unclear());
    }
}

fn unclear() -> RowOutcome {
    let why = "The vendor's report names a check that may be this one's or another's.";
    RowOutcome::Ambiguous(Reason::new("contradictory_report", why))
}

fn shown(line: &Line) -> Marks {
    Marks::among(line.inputs.iter().map(|(input, text)| (*input, text.as_str())))
}

impl Claims<'_> {
    /// `None`: nothing is said.
    fn outcome(&self, reference: Reference, made_at: Option<Timestamp>) -> Option<RowOutcome> {
        let lines = if self.by_reference.is_empty() { &self.by_marks } else { &self.by_reference };
        // What carries our reference is ours, whatever else there is that looks like it.
        let is_contradicted = self.by_reference.is_empty() && self.errors > 0;
        match lines.as_slice() {
            _ if self.is_unclear => Some(unclear()),
            [] if self.errors > 0 => {
                let why = "The vendor could not make a check of this row; its report names it among the errors.";
                Some(RowOutcome::Refused(Reason::new("vendor_refused", why)))
            }
            [] => None,
            [first, rest @ ..] if !is_contradicted && rest.iter().all(|line| line.id == first.id) => {
                Some(made(first, reference, made_at))
            }
            _ => Some(unclear()),
        }
    }
}

fn made(line: &Line, reference: Reference, made_at: Option<Timestamp>) -> RowOutcome {
    let Id::Check(id) = &line.id else { return unclear() };
    let reused = match line.carries {
        Carries::Ours(carried) => carried != reference,
        Carries::Foreign => true,
        Carries::Nothing | Carries::Descent => {
            let older = |(made_at, created_at): (Timestamp, Timestamp)| created_at + CLEARLY_OLDER < made_at;
            made_at.zip(line.created_at).is_some_and(older)
        }
    };
    let vendor = VendorRef::order(id.clone());
    RowOutcome::Made(Box::new(Accepted { vendor, provisional: false, reused, carries: line.carries, snapshot: None }))
}

/// The rows of a file, to look up: by each of their numbers, or by all of their names together. Many have a name in common.
#[derive(Default)]
struct Rows {
    asked: Vec<Option<(String, String)>>,
    marks: Vec<Marks>,
    by_reference: BTreeMap<Reference, usize>,
    by_number: HashMap<(Input, String), Vec<usize>>,
    by_names: HashMap<Vec<(Input, String)>, Vec<usize>>,
}

impl Rows {
    fn of(items: &[SubmissionItem]) -> Self {
        let mut rows = Self::default();
        for (at, item) in items.iter().enumerate() {
            let asked = mapping::asked(&item.order, &item.check);
            let marks = asked.as_ref().and_then(Marks::of).unwrap_or_default();
            rows.by_reference.insert(item.reference, at);
            rows.add(marks);
            rows.asked.push(asked.map(|asked| (asked.kind, asked.country)));
        }
        rows
    }

    fn add(&mut self, marks: Marks) {
        let at = self.marks.len();
        for number in &marks.numbers {
            self.by_number.entry(number.clone()).or_default().push(at);
        }
        if marks.numbers.is_empty() {
            self.by_names.entry(marks.names.clone()).or_default().push(at);
        }
        self.marks.push(marks);
    }

    /// Whether the line is about the type and country that were asked for, so far as it shows any.
    fn fits(&self, at: usize, line: &Line) -> bool {
        let Some((kind, country)) = &self.asked[at] else { return false };
        let same =
            |ours: &str, theirs: &Option<String>| theirs.as_deref().is_none_or(|it| it.eq_ignore_ascii_case(ours));
        same(kind, &line.kind) && same(country, &line.country)
    }

    /// The rows that the line can be about, each once.
    fn agreeing(&self, line: &Line, shown: &Marks) -> Vec<usize> {
        let agrees = |at: &usize| self.marks[*at].agree(shown) && self.fits(*at, line);
        let mut agreeing: Vec<usize> = self.candidates(shown).filter(agrees).collect();
        agreeing.sort_unstable();
        agreeing.dedup();
        agreeing
    }

    /// All that agree are among them, and few others.
    fn candidates(&self, shown: &Marks) -> impl Iterator<Item = usize> {
        let by_number = shown.numbers.iter().filter_map(|number| self.by_number.get(number));
        let by_names = shown.choices_of_names().filter_map(|names| self.by_names.get(&names));
        by_number.chain(by_names).flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(inputs: &[(Input, &str)]) -> Marks {
        Marks::among(inputs.iter().copied())
    }

    fn rows(all: impl IntoIterator<Item = Marks>) -> Rows {
        let mut rows = Rows::default();
        all.into_iter().for_each(|marks| rows.add(marks));
        rows
    }

    #[test]
    fn what_many_have_in_common_makes_none_of_them_a_candidate() {
        let named =
            |number: usize| marks(&[(Input::FirstName, &format!("Ana {number}")), (Input::LastName, "Muestra")]);
        let numbered = |number: usize| {
            let number = format!("10{number:08}");
            marks(&[(Input::FirstName, "Ana"), (Input::LastName, "Muestra"), (Input::NationalId, &number)])
        };
        let rows = rows((0..1_000).map(named).chain((0..1_000).map(numbered)));
        for at in [0, 999] {
            assert_eq!(rows.candidates(&named(at)).collect::<Vec<_>>(), [at]);
            assert_eq!(rows.candidates(&numbered(at)).collect::<Vec<_>>(), [1_000 + at]);
        }
    }

    #[test]
    fn all_that_agree_are_candidates() {
        let kinds = [
            &[(Input::NationalId, "1"), (Input::FirstName, "Ana"), (Input::LastName, "Muestra")][..],
            &[(Input::NationalId, "1"), (Input::Passport, "P")],
            &[(Input::Passport, "P")],
            &[(Input::LastName, "muestra "), (Input::FirstName, "ANA")],
            &[(Input::FirstName, "Ana"), (Input::DateOfBirth, "1990-05-15")],
            &[(Input::CompanyName, "Ejemplo"), (Input::FirstName, "Ana"), (Input::LastName, "Muestra")],
            &[(Input::CompanyName, "Ejemplo")],
            &[],
        ];
        let rows = rows(kinds.map(marks));
        for shown in kinds.map(marks) {
            let candidates: Vec<_> = rows.candidates(&shown).collect();
            for (at, ours) in rows.marks.iter().enumerate().filter(|(_, ours)| ours.agree(&shown)) {
                assert!(candidates.contains(&at), "{:?} {:?}", ours.numbers, ours.names);
            }
        }
    }
}

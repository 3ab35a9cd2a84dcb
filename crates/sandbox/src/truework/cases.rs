//! What each test SSN comes to. The SSN alone decides, and always lies in a range that was never issued.
//!
//! From the vendor's documents and captured answers:
//!
//! | SSN | comes to |
//! |---|---|
//! | 000-00-0000 … 000-00-0006 | completed, one report |
//! | 000-00-0007 | completed, two reports |
//! | 000-01-0000, 000-11-0000 | canceled, without a reason |
//! | 000-03-0000 | action-required, for good |
//! | 000-20-0000 | ours, since the documents use it and do not say: a Direct order whose applicant never signs in; else action-required |
//!
//! Ours, for endings that the vendor's list has no SSN for:
//!
//! | SSN | comes to |
//! |---|---|
//! | 000-99-0001 | invalid |
//! | 000-99-0002 | refused with 451: the SSN is frozen |
//! | 000-99-0003 | canceled with `no-match` |
//! | 000-99-0004 | processing, for good |
//! | 000-99-0005 | completed; the source has no record of the person (`non-employee`) |
//! | 000-99-0006 | a state that the contract does not know (`other`, `under-audit`), for good |
//! | 000-99-0007 | completed, and disputed |
//! | 000-99-0008 | canceled with `other`, `employer-refused` |
//! | 000-99-0009 | completed, with a document of the applicant that failed a check |
//! | 000-99-0010 | a Direct order of two verifications: completed, and canceled with `employer-refused`; else the first |
//! | 000-99-0011 | a Direct order of two verifications: completed, and processing for good; else the first |
//! | 000-99-0012 | completed, with everything that a report can hold |
//! | 000-99-0013 | completed where one employer is asked; a search finds nothing |

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ending {
    Completed(&'static [Employment]),
    /// With the canonical and the raw word of the reason, if there is one.
    Canceled(Option<(&'static str, &'static str)>),
    Invalid,
    /// Completed where one employer is asked; instant sources know nobody.
    OnlyAtTheEmployer(&'static [Employment]),
    /// One verification each, where the kind of order can have several; else the first.
    Several(&'static [Ending]),
    /// Stays so until it is canceled.
    ActionRequired,
    /// The applicant never signs in.
    NoSignIn,
    Processing,
    Unheard,
    /// Nothing is made at all.
    Frozen,
}

/// One report's worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Employment {
    pub title: &'static str,
    pub status: &'static str,
    pub status_detail: &'static str,
    pub part_time: bool,
    pub start: &'static str,
    pub end: Option<&'static str>,
    pub on_leave: Option<&'static str>,
    /// Per year.
    pub pay: Option<&'static str>,
    /// Year, base, bonus, other, total.
    pub earnings: &'static [[&'static str; 5]],
    pub besides: Besides,
}

/// What a report holds that others do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Besides {
    Nothing,
    /// Somebody disputes it.
    Dispute,
    /// A document of the applicant that failed a check.
    FlaggedDocument,
    /// Paystubs, eligibilities, annotations, bank accounts and whatever else there is.
    Everything,
}

impl Employment {
    pub fn is_full(&self) -> bool {
        self.besides == Besides::Everything
    }
}

const ACTIVE: Employment = Employment {
    title: "",
    status: "active",
    status_detail: "active",
    part_time: false,
    start: "",
    end: None,
    on_leave: None,
    pay: None,
    earnings: &[],
    besides: Besides::Nothing,
};

const INACTIVE: Employment = Employment { status: "inactive", status_detail: "inactive", ..ACTIVE };

const TAYLOR: Employment = Employment {
    title: "Software Engineer",
    start: "2019-01-01",
    pay: Some("150000.00"),
    earnings: &[
        ["2022", "50000.00", "0.00", "0.00", "50000.00"],
        ["2021", "150000.00", "50000.00", "0.00", "200000.00"],
        ["2020", "100000.00", "25000.00", "0.00", "125000.00"],
    ],
    ..ACTIVE
};

const SARAH: Employment = Employment {
    title: "Program Manager",
    start: "2015-05-01",
    end: Some("2022-01-01"),
    earnings: &[
        ["2022", "10000.00", "0.00", "5000.00", "15000.00"],
        ["2021", "120000.00", "15000.00", "10000.00", "145000.00"],
        ["2020", "100000.00", "10000.00", "5000.00", "115000.00"],
    ],
    ..INACTIVE
};

/// On leave, by the documents' list; the captured answer calls that inactive, with the day it began.
const JEROME: Employment = Employment {
    title: "Accountant",
    part_time: true,
    start: "2017-02-03",
    on_leave: Some("2022-01-01"),
    earnings: &[
        ["2022", "1000.00", "0.00", "0.00", "1000.00"],
        ["2021", "45000.00", "0.00", "0.00", "45000.00"],
        ["2020", "45000.00", "0.00", "0.00", "45000.00"],
    ],
    ..INACTIVE
};

const KYLE: Employment = Employment {
    title: "Product Manager",
    start: "2022-01-01",
    pay: Some("120000.00"),
    earnings: &[["2022", "35000.00", "15000.00", "0.00", "50000.00"]],
    ..ACTIVE
};

const BRIANNA: Employment =
    Employment { title: "Customer Service Representative", part_time: true, start: "2021-05-19", ..ACTIVE };

const DIANE: Employment =
    Employment { title: "Account Executive", start: "2019-03-01", end: Some("2020-12-28"), ..INACTIVE };

const RECRUITER: Employment =
    Employment { title: "Recruiter", start: "2018-03-01", end: Some("2021-03-10"), ..INACTIVE };

const MANAGER_NOW: Employment = Employment {
    title: "Engineering Manager",
    start: "2022-01-01",
    pay: Some("200000.00"),
    earnings: &[["2022", "100000.00", "50000.00", "0.00", "150000.00"]],
    ..ACTIVE
};

const MANAGER_BEFORE: Employment = Employment {
    title: "Engineering Manager",
    start: "2018-03-01",
    end: Some("2021-12-01"),
    earnings: &[
        ["2021", "165000.00", "20000.00", "0.00", "185000.00"],
        ["2020", "150000.00", "0.00", "0.00", "150000.00"],
    ],
    ..INACTIVE
};

const NOBODY: Employment = Employment { status: "non-employee", status_detail: "", ..ACTIVE };
const DISPUTED: Employment = Employment { besides: Besides::Dispute, ..TAYLOR };
const FLAGGED: Employment = Employment { besides: Besides::FlaggedDocument, ..TAYLOR };
const FULL: Employment = Employment { besides: Besides::Everything, ..TAYLOR };

const REFUSED: Ending = Ending::Canceled(Some(("other", "employer-refused")));

/// By SSN, as nine digits. `None`: the sandbox does not know it.
pub fn ending(digits: &str) -> Option<Ending> {
    Some(match digits {
        "000000000" => Ending::Completed(&[TAYLOR]),
        "000000001" => Ending::Completed(&[SARAH]),
        "000000002" => Ending::Completed(&[JEROME]),
        "000000003" => Ending::Completed(&[KYLE]),
        "000000004" => Ending::Completed(&[BRIANNA]),
        "000000005" => Ending::Completed(&[DIANE]),
        "000000006" => Ending::Completed(&[RECRUITER]),
        "000000007" => Ending::Completed(&[MANAGER_NOW, MANAGER_BEFORE]),
        "000010000" | "000110000" => Ending::Canceled(None),
        "000030000" => Ending::ActionRequired,
        "000990001" => Ending::Invalid,
        "000990002" => Ending::Frozen,
        "000990003" => Ending::Canceled(Some(("no-match", "no-match"))),
        "000990004" => Ending::Processing,
        "000990005" => Ending::Completed(&[NOBODY]),
        "000990006" => Ending::Unheard,
        "000990007" => Ending::Completed(&[DISPUTED]),
        "000200000" => Ending::NoSignIn,
        "000990008" => REFUSED,
        "000990009" => Ending::Completed(&[FLAGGED]),
        "000990010" => Ending::Several(&[Ending::Completed(&[TAYLOR]), REFUSED]),
        "000990011" => Ending::Several(&[Ending::Completed(&[TAYLOR]), Ending::Processing]),
        "000990012" => Ending::Completed(&[FULL]),
        "000990013" => Ending::OnlyAtTheEmployer(&[TAYLOR]),
        _ => return None,
    })
}

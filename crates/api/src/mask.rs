//! Personal data as it is shown to those who may not see it, or did not ask to.

use domain::Date;

/// In place of a text of which nothing is shown.
pub const HIDDEN: &str = "***";

/// The year only: `1990-**-**`.
pub fn date(date: Date) -> String {
    format!("{:04}-**-**", date.get().year())
}

/// A date as a source wrote it, of which nothing but a leading year is shown.
pub fn written_date(text: &str) -> String {
    match text.get(..4) {
        Some(year) if year.bytes().all(|byte| byte.is_ascii_digit()) => format!("{year}-**-**"),
        _ => HIDDEN.to_owned(),
    }
}

/// The last four letters or digits, and never more than half of them: `***-**-6789`.
pub fn identifier(value: &str) -> String {
    let count = value.chars().filter(|letter| letter.is_alphanumeric()).count();
    let hidden = count - (count / 2).min(4);
    let mut seen = 0;
    let masked = value.chars().map(|letter| {
        if !letter.is_alphanumeric() {
            return letter;
        }
        seen += 1;
        if seen > hidden { letter } else { '*' }
    });
    masked.collect()
}

/// A text without its digits: `Checking ****`.
pub fn digits(text: &str) -> String {
    text.chars().map(|letter| if letter.is_numeric() { '*' } else { letter }).collect()
}

/// The last four digits.
pub fn phone(number: &str) -> String {
    identifier(number)
}

/// The first letter, and where it is: `j***@example.com`.
pub fn email(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{}***@{domain}", local.chars().next().map(String::from).unwrap_or_default()),
        None => HIDDEN.to_owned(),
    }
}

/// How the name ends, if that is a short word: `***.pdf`.
pub fn filename(name: &str) -> String {
    let is_ending =
        |ending: &&str| (1..=5).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric());
    match name.rsplit_once('.').map(|(_, ending)| ending).filter(is_ending) {
        Some(ending) => format!("{HIDDEN}.{ending}"),
        None => HIDDEN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_more_than_it_says() {
        assert_eq!(identifier("123-45-6789"), "***-**-6789");
        assert_eq!(identifier("AB12"), "**12");
        assert_eq!(identifier("7"), "*");
        assert_eq!(identifier(""), "");
        assert_eq!(digits("Checking 0042"), "Checking ****");
        assert_eq!(phone("+15551234567"), "+*******4567");
        assert_eq!(email("john.smith@example.com"), "j***@example.com");
        assert_eq!(email("not an address"), "***");
        assert_eq!(filename("Lucía Prueba 1032456701.pdf"), "***.pdf");
        assert_eq!(filename("lucia.prueba ficticia"), "***");
        assert_eq!(filename("lucia"), "***");
        assert_eq!(date("1990-05-15".parse().expect("a date")), "1990-**-**");
        assert_eq!(written_date("1990-05-15"), "1990-**-**");
        assert_eq!(written_date("15/05/1990"), "***");
    }
}

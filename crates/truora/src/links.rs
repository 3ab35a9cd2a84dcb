//! Links to files that the vendor gives us: where workbooks are put, where reports and attachments are fetched.

use url::Url;

/// Where the vendor's links may lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHosts(Vec<String>);

/// Why a link is not followed. Never holds the link: it is as good as a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkFault {
    #[error("the vendor's link cannot be read")]
    Unreadable,
    #[error("the vendor's link leads to {host}, which is not among truora.file_hosts; add it if it is the vendor's")]
    ForeignHost { host: String },
    #[error("the vendor's link is not https")]
    Plain,
}

impl FileHosts {
    /// The vendor's own domain and everything below it. The hosts of its files are not documented.
    pub const DEFAULT: &'static [&'static str] = &[".truora.com"];

    /// Hosts by name; one that begins with a dot stands for a domain with everything below it.
    pub fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        Self(hosts.into_iter().map(|host| host.trim().to_ascii_lowercase()).filter(|host| !host.is_empty()).collect())
    }

    /// The link, if it leads where it may. Plain http only where the very host is named, as a simulator is.
    pub fn follow(&self, link: &str) -> Result<Url, LinkFault> {
        let url = Url::parse(link.trim()).map_err(|_| LinkFault::Unreadable)?;
        let host = url.host_str().ok_or(LinkFault::Unreadable)?.to_ascii_lowercase();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(LinkFault::Unreadable);
        }
        let named = self.0.contains(&host);
        let below =
            |domain: &String| domain.starts_with('.') && (host.ends_with(domain.as_str()) || domain[1..] == host);
        if !named && !self.0.iter().any(below) {
            return Err(LinkFault::ForeignHost { host });
        }
        match url.scheme() {
            "https" => Ok(url),
            "http" if named => Ok(url),
            _ => Err(LinkFault::Plain),
        }
    }
}

impl Default for FileHosts {
    fn default() -> Self {
        Self::new(Self::DEFAULT.iter().map(|host| (*host).to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_only_to_hosts_of_the_settings() {
        let hosts = FileHosts::new([".truora.com".to_owned(), "127.0.0.1".to_owned()]);
        let follow = |link: &str| hosts.follow(link).map(|url| url.host_str().map(str::to_owned));
        for good in ["https://files.truora.com/a?Signature=x", "https://TRUORA.com/a", "http://127.0.0.1:9/a"] {
            assert!(follow(good).is_ok(), "{good}");
        }
        for foreign in ["https://truora.com.evil.example/a", "https://eviltruora.com/a", "https://169.254.169.254/a"] {
            assert!(matches!(follow(foreign), Err(LinkFault::ForeignHost { .. })), "{foreign}");
        }
        assert_eq!(follow("http://files.truora.com/a"), Err(LinkFault::Plain));
        assert_eq!(follow("ftp://127.0.0.1/a"), Err(LinkFault::Plain));
        for odd in ["/v1/files/a", "https://user@files.truora.com/a", "file:///etc/passwd", ""] {
            assert_eq!(follow(odd), Err(LinkFault::Unreadable), "{odd}");
        }
    }
}

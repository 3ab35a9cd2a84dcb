//! Following `next` links: relative paths with the cursor in the query, an empty text at the end.

use std::collections::BTreeSet;

use url::Url;

/// The most pages of one list that are read.
pub const MOST_PAGES: usize = 10_000;

/// Why a list cannot be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PagingFault {
    #[error("the link to the next page leads to another host")]
    ForeignHost,
    #[error("the link to the next page leads to another list")]
    ForeignList,
    #[error("the link to the next page cannot be read")]
    Unreadable,
    #[error("the pages run in a circle")]
    Circle,
    #[error("the list has too many pages")]
    TooMany,
}

/// A walk along the pages of one list.
pub struct Pages {
    first: Url,
    /// Another path by which the vendor's links call the same list.
    alias: Option<&'static str>,
    visited: BTreeSet<String>,
}

impl Pages {
    pub fn from(first: Url) -> Self {
        let visited = BTreeSet::from([cursor(&first)]);
        Self { first, alias: None, visited }
    }

    /// Takes links with this path as well. It is followed nowhere: only a link's query is used.
    #[must_use]
    pub const fn called(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    pub const fn first(&self) -> &Url {
        &self.first
    }

    /// Where the next page is; `None` at the end.
    pub fn follow(&mut self, next: Option<&str>) -> Result<Option<Url>, PagingFault> {
        let Some(next) = next.map(str::trim).filter(|next| !next.is_empty()) else {
            return Ok(None);
        };
        let url = self.resolve(next)?;
        if self.visited.len() >= MOST_PAGES {
            return Err(PagingFault::TooMany);
        }
        if !self.visited.insert(cursor(&url)) {
            return Err(PagingFault::Circle);
        }
        Ok(Some(url))
    }

    /// Takes only the query from the link. Host and path stay those of the list, so that the key can go nowhere else.
    fn resolve(&self, next: &str) -> Result<Url, PagingFault> {
        let (path, query) = if next.contains("://") {
            let absolute = Url::parse(next).map_err(|_| PagingFault::Unreadable)?;
            if absolute.origin() != self.first.origin() {
                return Err(PagingFault::ForeignHost);
            }
            (absolute.path().to_owned(), absolute.query().map(str::to_owned))
        } else {
            // Not by `Url::join`: links were seen with a double slash, which it would take for a host.
            let next = next.split('#').next().unwrap_or_default();
            let (path, query) = next.split_once('?').map_or((next, None), |(path, query)| (path, Some(query)));
            (path.to_owned(), query.map(str::to_owned))
        };
        let is_alias = self.alias.is_some_and(|alias| segments(&path).eq(segments(alias)));
        if !is_alias && segments(&path).ne(segments(self.first.path())) {
            return Err(PagingFault::ForeignList);
        }
        let mut url = self.first.clone();
        url.set_query(query.as_deref().filter(|query| !query.is_empty()));
        Ok(url)
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

fn cursor(url: &Url) -> String {
    url.query().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Pages {
        Pages::from("https://api.example.com/v1/checks".parse().expect("a URL"))
    }

    fn follow(next: &str) -> Result<Option<String>, PagingFault> {
        pages().follow(Some(next)).map(|url| url.map(String::from))
    }

    #[test]
    fn follows_relative_links_with_one_slash_or_two() {
        let there = Ok(Some("https://api.example.com/v1/checks?start_key=a%3D%3D".to_owned()));
        assert_eq!(follow("/v1/checks?start_key=a%3D%3D"), there);
        assert_eq!(follow("//v1/checks?start_key=a%3D%3D"), there);
        assert_eq!(follow("v1/checks/?start_key=a%3D%3D"), there);
        assert_eq!(follow("https://api.example.com/v1/checks?start_key=a%3D%3D"), there);
    }

    #[test]
    fn ends_at_an_empty_link_or_none() {
        assert_eq!(follow(""), Ok(None));
        assert_eq!(pages().follow(None), Ok(None));
    }

    #[test]
    fn never_leaves_the_host_or_the_list() {
        assert_eq!(follow("https://evil.example/v1/checks?start_key=a"), Err(PagingFault::ForeignHost));
        assert_eq!(follow("http://api.example.com/v1/checks?start_key=a"), Err(PagingFault::ForeignHost));
        assert_eq!(follow("//evil.example/v1/checks?start_key=a"), Err(PagingFault::ForeignList));
        assert_eq!(follow("/v1/hooks?start_key=a"), Err(PagingFault::ForeignList));
        assert_eq!(follow("https://"), Err(PagingFault::Unreadable));
    }

    #[test]
    fn a_list_may_be_called_by_another_path_and_is_read_at_its_own() {
        let next = pages().called("/v1/other").follow(Some("/v1/other?start_key=a")).expect("a link");
        assert_eq!(next.map(String::from).as_deref(), Some("https://api.example.com/v1/checks?start_key=a"));
        assert_eq!(pages().called("/v1/other").follow(Some("/v1/third?start_key=a")), Err(PagingFault::ForeignList));
    }

    #[test]
    fn sees_a_circle_wherever_it_closes() {
        let mut walk = pages();
        assert!(walk.follow(Some("/v1/checks?start_key=a")).is_ok());
        assert!(walk.follow(Some("/v1/checks?start_key=b")).is_ok());
        assert_eq!(walk.follow(Some("//v1/checks?start_key=a")), Err(PagingFault::Circle));
        assert_eq!(pages().follow(Some("/v1/checks")), Err(PagingFault::Circle));
    }

    #[test]
    fn gives_up_after_many_pages() {
        let mut walk = pages();
        let ended = (0..MOST_PAGES).find_map(|n| walk.follow(Some(&format!("/v1/checks?start_key={n}"))).err());
        assert_eq!(ended, Some(PagingFault::TooMany));
    }
}

//! Which sheets a workbook has, and where its parts are.

use std::collections::HashMap;

use quick_xml::events::Event;

use super::package::{Package, PartXml};
use super::xml::attribute;
use crate::Unreadable;

/// The sheet that is read, if there is one of this name; otherwise it is the first.
const PREFERRED: &str = "orders";

#[derive(Debug, Default)]
pub(super) struct Workbook {
    sheets: Vec<Sheet>,
    /// Dates are counted from 1904, as once on the Macintosh.
    pub from_1904: bool,
    /// Where the texts are that cells share, in the zip.
    pub strings: Option<String>,
    pub styles: Option<String>,
}

#[derive(Debug)]
struct Sheet {
    name: String,
    path: String,
    hidden: bool,
}

struct Relation {
    /// The last part of its type, such as `worksheet`.
    kind: String,
    path: String,
}

impl Workbook {
    /// The path of the sheet that is read.
    pub fn sheet(&self) -> Result<&str, Unreadable> {
        let preferred = self.sheets.iter().find(|sheet| sheet.name.trim().eq_ignore_ascii_case(PREFERRED));
        let sheet = preferred.or_else(|| self.sheets.iter().find(|sheet| !sheet.hidden)).ok_or(Unreadable::NoSheet)?;
        Ok(&sheet.path)
    }

    /// The name and path of each sheet.
    pub fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sheets.iter().map(|sheet| (sheet.name.as_str(), sheet.path.as_str()))
    }
}

pub(super) fn read(package: &mut Package<'_>) -> Result<Workbook, Unreadable> {
    let roots = relations(package, "_rels/.rels", "")?;
    let path = roots.into_values().find(|root| root.kind == "officeDocument").map(|root| root.path);
    let Some(path) = path.filter(|path| package.has(path)) else {
        return Err(Unreadable::NotAWorkbook {
            detail: if package.has("content.xml") {
                "it is an OpenDocument file; save it as .xlsx"
            } else {
                "it is a zip without a workbook"
            },
        });
    };
    if path.to_ascii_lowercase().ends_with(".bin") {
        return Err(Unreadable::NotAWorkbook { detail: "it is a binary workbook (.xlsb); save it as .xlsx" });
    }
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let relations = relations(package, &join(folder, &format!("_rels/{name}.rels")), folder)?;
    let mut workbook = package
        .part(&path, "its list of sheets", |xml| list(xml, &relations))?
        .ok_or(Unreadable::MissingPart { part: "its list of sheets" })?;
    let path_of =
        |kind: &str| relations.values().find(|relation| relation.kind == kind).map(|found| found.path.clone());
    workbook.strings = path_of("sharedStrings");
    workbook.styles = path_of("styles");
    Ok(workbook)
}

fn list(xml: &mut PartXml<'_, '_>, relations: &HashMap<String, Relation>) -> Result<Workbook, Unreadable> {
    let mut workbook = Workbook::default();
    let mut is_one = false;
    loop {
        let event = xml.next()?;
        let (Event::Start(element) | Event::Empty(element)) = &event else {
            if matches!(event, Event::Eof) {
                break;
            }
            continue;
        };
        match element.local_name().as_ref() {
            "workbook" => is_one = true,
            "workbookPr" => {
                if let Some(flag) = attribute(element, "date1904") {
                    workbook.from_1904 = matches!(&*flag, "1" | "true");
                }
            }
            "sheet" => {
                let relation = attribute(element, "id").and_then(|id| relations.get(&*id));
                if let Some(relation) = relation.filter(|relation| relation.kind == "worksheet") {
                    workbook.sheets.push(Sheet {
                        name: attribute(element, "name").unwrap_or_default().into_owned(),
                        path: relation.path.clone(),
                        hidden: attribute(element, "state").is_some_and(|state| state != "visible"),
                    });
                }
            }
            _ => {}
        }
    }
    if is_one { Ok(workbook) } else { Err(xml.damaged()) }
}

/// The parts that a part points to, by their ids. `folder` is where that part is.
fn relations(package: &mut Package<'_>, path: &str, folder: &str) -> Result<HashMap<String, Relation>, Unreadable> {
    let found = package.part(path, "its list of parts", |xml| {
        let mut relations = HashMap::new();
        loop {
            match xml.next()? {
                Event::Start(element) | Event::Empty(element) if element.local_name().as_ref() == "Relationship" => {
                    let get = |name| attribute(&element, name).unwrap_or_default();
                    let kind = get("Type").rsplit('/').next().unwrap_or_default().to_owned();
                    relations.insert(get("Id").into_owned(), Relation { kind, path: join(folder, &get("Target")) });
                }
                Event::Eof => return Ok(relations),
                _ => {}
            }
        }
    })?;
    Ok(found.unwrap_or_default())
}

/// A path in the zip, from one that is relative to a folder or begins with a slash.
fn join(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for part in target.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_part_that_names_them() {
        for (folder, target, path) in [
            ("xl", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "/xl/styles.xml", "xl/styles.xml"),
            ("xl", "../x.xml", "x.xml"),
            ("", "./xl/workbook.xml", "xl/workbook.xml"),
            ("", "../../x", "x"),
        ] {
            assert_eq!(join(folder, target), path);
        }
    }
}

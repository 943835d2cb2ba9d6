//! The formats read back, by what their readers document.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What every format says of a finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    pub line: usize,
    pub column: usize,
    pub rule: String,
}

impl Place {
    fn new(path: &str, line: &str, column: &str, rule: &str) -> Self {
        Self {
            path: path.into(),
            line: line.parse().unwrap(),
            column: column.parse().unwrap(),
            rule: rule.into(),
        }
    }
}

/// An element of an XML document.
#[derive(Debug, Deserialize)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    pub fn attribute(&self, name: &str) -> &str {
        &self.attributes[name]
    }

    /// All of it, itself first.
    pub fn all(&self) -> Vec<&Self> {
        std::iter::once(self)
            .chain(self.children.iter().flat_map(Self::all))
            .collect()
    }

    /// Holds `JUnit`'s counts against the tests that are there.
    pub fn counts_are_right(&self) {
        let count = |name: &str| {
            self.all()
                .iter()
                .filter(|element| element.name == name)
                .count()
                .to_string()
        };
        assert_eq!(self.attribute("tests"), count("testcase"));
        assert_eq!(self.attribute("failures"), count("failure"));
        assert_eq!(self.attribute("errors"), count("error"));
        if let Some(skipped) = self.attributes.get("skipped") {
            assert_eq!(*skipped, count("skipped"));
        }
    }
}

/// A page of Markdown.
#[derive(Debug, Deserialize)]
pub struct Page {
    pub tags: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

pub fn concise(text: &str) -> Vec<Place> {
    let place = |line: &str| {
        let (place, rest) = line.split_once(": ").unwrap();
        let (rule, _) = rest.split_once("] ").unwrap();
        let mut parts = place.rsplitn(3, ':');
        let (column, line, path) = (
            parts.next().unwrap(),
            parts.next().unwrap(),
            parts.next().unwrap(),
        );
        Place::new(path, line, column, rule.split_once('[').unwrap().1)
    };
    text.lines().map(place).collect()
}

/// A workflow command as GitHub's runner takes it apart.
#[derive(Debug)]
pub struct Command {
    pub name: String,
    pub properties: BTreeMap<String, String>,
    pub data: String,
}

impl Command {
    pub fn parse(line: &str) -> Self {
        let (head, data) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        let (name, properties) = head.split_once(' ').unwrap();
        let property = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap();
            (
                key.to_owned(),
                unescaped(&value.replace("%3A", ":").replace("%2C", ",")),
            )
        };
        let properties: BTreeMap<String, String> = properties.split(',').map(property).collect();
        Self {
            name: name.into(),
            properties,
            data: unescaped(data),
        }
    }
}

fn unescaped(text: &str) -> String {
    text.replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%25", "%")
}

pub fn github(text: &str) -> Vec<Place> {
    let place = |line: &str| {
        let properties = Command::parse(line).properties;
        let get = |name: &str| properties.get(name).map_or("1", String::as_str);
        Place::new(get("file"), get("line"), get("col"), get("title"))
    };
    text.lines().map(place).collect()
}

pub fn sarif(text: &str) -> Vec<Place> {
    let log: Value = serde_json::from_str(text).unwrap();
    let place = |result: &Value| {
        let place = &result["locations"][0]["physicalLocation"];
        let region = &place["region"];
        Place::new(
            &decoded(place["artifactLocation"]["uri"].as_str().unwrap()),
            &region["startLine"].to_string(),
            &region["startColumn"].to_string(),
            result["ruleId"].as_str().unwrap(),
        )
    };
    log["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(place)
        .collect()
}

/// A URI's path without its `%XX`.
pub fn decoded(uri: &str) -> String {
    let mut parts = uri.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).unwrap()
}

pub fn gitlab(text: &str) -> Vec<Place> {
    let issues: Vec<Value> = serde_json::from_str(text).unwrap();
    let place = |issue: &Value| {
        let (location, rule) = (&issue["location"], issue["check_name"].as_str().unwrap());
        Place::new(
            location["path"].as_str().unwrap(),
            &location["lines"]["begin"].to_string(),
            "0",
            rule,
        )
    };
    issues.iter().map(place).collect()
}

pub fn checkstyle(root: &Element) -> Vec<Place> {
    assert_eq!(root.name, "checkstyle");
    let place = |file: &Element, error: &Element| {
        assert!(["error", "warning", "info"].contains(&error.attribute("severity")));
        let rule = error
            .attribute("source")
            .strip_prefix("cachelane.")
            .unwrap();
        Place::new(
            file.attribute("name"),
            error.attribute("line"),
            error.attribute("column"),
            rule,
        )
    };
    root.children
        .iter()
        .flat_map(|file| file.children.iter().map(move |error| place(file, error)))
        .collect()
}

pub fn junit(root: &Element) -> Vec<Place> {
    let place = |suite: &Element, case: &Element| {
        let (rule, place) = case.attribute("name").split_once(" at line ").unwrap();
        let (line, column) = place.split_once(", column ").unwrap();
        assert_eq!(case.attribute("classname"), suite.attribute("name"));
        Place::new(suite.attribute("name"), line, column, rule)
    };
    root.children
        .iter()
        .flat_map(|suite| suite.children.iter().map(move |case| place(suite, case)))
        .collect()
}

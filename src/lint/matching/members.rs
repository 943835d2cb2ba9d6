//! The names that a command builds with those that it is given.

use std::collections::HashSet;

use super::graph::BuildGraph;
use crate::budget;

impl BuildGraph<'_> {
    /// Returns `names` with all that a call of these files builds for them: the members of groups, and the targets and
    /// services whose images others are made of.
    pub(super) fn expanded<'n>(&'n self, files: &[usize], names: Vec<&'n str>) -> HashSet<&'n str> {
        let (mut all, mut open) = (HashSet::new(), names);
        while let Some(name) = open.pop().filter(|_| budget::spend(1)) {
            if !all.insert(name) {
                continue;
            }
            for file in files {
                let groups = self.report(*file).builds.iter();
                let groups = groups.flat_map(|builds| &builds.file.groups);
                let own = groups.filter(|group| budget::spend(1) && group.name == name);
                open.extend(own.flat_map(|group| &group.members).map(String::as_str));
                let services = self
                    .builds(*file)
                    .iter()
                    .filter_map(|build| build.service.as_ref());
                let services = services.filter(|one| !one.after.is_empty() && budget::spend(1));
                let own = services
                    .filter(|one| one.name == name || one.legs.iter().any(|leg| leg.name == name));
                open.extend(own.flat_map(|one| &one.after).map(String::as_str));
            }
        }
        all
    }
}

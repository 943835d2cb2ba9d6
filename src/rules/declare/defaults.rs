//! The value that the lane argument gets in builds that pass nothing.

use crate::budget;
use crate::dockerfile::{Declaration, DeclaredBy, Dockerfile, Form};
use crate::fix::{Applicability, Edit};
use crate::rules::caches::Cache;
use crate::rules::context::Context;

/// A default to write into a declaration that has none.
pub struct Defaulting<'f> {
    pub declaration: &'f Declaration,
    /// `NAME=default`.
    pub text: String,
    pub edit: Edit,
    pub applicability: Applicability,
}

impl Context<'_> {
    /// Returns the default that `name` needs where the instruction `index` sees it without a value.
    pub fn defaulting(&self, name: &str, index: usize) -> Option<Defaulting<'_>> {
        if self.file.valued(name, index).is_some() {
            return None;
        }
        let own = self.file.visible(name, index)?;
        // One default for all stages, where a global declaration can carry it.
        let global = self.file.global(name).filter(|_| !own.onbuild);
        let declaration = global.unwrap_or(own);
        if self.moves_with_default(name, declaration) {
            return None;
        }
        let given = self.own_default(name).filter(|_| !declaration.onbuild);
        let default = given.unwrap_or_else(|| self.settings.default.clone());
        let span = self.name_span(declaration, name);
        Some(Defaulting {
            declaration,
            text: format!("{name}={default}"),
            edit: Edit::insert(span.end, format!("={default}")),
            applicability: if self.used_outside_ids(name, declaration.instruction) {
                Applicability::Unsafe
            } else {
                Applicability::Safe
            },
        })
    }

    /// Returns the default that the file has for the argument `name`: that of all stages, or else the one that all ids
    /// have which bring one along. Another would give builds that pass nothing other caches.
    pub fn own_default(&self, name: &str) -> Option<String> {
        let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
        let of_ids = || (!self.settings.keeps_id(name)).then(|| of_ids(self.caches(), name));
        let default = of_stages(self.file, name).or_else(|| of_ids().flatten())?;
        let is_default = !default.is_empty() && default.iter().all(plain);
        is_default.then(|| String::from_utf8_lossy(&default).into_owned())
    }
}

fn of_stages(file: &Dockerfile<'_>, name: &str) -> Option<Vec<u8>> {
    let given = |d: &&Declaration| d.by == DeclaredBy::Arg && !d.onbuild && d.stage.is_some();
    let declarations = file.declarations(name).iter().filter(given);
    the_same(declarations.filter_map(|d| d.value.clone()))
}

/// Returns the word of `${NAME:-word}` and `${NAME-word}` in ids.
fn of_ids(caches: &[Cache<'_>], name: &str) -> Option<Vec<u8>> {
    let variables = caches.iter().flat_map(|cache| cache.word.variables());
    let variables = variables.filter(|variable| budget::spend(1) && variable.name == name);
    the_same(variables.filter_map(|variable| match &variable.form {
        Form::Default { word, .. } => word.text_alone(),
        _ => None,
    }))
}

fn the_same(mut values: impl Iterator<Item = Vec<u8>>) -> Option<Vec<u8>> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

use crate::budget;

/// A text with the values of variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// True where the folder of the checkout, such as `$GITHUB_WORKSPACE`, stands before `text`.
    pub from_root: bool,
    pub text: String,
}

impl Text {
    /// Returns the folder of the checkout.
    pub fn root() -> Self {
        Self {
            from_root: true,
            text: String::new(),
        }
    }

    /// Appends `other`; `None` where the folder of the checkout would stand within a text.
    pub fn push(&mut self, other: &Self) -> Option<()> {
        let is_within = other.from_root && !self.is_empty();
        let fits = !is_within && budget::spend(1 + other.text.len());
        self.from_root |= other.from_root;
        self.text.push_str(&other.text);
        fits.then_some(())
    }

    pub fn is_empty(&self) -> bool {
        !self.from_root && self.text.is_empty()
    }

    /// Returns the text where it does not begin with the folder of the checkout.
    pub fn plain(self) -> Option<String> {
        (!self.from_root).then_some(self.text)
    }

    /// Returns its path, by [`join`], for a command in `folder`, which may be unknown.
    pub fn seen_from(&self, folder: Option<&str>) -> Option<String> {
        if self.from_root {
            return join("", self.text.trim_start_matches('/'));
        }
        join(folder?, &self.text)
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Self {
            from_root: false,
            text: text.into(),
        }
    }
}

/// Returns `path`, seen from `folder`, with `.` and `..` resolved; `None` where it leads out of what `folder` is
/// relative to.
pub fn join(folder: &str, path: &str) -> Option<String> {
    let is_drive = path.get(1..2) == Some(":")
        && path.starts_with(|letter: char| letter.is_ascii_alphabetic());
    // Each `cd` of a script makes another one.
    let is_inside = !path.starts_with(['/', '~', '\\']) && !is_drive;
    (is_inside && budget::spend(folder.len() + path.len()))
        .then(|| normal(folder.split('/').chain(path.split('/'))))
}

/// Returns the path of `dockerfile` below `context` in a Compose or bake file, relative to the file's own folder. Fails
/// for a remote context and for a path that is not relative.
pub fn dockerfile(context: &str, dockerfile: &str) -> Result<String, String> {
    let both = [context, dockerfile];
    // Both tools take an address, or another build, for a context that is not on disk.
    if both.iter().any(|path| is_remote(path)) {
        return Err("its context is not a folder of this repository".to_owned());
    }
    if context.starts_with("target:") || context.starts_with("service:") {
        return Err("its context is what another target or service builds".to_owned());
    }
    let outside =
        |what: &str| format!("its {what} is a path that begins outside of this repository");
    if context.starts_with(['/', '~']) {
        return Err(outside("context"));
    }
    if dockerfile.starts_with(['/', '~']) {
        return Err(outside("Dockerfile"));
    }
    if dockerfile == "-" {
        return Err("its Dockerfile comes from standard input".to_owned());
    }
    Ok(normal(both.iter().flat_map(|path| path.split(['/', '\\']))))
}

/// Joins names by `/`, with `.` and `..` resolved as far as possible.
fn normal<'n>(all: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in all {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join("/")
}

/// Returns whether a context is an address or another build.
pub fn is_remote(context: &str) -> bool {
    context.contains("://")
        || context.contains(".git#")
        || context.starts_with("git@")
        || context.starts_with("github.com/")
}

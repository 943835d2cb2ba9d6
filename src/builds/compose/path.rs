//! Where a Dockerfile is, by the context and the name that a Compose or bake file gives.

/// The path of `dockerfile` below `context`, relative to the file's own folder.
///
/// # Errors
/// Why nothing can be said: a remote context, a path that is not relative.
pub fn dockerfile(context: &str, dockerfile: &str) -> Result<String, String> {
    // Both tools take what looks like an address or another build for a context that is not on disk.
    let remote = |path: &str| {
        path.contains("://") || path.starts_with("git@") || path.starts_with("github.com/")
    };
    if remote(context) || remote(dockerfile) {
        return Err("its context is not a folder of this repository".to_owned());
    }
    if [context, dockerfile]
        .iter()
        .any(|path| path.starts_with(['/', '~']))
        || dockerfile == "-"
    {
        return Err(
            "its Dockerfile is named by a path that begins outside of this repository".to_owned(),
        );
    }
    Ok(joined(context, dockerfile))
}

/// `path` below `folder`, with `/` between names, `.` and `..` taken out as far as they go.
fn joined(folder: &str, path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in folder.split(['/', '\\']).chain(path.split(['/', '\\'])) {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined() {
        for (context, name, expected) in [
            (".", "Dockerfile", "Dockerfile"),
            ("./a/", "../b/./D", "b/D"),
            ("..", "D", "../D"),
            ("a/../..", "D", "../D"),
            ("", "D", "D"),
        ] {
            assert_eq!(dockerfile(context, name).unwrap(), expected);
        }
        for (context, name) in [
            ("https://x/y.git", "D"),
            ("git@x:y", "D"),
            ("/a", "D"),
            (".", "/D"),
            (".", "-"),
        ] {
            assert!(dockerfile(context, name).is_err());
        }
    }
}

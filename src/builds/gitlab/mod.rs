//! GitLab CI: `.gitlab-ci.yml` and the files that it includes.
//!
//! By GitLab's reference: `before_script` and `script` are one script for one shell; `after_script` is another;
//! `extends` merges mappings and replaces lists, the later of several templates wins, and the job itself over all;
//! `!reference` takes a part of another job after its `extends`; values of `parallel:matrix` are variables of the job
//! and part of its name; `CI_JOB_NAME_SLUG` is that name in lower case with all but letters and digits made `-`, cut to
//! 63 bytes, without `-` at its ends.

mod file;
mod matrix;
mod number;
mod pipeline;

pub use pipeline::Gitlab;
